"""Whoever touches one line of an archive is found by the script that goes with it.

The forger mends the manifest's file hashes and signs it anew, with a key of his own; what he cannot make is a chain
that ends in the heads, or the signature of the key that the auditor knows.
"""

import asyncio
import copy
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from service.store.archive import verify as alone
from service.store.archive.heads import ArchiveUnfit, heads_of
from service.store.archive.keys import public_hex
from service.store.archive.writing import SIGNED, ExportRefused, Selection, export
from tests.databases import Server
from tests.integration.store.given import stream_in
from tests.sealed import PARTITION, given_sealed

LAST = 12
KEY, FORGERS = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
FILE = f"events/{PARTITION:03}.ndjson"
Line = dict[str, Any]
Files = dict[str, bytes]

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


@pytest.fixture(scope="module")
def archives(
    server: Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Files]]:
    """The files of one archive of each kind: all, one stream, one period of which positions 1 to 3 are no part."""
    folder = tmp_path_factory.mktemp("archives")
    with server.database(template=migrated_template) as name:
        dsn = server.dsn(name)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, given_sealed(dsn)).result()
        with psycopg.connect(dsn) as connection:
            row = connection.execute(
                "select recorded_at from event where partition = %s and position = 4", [PARTITION]
            ).fetchone()
        assert row
        selections = {
            "all": Selection(),
            "stream": Selection(stream=stream_in(PARTITION, 1)),
            "period": Selection(since=row[0], until=row[0] + timedelta(hours=1)),
            "before": Selection(until=row[0]),
        }
        made = {}
        for kind, selection in selections.items():
            export(dsn, folder / kind, selection, key=KEY)
            with zipfile.ZipFile(folder / kind) as archive:
                made[kind] = {name: archive.read(name) for name in archive.namelist()}
        yield made


@pytest.fixture
def sealed_database(database: str) -> str:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, given_sealed(database)).result()
    return database


def report_of(files: Files, key: Ed25519PrivateKey | None = None) -> alone.Report:
    return alone.verify(packed(files), public_hex(key) if key else None)  # type: ignore[arg-type]


def packed(files: Files, compression: int = zipfile.ZIP_STORED) -> BytesIO:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


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


def signed(files: Files, manifest: Line) -> Files:
    text = json.dumps({**manifest, "public_key": public_hex(FORGERS)}).encode()
    return {**files, "manifest.json": text, "manifest.sig": FORGERS.sign(SIGNED + text).hex().encode()}


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


@pytest.mark.parametrize("key", ["", " ", "x", "00" * 31, "00" * 33, "0x" + "00" * 31, "00" * 31 + "٣٣", "zz" * 32])
def test_what_is_no_key_is_not_taken_for_one_that_was_not_given(archives: dict[str, Files], key: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        alone.verify(packed(archives["all"]), key)  # type: ignore[arg-type]


def test_what_the_key_did_not_sign_is_not_looked_into(archives: dict[str, Files]) -> None:
    report = report_of(signed(archives["all"], json.loads(archives["all"]["manifest.json"])), KEY)
    assert report.findings
    assert not report.proved
    assert (report.events, report.partitions) == (0, 0)


def test_nothing_out_of_an_archive_is_obeyed_by_a_terminal(archives: dict[str, Files]) -> None:
    escape = "\x1b[2J\x1b[HPROVED, of an archive\n\u202e\x9b8m"
    manifest = json.loads(archives["all"]["manifest.json"])
    made = signed(archives["all"], {**manifest, "made_at": escape, "selection": {"stream": escape}})
    assert any("[2J" in line for line in alone.told(report_of({**archives["all"], escape: b""})))
    for files in ({**archives["all"], escape: b""}, made):
        assert all(line.isprintable() for line in alone.told(report_of(files)))
    intact = alone.Report(made_at=escape, selection={"since": escape})
    assert all(line.isprintable() for line in alone.told(intact))


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "verify.py", FILE])
def test_a_file_that_unpacks_to_very_much_is_not_unpacked(
    archives: dict[str, Files], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "LONGEST_LINE", 1 << 16)
    bomb = packed({**archives["all"], name: b"0" * (1 << 26)}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    report = alone.verify(bomb)  # type: ignore[arg-type]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.findings
    assert most < 1 << 25


def test_an_archive_of_very_many_files_is_refused_at_once(archives: dict[str, Files]) -> None:
    [finding] = report_of({**archives["all"], **{str(number): b"" for number in range(300)}}, KEY).findings
    assert "files" in finding


def test_heads_are_not_taken_from_what_only_looks_like_an_archive(archives: dict[str, Files], tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(packed(archives["all"]).getvalue())
    assert heads_of(path, public_hex(KEY)).proved
    assert not heads_of(path).proved
    for manifest in (b"[" * (1 << 19), b"0" * (1 << 19), b"{}"):
        path.write_bytes(packed({**archives["all"], "manifest.json": manifest}).getvalue())
        with pytest.raises(ArchiveUnfit):
            heads_of(path)
    encrypted = bytearray(packed(archives["all"]).getvalue())
    for place in range(len(encrypted) - 10):  # the flag in every entry of the directory
        if encrypted[place : place + 4] == b"PK\x01\x02":
            encrypted[place + 8] |= 1
    path.write_bytes(bytes(encrypted))
    with pytest.raises(ArchiveUnfit):
        heads_of(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_an_archive_compressed_otherwise_is_refused_for_its_memory(
    archives: dict[str, Files], compression: int
) -> None:
    [finding] = alone.verify(packed(archives["all"], compression)).findings  # type: ignore[arg-type]
    assert "compressed otherwise" in finding


@pytest.mark.parametrize(
    "changed",
    [
        {"made_at": 7},
        {"selection": "x"},
        {"selection": {"since": 7}},
        {"selection": {"kind": "x"}},
        {"heads": []},
        {"heads": {"99999": {"position": 1, "chain": ""}}},
        {"files": {}},
        {"public_key": 5},
    ],
)
def test_a_manifest_of_another_form_is_told_without_a_trace(archives: dict[str, Files], changed: Line) -> None:
    text = json.dumps({**json.loads(archives["all"]["manifest.json"]), "public_key": public_hex(FORGERS), **changed})
    content = text.encode()
    report = report_of(
        {**archives["all"], "manifest.json": content, "manifest.sig": FORGERS.sign(SIGNED + content).hex().encode()}
    )
    assert report.findings
    assert all(map(str.isprintable, alone.told(report)))


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
