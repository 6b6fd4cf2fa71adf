"""One line of an archive: an event as JSON, or what the chain needs of one that is left out."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from struct import unpack_from
from typing import Any

import msgspec

from service.store.records import Record, rest_digest, stream_digest

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_TEXTS = ("event_id", "item", "type", "origin", "cause")
_TIMES = ("occurred_at", "received_at")


def event_line(record: Record, headers: bytes, chain: bytes, *, erased: bool) -> bytes:
    """All of an event; `headers` is the digest of its headers, which one that is erased needs beside them."""
    fields = _split(record.fields)
    body = record.body or b""
    line: dict[str, Any] = {
        "position": record.position,
        "recorded_at": instant(record.recorded_at),
        "stream": record.stream.decode(),
        **{name: fields[place].decode() for place, name in enumerate(_TEXTS)},
        **{name: instant(int.from_bytes(fields[5 + place], signed=True)) for place, name in enumerate(_TIMES)},
        "content_type": fields[7].decode(),
        "digest": record.digest.hex(),
        "headers": msgspec.Raw(record.headers or b"{}"),
        **({"erased": True, "headers_digest": headers.hex()} if erased else {}),
        "chain": chain.hex(),
    }
    try:
        line["body"] = body.decode()
    except UnicodeDecodeError:
        line["body_base64"] = b64encode(body).decode()
    return msgspec.json.encode(line) + b"\n"


def left_out_line(record: Record, headers: bytes) -> bytes:
    """Of an event that is not shown: enough to extend the chain, and to see that it is none of those asked for."""
    line = {
        "position": record.position,
        "recorded_at": instant(record.recorded_at),
        "stream_digest": stream_digest(record.stream).hex(),
        "rest_digest": rest_digest(record, headers).hex(),
    }
    return msgspec.json.encode(line) + b"\n"


def instant(microseconds: int) -> str:
    """ISO 8601 with all six decimals, which is exact."""
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _split(fields: bytes) -> list[bytes]:
    found, offset = [], 0
    while offset < len(fields):
        (length,) = unpack_from(">i", fields, offset)
        found.append(fields[offset + 4 : offset + 4 + length])
        offset += 4 + length
    return found
