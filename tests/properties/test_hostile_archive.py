"""An archive comes from whoever sent it: it is no key, obeys no bounds, and speaks to the terminal."""

import json
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from service.store.archive import verify as alone
from service.store.archive.heads import ArchiveUnfit, heads_of
from service.store.archive.keys import public_hex
from service.store.archive.writing import SIGNED
from tests.archives import FILE, FORGERS, KEY, Files, Line, packed, report_of, signed


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
