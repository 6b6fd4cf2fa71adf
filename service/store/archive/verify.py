"""Checks an archive that `tenure export` made: who signed it, that nothing is missing, that nothing was altered.

    python verify.py ARCHIVE.zip [--key PUBLIC_KEY] [--json]

Needs Python 3.11 or newer and `pip install cryptography`, nothing of Tenure. PUBLIC_KEY is the signer's, as 64
hexadecimal digits, from somewhere else than the archive: whoever can forge an archive can put a key of his own, and
another verify.py, into it. Exit codes: 0 proved, 1 not what was exported, 2 usage, 3 intact but not proved: signed by
nobody, or with a key that was not given.

How the chain is made, version 1. Integers are big-endian and signed: partition 2 bytes, position 8, a length 4, an
instant 8, in microseconds since 2000-01-01T00:00:00Z. Texts are UTF-8.

    genesis(partition) = SHA-256("tenure genesis 1\\n" partition)
    chain(n)           = SHA-256("tenure chain 1\\n" chain(n - 1) record(n))
    record(n)          = SHA-256("tenure record 1\\n" partition position recorded_at stream-digest rest-digest)
    stream-digest      = SHA-256("tenure stream 1\\n" stream)
    rest-digest        = SHA-256("tenure event 1\\n" fields headers-digest)
    fields             = event_id, item, type, origin, cause, occurred_at, received_at, content_type, digest,
                         each after its length
    headers-digest     = SHA-256("tenure headers 1\\n" name value ..., each after its length, in the order of names)
"""

import argparse
import base64
import hashlib
import io
import json
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from typing import IO, Any

EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - plain names for a script that others read
SIGNED = b"tenure export 1\n"
LONGEST_LINE = 512 * 1024 * 1024
LARGEST = {"manifest.json": 1 << 20, "manifest.sig": 1 << 10, "verify.py": 1 << 20}
MOST_FILES = 256 + len(LARGEST)
TEXTS = ("event_id", "item", "type", "origin", "cause")
MOST_FINDINGS = 100
PROVED, NOT_SO, INTACT = 0, 1, 3


@dataclass
class Report:
    """What was checked, and everything that was found wrong."""

    signed_by: str | None = None
    key_given: bool = False
    made_at: str = ""
    selection: dict[str, str] = field(default_factory=dict)
    partitions: int = 0
    events: int = 0
    left_out: int = 0
    erased: int = 0
    bytes: int = 0
    findings: list[str] = field(default_factory=list)

    def wrong(self, text: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(plain(text))

    @property
    def intact(self) -> bool:
        return not self.findings

    @property
    def proved(self) -> bool:
        """Whether the holder of the key that was given signed exactly this."""
        return self.intact and self.key_given and self.signed_by is not None


def plain(text: str) -> str:
    """Without what a terminal would obey: an archive comes from whoever sent it."""
    return "".join(character if character.isprintable() else "�" for character in text[:500])


def public_key(text: str) -> str:
    """A key that was given, in small letters. Raises ValueError for what is none, an empty variable above all."""
    if len(text) != 64 or not set(text) <= set("0123456789abcdefABCDEF"):
        raise ValueError("a public key has 64 hexadecimal digits")
    return text.lower()


def digest(tag: str, *parts: bytes) -> bytes:
    return hashlib.sha256(f"tenure {tag} 1\n".encode() + b"".join(parts)).digest()


def sized(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def eight(number: int) -> bytes:
    return struct.pack(">q", number)


def headers_digest(headers: dict[str, str]) -> bytes:
    pairs = sorted((name.encode(), value.encode()) for name, value in headers.items())
    return digest("headers", *(sized(text) for pair in pairs for text in pair))


def rest_digest(event: dict[str, Any], headers: bytes) -> bytes:
    fields = [event[name].encode() for name in TEXTS]
    fields += [eight(microseconds(event["occurred_at"])), eight(microseconds(event["received_at"]))]
    fields += [event["content_type"].encode(), bytes.fromhex(event["digest"])]
    return digest("event", *map(sized, fields), headers)


def record_digest(partition: int, line: dict[str, Any], stream: bytes, rest: bytes) -> bytes:
    place = struct.pack(">hqq", partition, line["position"], microseconds(line["recorded_at"]))
    return digest("record", place, stream, rest)


def body_of(event: dict[str, Any]) -> bytes:
    text = event.get("body")
    return base64.b64decode(event["body_base64"], validate=True) if text is None else text.encode()


class Erasures:
    """Which events of a partition say that they are erased, and which ones erasure events of the same stream name."""

    def __init__(self) -> None:
        self.said: dict[int, str] = {}
        self.named: set[tuple[str, int]] = set()

    def note(self, line: dict[str, Any]) -> None:
        if line.get("erased"):
            self.said[line["position"]] = line["stream"]
        elif is_erasure(line):
            self.named.update((line["stream"], position) for position in json.loads(body_of(line))["positions"])

    def unnamed(self) -> list[int]:
        return [position for position, stream in self.said.items() if (stream, position) not in self.named]


def is_erasure(line: dict[str, Any]) -> bool:
    """Whether the event says what was erased; in an archive of a period there are those of all times."""
    return (line.get("type"), line.get("origin")) == ("tenure.erased", "operator")


def verify(path: str, key: str | None = None) -> Report:
    """Checks everything, and goes on after a finding, so that all that is wrong is named.

    What the key that was given did not sign is not looked into. Raises ValueError where that is no key.
    """
    key = None if key is None else public_key(key)
    report = Report(key_given=key is not None)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = check_manifest(archive, key, report)
            if manifest is not None and (key is None or report.signed_by):
                check_files(archive, manifest, report)
                check_partitions(archive, manifest, report)
    except OSError as error:
        report.wrong(f"the archive cannot be read: {error.strerror or error}")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        report.wrong(f"the archive is damaged: {error}")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, struct.error, RecursionError) as error:
        report.wrong(f"the manifest is not of the form it should have ({type(error).__name__}: {error})")
    except MemoryError:
        report.wrong("the archive holds more in one piece than there is memory for")
    return report


def check_manifest(archive: zipfile.ZipFile, key: str | None, report: Report) -> dict[str, Any] | None:
    entries = {entry.filename: entry for entry in archive.infolist()}
    if len(archive.infolist()) > MOST_FILES:
        report.wrong(f"it holds more than {MOST_FILES} files, which no archive does")
        return None
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries.values()):
        report.wrong("it is compressed otherwise than archives are")
        return None
    for name in (name for name, most in LARGEST.items() if name in entries and entries[name].file_size > most):
        report.wrong(f"{name} is too large to be one")
        return None
    if "manifest.json" not in entries:
        report.wrong("manifest.json is missing")
        return None
    content = archive.read("manifest.json")
    manifest: dict[str, Any] = json.loads(content)
    if (manifest["format"], manifest["version"]) != ("tenure export", 1):
        report.wrong("this script knows archives of version 1 only: take the verify.py of the version that made it")
        return None
    made_at, selection = manifest["made_at"], dict(manifest["selection"])
    if not set(selection) <= {"stream", "since", "until"} or not all(
        isinstance(text, str) for text in [made_at, *selection.values()]
    ):
        raise ValueError("what was asked for, or when")
    report.made_at, report.selection = made_at, selection
    signature = archive.read("manifest.sig").decode() if "manifest.sig" in entries else None
    report.signed_by = check_signature(content, signature, manifest["public_key"], key, report)
    return manifest


def check_signature(
    content: bytes, signature: str | None, named: str | None, key: str | None, report: Report
) -> str | None:
    """The public key that the manifest is signed with, where the signature is right."""
    if signature is None:
        if key is not None or named is not None:
            report.wrong("manifest.sig is missing: nobody signed this archive")
        return None
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        report.wrong("the signature cannot be checked here: run `pip install cryptography` first")
        return None
    if key is not None and named is not None and key != named.lower():
        report.wrong("the archive names another signer than the key that was given")
    try:
        public = bytes.fromhex(public_key((named or "") if key is None else key))
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature.strip()), SIGNED + content)
    except (InvalidSignature, ValueError):
        report.wrong("the signature is not that of this manifest by this key")
        return None
    return public.hex()


def check_files(archive: zipfile.ZipFile, manifest: dict[str, Any], report: Report) -> None:
    names = Counter(archive.namelist())
    files = manifest["files"]
    for name in sorted(name for name, times in names.items() if times > 1):
        report.wrong(f"{name} is in the archive twice")
    for name in sorted(set(names) - set(files) - {"manifest.json", "manifest.sig"}):
        report.wrong(f"{name} is in the archive, but not in the manifest")
    for name in sorted(set(files) - set(names)):
        report.wrong(f"{name} is in the manifest, but not in the archive")
    if "verify.py" in names and "verify.py" in files:
        check_hash("verify.py", hashlib.sha256(archive.read("verify.py")).hexdigest(), files, report)


def check_hash(name: str, found: str, files: dict[str, str], report: Report) -> None:
    if found != files.get(name):
        report.wrong(f"{name} is not the file that the manifest names")


def check_partitions(archive: zipfile.ZipFile, manifest: dict[str, Any], report: Report) -> None:
    heads = {int(partition): head for partition, head in manifest["heads"].items()}
    stream = report.selection.get("stream")
    wanted = sorted(heads) if stream is None else [zlib.crc32(stream.encode()) & 255]
    expected = {f"events/{partition:03}.ndjson" for partition in wanted if partition in heads}
    for name in sorted(expected ^ (set(manifest["files"]) - {"verify.py"})):
        report.wrong(
            f"{name} should be in the archive, and is not" if name in expected else f"{name} should not be here"
        )
    for partition in wanted:
        name = f"events/{partition:03}.ndjson"
        if partition in heads and name in archive.namelist():
            report.partitions += 1
            hashed = hashlib.sha256()
            with archive.open(name) as file:
                check_partition(partition, heads[partition], lines_of(file, hashed), report)
                # Behind a line that is none, nothing is read: it could be anything, of any size.
                if not file.read(1):
                    check_hash(name, hashed.hexdigest(), manifest["files"], report)


def lines_of(file: IO[bytes], hashed: Any) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE):
        hashed.update(line)
        yield line


def check_partition(partition: int, head: dict[str, Any], lines: Iterator[bytes], report: Report) -> None:
    chain, position = digest("genesis", struct.pack(">h", partition)), 0
    sure = 0  # the last position at which the chain was seen to be right
    erasures = Erasures()
    for number, text in enumerate(lines, start=1):
        where = f"partition {partition}, position {position + 1}"
        try:
            line = json.loads(text)
            if line["position"] != position + 1:
                told = "removed" if line["position"] > position + 1 else "inserted, doubled or swapped"
                report.wrong(f"{where}: position {line['position']} follows: an event was {told}")
            position = line["position"]
            where = f"partition {partition}, position {position}"
            chain = digest("chain", chain, check_line(partition, line, where, report))
            erasures.note(line)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, struct.error, RecursionError) as error:
            report.wrong(f"{where}: line {number} is no event as an archive has it ({type(error).__name__}: {error})")
            return
        if "chain" in line:
            if line["chain"] != chain.hex():
                since = "" if sure == position - 1 else f", or one after position {sure}"
                report.wrong(f"{where}: the event{since} is not the one that was sealed: the chain is broken")
                chain = bytes.fromhex(line["chain"])
            sure = position
    for unnamed in erasures.unnamed():
        report.wrong(
            f"partition {partition}, position {unnamed}: it is said to be erased, and no erasure event says so"
        )
    if position != head["position"]:
        lacking = "events are missing at the end" if position < head["position"] else "there are events too many"
        report.wrong(f"partition {partition}, position {position}: the signed head is {head['position']}: {lacking}")
    elif chain.hex() != head["chain"]:
        since = f"an event after position {sure}" if sure < position else "an event and its chain value"
        report.wrong(f"partition {partition}, position {position}: {since} was altered: the chain ends in another head")


def check_line(partition: int, line: dict[str, Any], where: str, report: Report) -> bytes:
    """The line's record digest; what else must be so of it is checked on the way."""
    if "stream" not in line:
        report.left_out += 1
        stream, rest = bytes.fromhex(line["stream_digest"]), bytes.fromhex(line["rest_digest"])
        if wanted(report.selection, stream, line["recorded_at"]):
            report.wrong(f"{where}: an event that was asked for is left out")
        return record_digest(partition, line, stream, rest)
    report.events += 1
    stream = digest("stream", line["stream"].encode())
    body = body_of(line)
    report.bytes += len(body)
    if zlib.crc32(line["stream"].encode()) & 255 != partition:
        report.wrong(f"{where}: the event's stream belongs to another partition")
    of_period = "stream" not in report.selection
    if not wanted(report.selection, stream, line["recorded_at"]) and not (of_period and is_erasure(line)):
        report.wrong(f"{where}: the event is none of those asked for")
    if line.get("erased"):
        report.erased += 1
        return record_digest(partition, line, stream, rest_digest(line, bytes.fromhex(line["headers_digest"])))
    if hashlib.sha256(body).hexdigest() != line["digest"]:
        report.wrong(f"{where}: the body was altered: it does not agree with the event's digest")
    return record_digest(partition, line, stream, rest_digest(line, headers_digest(line["headers"])))


def wanted(selection: dict[str, str], stream: bytes, recorded_at: str) -> bool:
    since, until = selection.get("since"), selection.get("until")
    at = microseconds(recorded_at)
    return (
        ("stream" not in selection or stream == digest("stream", selection["stream"].encode()))
        and (since is None or microseconds(since) <= at)
        and (until is None or at < microseconds(until))
    )


def asked_for(selection: dict[str, str]) -> str:
    if "stream" in selection:
        return f"of {selection['stream']}"
    since = f" from {selection['since']}" if "since" in selection else ""
    until = f" before {selection['until']}" if "until" in selection else ""
    return f"recorded{since}{until}" if since or until else "of the whole store"


def told(report: Report) -> Iterator[str]:
    """What was proved, in plain words."""
    if report.findings:
        yield "NOT PROVED. This archive is not what was exported, or not of a store as it was sealed:"
        for finding in report.findings:
            yield f"  - {finding}"
        if len(report.findings) == MOST_FINDINGS:
            yield "  - and perhaps more"
        return
    yield f"{'PROVED' if report.proved else 'INTACT, BUT NOT PROVED'}, of an archive made at {plain(report.made_at)}:"
    yield f"  - It holds every event {plain(asked_for(report.selection))} that was sealed then: {report.events:,}."
    yield "  - None was altered, removed, inserted, swapped or back-dated since it was sealed"
    yield f"    ({report.bytes:,} bytes of bodies)."
    if report.left_out:
        yield f"  - {report.left_out:,} other events stand between them; of those it shows only that they are others."
    if report.erased:
        yield f"  - {report.erased} of the events were erased, as erasure events say; their bodies are redacted."
    if report.signed_by is None:
        yield "  - NOBODY SIGNED IT: it agrees with itself, and whoever made it could have made it otherwise."
    elif report.proved:
        yield "  - It was signed with the key that you gave."
    else:
        yield f"  - SIGNED BY WHOM? It was signed with the key {report.signed_by}"
        yield "    Whoever made it could have put his own. Give the signer's, from elsewhere, with --key."


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks an archive that `tenure export` made.")
    parser.add_argument("archive", metavar="ARCHIVE.zip")
    parser.add_argument("--key", metavar="PUBLIC_KEY", help="the signer's public key, 64 hexadecimal digits")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    given = parser.parse_args()
    try:
        report = verify(given.archive, given.key)
    except ValueError as error:
        parser.error(f"--key: {error}")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    verdict = {"proved": report.proved, "intact": report.intact}
    sys.stdout.write(json.dumps(verdict | asdict(report), indent=2) if given.json else "\n".join(told(report)))
    sys.stdout.write("\n")
    return PROVED if report.proved else INTACT if report.intact else NOT_SO


if __name__ == "__main__":
    sys.exit(main())
