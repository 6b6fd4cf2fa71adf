"""The sealed form is pinned: one changed byte of it would break every chain there is."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import pack

import pytest

from service.store.archive import verify as alone
from service.store.archive.lines import event_line, instant, left_out_line
from service.store.records import (
    COPY_SIGNATURE,
    Record,
    genesis,
    headers_digest,
    link,
    record_digest,
    record_of,
    rest_digest,
    stream_digest,
)

HEADERS = b'{"b": "2", "a": "1", "\xc3\xa4": "\xf0\x9f\x94\x91"}'
FIELDS = (b"evt_1", b"/0", b"invoice.paid", b"webhook", b"")
BODY = b'{"id": "evt_1"}'


def row(*columns: bytes | None) -> bytes:
    """A row of a binary COPY."""
    sized = b"".join(pack(">i", -1) if column is None else pack(">i", len(column)) + column for column in columns)
    return pack(">h", len(columns)) + sized


def a_row(fields: Sequence[bytes] = FIELDS, **more: int) -> bytes:
    return row(
        pack(">h", more.get("partition", 17)),
        pack(">q", more.get("position", 42)),
        pack(">q", more.get("recorded_at", 825_681_600_123_456)),
        b"shop/subscription/sub_1",
        *fields,
        pack(">q", 825_681_600_000_000),
        pack(">q", 825_681_601_000_000),
        b"application/json",
        sha256(BODY).digest(),
        HEADERS,
        b"shop",
        BODY,
    )


def a_record(fields: Sequence[bytes] = FIELDS, **more: int) -> Record:
    record = record_of(a_row(fields, **more))
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("value", "vector"),
    [
        (genesis(0), "db56117a4038e059b3ffc6319afdce8716b18f8468870ccfdc2dbb37e3d4a2ed"),
        (genesis(255), "0add043efdf9c52d2429e5ce28c1473d0086615650f899b2014bf78ddf4ead75"),
        (stream_digest(b"shop/subscription/sub_1"), "911810b6db68f60ed38795d2083b284d07f5e09909f04a36d931f2237c7b5d23"),
        (headers_digest(b"{}"), "b9afcd22fbf75aa12e7ef3b624495d88bcaad614c5ce19f81d060c5ed70cbc77"),
        (headers_digest(HEADERS), "2738f6b2b368950cbbd60f3f90c1b46e7a1a482fdebc1284d837d110ee8a0265"),
        (
            rest_digest(a_record(), headers_digest(HEADERS)),
            "5f25686cc3d526d66fc401361f62de27ee13a212f499d7c0de3778b3abe6f75c",
        ),
        (
            record_digest(a_record(), headers_digest(HEADERS)),
            "5fde1ef8b7c3be3e011c133185728d21f76f1ef67cd09ec320be3fe944fc07f7",
        ),
        (
            link(genesis(17), record_digest(a_record(), headers_digest(HEADERS))),
            "8b6c5370e8a4ca1368d3ed6b5ff8a8119491a563a70b75d2a6c8ba08749a3701",
        ),
    ],
)
def test_the_form_is_the_one_that_stores_were_sealed_with(value: bytes, vector: str) -> None:
    assert value.hex() == vector


def test_a_record_is_what_the_documentation_says_byte_for_byte() -> None:
    def sized(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    headers = sha256(
        b"tenure headers 1\n" + b"".join(map(sized, (b"a", b"1", b"b", b"2", "ä".encode(), "🔑".encode())))
    ).digest()
    at = [(825_681_600_000_000 + more).to_bytes(8, "big", signed=True) for more in (0, 1_000_000)]
    texts = (b"evt_1", b"/0", b"invoice.paid", b"webhook", b"", *at, b"application/json", sha256(BODY).digest())
    rest = sha256(b"tenure event 1\n" + b"".join(map(sized, texts)) + headers).digest()
    stream = sha256(b"tenure stream 1\nshop/subscription/sub_1").digest()
    place = b"\x00\x11" + (42).to_bytes(8, "big") + (825_681_600_123_456).to_bytes(8, "big")
    assert record_digest(a_record(), headers) == sha256(b"tenure record 1\n" + place + stream + rest).digest()


def test_the_header_of_a_copy_is_skipped_and_its_end_is_no_record() -> None:
    assert record_of(COPY_SIGNATURE + bytes(8) + a_row()) == a_record()
    assert record_of(COPY_SIGNATURE + bytes(8)) is None
    assert record_of(b"\xff\xff") is None


def test_what_was_not_asked_for_is_none() -> None:
    columns = [b"", b"", b"", b"", b"", bytes(8), bytes(8), b"", bytes(32), None, b"shop", None]
    record = record_of(row(bytes(2), bytes(8), bytes(8), b"shop/x/1", *columns))
    assert record is not None
    assert (record.headers, record.source, record.body) == (None, b"shop", None)


@pytest.mark.parametrize(
    "fields",
    [
        (b"evt_1/", b"0", b"invoice.paid", b"webhook", b""),
        (b"evt_1", b"/0", b"invoice.paid", b"", b"webhook"),
        (b"", b"evt_1/0", b"invoice.paid", b"webhook", b""),
        (b"evt_1", b"/0invoice.paid", b"", b"webhook", b""),
    ],
)
def test_nothing_can_be_shifted_from_one_field_to_another(fields: Sequence[bytes]) -> None:
    assert record_digest(a_record(fields), bytes(32)) != record_digest(a_record(), bytes(32))


@pytest.mark.parametrize("more", [{"partition": 18}, {"position": 43}, {"recorded_at": 1}])
def test_the_place_and_time_are_chained(more: dict[str, int]) -> None:
    assert record_digest(a_record(FIELDS, **more), bytes(32)) != record_digest(a_record(), bytes(32))


def test_headers_are_the_same_in_any_order_and_differ_in_any_character() -> None:
    assert headers_digest(b'{"a":"1","b":"2"}') == headers_digest(b'{"b": "2", "a": "1"}')
    assert headers_digest(b'{"a":"1","b":"2"}') != headers_digest(b'{"a":"1b","":"2"}')
    assert headers_digest(b'["no", "headers"]') != headers_digest(b"[]")


def test_the_stand_alone_script_computes_the_same_from_an_archive() -> None:
    record, headers = a_record(), headers_digest(HEADERS)
    shown = json.loads(event_line(record, headers, bytes(32), erased=False))
    hidden = json.loads(left_out_line(record, headers))
    assert alone.headers_digest(shown["headers"]) == headers
    rest = alone.rest_digest(shown, headers)
    stream = alone.digest("stream", shown["stream"].encode())
    assert (hidden["stream_digest"], hidden["rest_digest"]) == (stream.hex(), rest.hex())
    for line in (shown, hidden):
        assert alone.record_digest(17, line, stream, rest) == record_digest(record, headers)
    assert alone.digest("genesis", pack(">h", 17)) == genesis(17)
    assert alone.digest("chain", genesis(17), stream) == link(genesis(17), stream)


def test_instants_in_an_archive_are_exact() -> None:
    for moment in (datetime(1900, 1, 1, 0, 0, 0, 1, UTC), datetime(2026, 3, 1, tzinfo=UTC)):
        microseconds = (moment - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        assert alone.microseconds(instant(microseconds)) == microseconds
