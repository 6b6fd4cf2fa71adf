"""Whoever touches one line of an archive is found by the script that goes with it.

The forger mends the manifest's file hashes and signs it anew, with a key of his own; what he cannot make is a chain
that ends in the heads, or the signature of the key that the auditor knows.
"""

import asyncio
import copy
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store.archive import verify as alone
from service.store.archive.keys import public_hex
from service.store.archive.writing import ExportRefused, Selection, export
from tests.archives import FILE, FORGERS, KEY, LAST, Files, Line, report_of, signed
from tests.integration.store.given import stream_in
from tests.sealed import PARTITION, given_sealed

positions = st.integers(1, LAST)
SHOWN = {
    "position": st.integers(-5, 50),
    "recorded_at": st.sampled_from(["1999-01-01T00:00:00Z", "2030-01-01T00:00:00.5Z", "yesterday", 7]),
    "stream": st.sampled_from([stream_in(PARTITION, 9), "x", "", None]),
    **dict.fromkeys(("event_id", "item", "type", "origin", "cause", "content_type"), st.text(max_size=5)),
    "occurred_at": st.sampled_from(["2026-03-01T12:00:00.000009Z", "2026-03-01T12:00:00+05:00", "2026-03-01"]),
    "received_at": st.just("2020-03-01T12:00:00Z"),
    "digest": st.binary(min_size=32, max_size=32).map(bytes.hex),
    "headers": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2) | st.none(),
    "body": st.text(max_size=30),
    "chain": st.binary(min_size=32, max_size=32).map(bytes.hex),
}
LEFT_OUT = {
    "position": SHOWN["position"],
    "recorded_at": SHOWN["recorded_at"],
    "stream_digest": SHOWN["digest"],
    "rest_digest": SHOWN["digest"],
}


@pytest.fixture
def sealed_database(database: str) -> str:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, given_sealed(database)).result()
    return database


def forged(files: Files, change: Callable[[list[Line]], list[Line]]) -> Files:
    """The archive with other lines, and a manifest that goes with them, signed by the forger."""
    lines = [json.loads(line) for line in files[FILE].splitlines()]
    changed = change(copy.deepcopy(lines))
    if changed == lines:
        return files
    content = b"".join(json.dumps(line).encode() + b"\n" for line in changed)
    manifest = json.loads(files["manifest.json"])
    manifest["files"][FILE] = sha256(content).hexdigest()
    return signed({**files, FILE: content}, manifest)


def assert_found(files: Files, original: Files) -> None:
    report = report_of(files)
    assert any(f"partition {PARTITION}" in finding for finding in report.findings), report.findings
    assert alone.told(report).__next__().startswith("NOT PROVED")
    assert report_of(files, KEY).findings
    # Without mending the manifest, its hash of the file gives it away too.
    assert report_of({**original, FILE: files[FILE]}, KEY).findings


kinds = pytest.mark.parametrize("kind", ["all", "stream", "period"])


@kinds
def test_an_untouched_archive_is_proved(archives: dict[str, Files], kind: str) -> None:
    expected = {"all": (15, 0), "stream": (4, 8), "period": (12, 3)}
    for key in (None, KEY):
        report = report_of(archives[kind], key)
        assert report.findings == []
        assert report.signed_by == public_hex(KEY)
        assert report.proved is (key is not None), "whose key it is nobody knows who was not told"
        assert (report.events, report.left_out) == expected[kind]


def test_an_event_recorded_at_the_end_of_a_period_is_none_of_it(archives: dict[str, Files]) -> None:
    report = report_of(archives["before"], KEY)
    assert report.findings == []
    assert (report.events, report.left_out) == (3, 12)


@kinds
@given(position=positions, drawn=st.data())
def test_an_altered_line_is_found(archives: dict[str, Files], kind: str, position: int, drawn: st.DataObject) -> None:
    def change(lines: list[Line]) -> list[Line]:
        line = lines[position - 1]
        fields = SHOWN if "stream" in line else LEFT_OUT
        name = drawn.draw(st.sampled_from(sorted(set(fields) & {*line, "body"})))
        line[name] = drawn.draw(fields[name].filter(lambda value: value != line.get(name)))
        return lines

    assert_found(forged(archives[kind], change), archives[kind])


@kinds
@given(position=positions, renumbered=st.booleans())
def test_a_removed_line_is_found(archives: dict[str, Files], kind: str, position: int, renumbered: bool) -> None:
    def change(lines: list[Line]) -> list[Line]:
        del lines[position - 1]
        return numbered(lines) if renumbered else lines

    assert_found(forged(archives[kind], change), archives[kind])


@kinds
@given(position=st.integers(1, LAST + 1), of=positions, renumbered=st.booleans())
def test_an_inserted_line_is_found(
    archives: dict[str, Files], kind: str, position: int, of: int, renumbered: bool
) -> None:
    def change(lines: list[Line]) -> list[Line]:
        lines.insert(position - 1, copy.deepcopy(lines[of - 1]))
        return numbered(lines) if renumbered else lines

    assert_found(forged(archives[kind], change), archives[kind])


@kinds
@given(places=st.lists(positions, min_size=2, max_size=2, unique=True), renumbered=st.booleans())
def test_swapped_lines_are_found(archives: dict[str, Files], kind: str, places: list[int], renumbered: bool) -> None:
    def change(lines: list[Line]) -> list[Line]:
        one, two = places
        lines[one - 1], lines[two - 1] = lines[two - 1], lines[one - 1]
        return numbered(lines) if renumbered else lines

    assert_found(forged(archives[kind], change), archives[kind])


@kinds
@given(position=positions, seconds=st.integers(1, 10**8), name=st.sampled_from(["recorded_at", "occurred_at"]))
def test_a_back_dated_line_is_found(
    archives: dict[str, Files], kind: str, position: int, seconds: int, name: str
) -> None:
    def change(lines: list[Line]) -> list[Line]:
        line = lines[position - 1]
        name_there = name if name in line else "recorded_at"
        moment = datetime.fromisoformat(line[name_there]) - timedelta(seconds=seconds)
        line[name_there] = moment.isoformat()
        return lines

    assert_found(forged(archives[kind], change), archives[kind])


@kinds
@given(position=positions)
def test_a_cut_tail_is_found(archives: dict[str, Files], kind: str, position: int) -> None:
    assert_found(forged(archives[kind], lambda lines: lines[: position - 1]), archives[kind])


@kinds
@given(drawn=st.data())
def test_an_event_that_was_asked_for_cannot_be_left_out(
    archives: dict[str, Files], kind: str, drawn: st.DataObject
) -> None:
    def change(lines: list[Line]) -> list[Line]:
        shown = [number for number, line in enumerate(lines) if "stream" in line]
        number = drawn.draw(st.sampled_from(shown))
        line = lines[number]
        stream = alone.digest("stream", line["stream"].encode())
        rest = alone.rest_digest(line, alone.headers_digest(line["headers"]))
        lines[number] = {
            **{name: line[name] for name in ("position", "recorded_at")},
            "stream_digest": stream.hex(),
            "rest_digest": rest.hex(),
        }
        return lines

    files = forged(archives[kind], change)
    assert [finding for finding in report_of(files).findings if "asked for is left out" in finding]


@kinds
@given(drawn=st.data())
def test_a_manifest_that_was_altered_is_found_by_its_signature(
    archives: dict[str, Files], kind: str, drawn: st.DataObject
) -> None:
    manifest = archives[kind]["manifest.json"]
    place = drawn.draw(st.integers(0, len(manifest) - 1))
    altered = manifest[:place] + bytes([manifest[place] ^ drawn.draw(st.integers(1, 255))]) + manifest[place + 1 :]
    assert report_of({**archives[kind], "manifest.json": altered}, KEY).findings


@kinds
def test_a_forger_who_makes_all_anew_does_not_have_the_key(archives: dict[str, Files], kind: str) -> None:
    files = signed(archives[kind], json.loads(archives[kind]["manifest.json"]))
    assert report_of(files).signed_by == public_hex(FORGERS)
    assert report_of(files, KEY).findings
    unsigned = {name: content for name, content in archives[kind].items() if name != "manifest.sig"}
    assert report_of(unsigned, KEY).findings
    assert report_of(unsigned).findings


@kinds
def test_a_file_more_or_less_or_doubled_is_found(archives: dict[str, Files], kind: str) -> None:
    files = archives[kind]
    assert report_of({**files, "events/200.ndjson": b""}).findings
    assert report_of({name: content for name, content in files.items() if name != FILE}).findings
    assert report_of({name: content for name, content in files.items() if name != "manifest.json"}).findings
    assert report_of({**files, "verify.py": b"print('PROVED')"}).findings


@given(content=st.binary(max_size=200))
def test_what_is_no_archive_is_told_without_a_trace(content: bytes) -> None:
    assert alone.verify(BytesIO(content)).findings  # type: ignore[arg-type]


def test_an_archive_damaged_anywhere_is_told_without_a_trace(archives: dict[str, Files], tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in archives["all"].items():
            archive.writestr(name, content)
    content = whole.read_bytes()
    for place in range(0, len(content), 97):
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        alone.verify(BytesIO(bytes(damaged)), public_hex(KEY))  # type: ignore[arg-type]
        assert alone.verify(BytesIO(content[:place])).findings  # type: ignore[arg-type]


def numbered(lines: list[Line]) -> list[Line]:
    return [{**line, "position": number} for number, line in enumerate(lines, start=1)]


@pytest.mark.parametrize(
    "statement",
    [
        f"delete from seal where partition = {PARTITION}",
        f"delete from seal where partition = {PARTITION} and position = {LAST}",
        f"delete from seal_head where partition = {PARTITION}",
        f"delete from seal_head where partition = {PARTITION}; delete from head where partition = {PARTITION}",
        f"delete from event where partition = {PARTITION}",
        f"delete from event where partition = {PARTITION} and position = 4",
        f"update event set body = 'x' where partition = {PARTITION} and position = 4",
        f"update event set headers = '{{}}' where partition = {PARTITION} and position = 4",
        f"update seal set chain = headers where partition = {PARTITION} and position = 4",
    ],
)
def test_what_does_not_verify_is_never_exported(sealed_database: str, tmp_path: Path, statement: str) -> None:
    with psycopg.connect(sealed_database, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(statement.encode())
    with pytest.raises(ExportRefused, match=f"partition {PARTITION} .*run `tenure verify"):
        export(sealed_database, tmp_path / "x.zip", Selection())
    assert list(tmp_path.iterdir()) == []


def test_selections_are_written_as_the_script_reads_them() -> None:
    text = msgspec.json.encode(Selection(stream=stream_in(PARTITION)))
    assert msgspec.json.decode(text) == {"stream": stream_in(PARTITION)}
