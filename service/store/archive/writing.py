"""Export: events, what proves them, and the script that checks the proof, in one signed file.

An archive is a ZIP of:

    manifest.json    what was asked for, each file's SHA-256, and the sealed head of every partition
    manifest.sig     Ed25519 over "tenure export 1\\n" and the manifest's bytes, as hexadecimal digits
    events/017.ndjson  partition 17 from position 1 to its sealed head, one line for each: the event, or of one
                     that was not asked for what the chain needs (`lines.py`)
    verify.py        checks all of this with Python and `cryptography` alone

Nothing is signed that does not verify: export recomputes every link and digest as it goes.
"""

import os
import zipfile
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import Connection

from domain.events import PARTITIONS, Stream, partition_of
from service.store.archive.keys import public_hex
from service.store.archive.lines import event_line, left_out_line
from service.store.erasures import Erasures, erasures
from service.store.errors import StoreError
from service.store.records import Record, genesis, headers_digest, link, record_digest
from service.store.sealed import Seal, copy_records, seals
from service.store.sql import statements

VERIFIER = Path(__file__).parent / "verify.py"
SIGNED = b"tenure export 1\n"
_SPAN_EVENTS = 5_000
_SEAL = statements("seal.sql")


class ExportRefused(StoreError):
    """What is in the store does not agree with its seals, so nothing was exported."""


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which events are shown: those of a stream, those recorded in [since, until), or all."""

    stream: Stream | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def partitions(self) -> Sequence[int]:
        return range(PARTITIONS) if self.stream is None else [partition_of(self.stream)]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive holds."""

    file: str
    events: int
    left_out: int
    """Events of which only what the chain needs is in the archive."""
    partitions: int
    bytes: int
    """Of bodies."""
    signed_by: str | None
    """The public key."""


class _Span(msgspec.Struct, frozen=True):
    partition: int
    after: int
    upto: int


class _Counts(msgspec.Struct):
    events: int = 0
    left_out: int = 0
    bytes: int = 0


def export(
    dsn: str,
    path: Path,
    selection: Selection,
    *,
    key: Ed25519PrivateKey | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> Exported:
    """Writes the sealed events of the selection to a new file, which appears when it is complete.

    `progress` is called with the positions written, how many there are, and the bytes of bodies. Raises
    ExportRefused, psycopg.Error, and OSError, FileExistsError among them.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with psycopg.connect(dsn, autocommit=True, prepare_threshold=None, application_name="tenure export") as reading:
            exported = _write(reading, unfinished, selection, key, progress)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return msgspec.structs.replace(exported, file=str(path))


def _write(
    connection: Connection[Any],
    path: Path,
    selection: Selection,
    key: Ed25519PrivateKey | None,
    progress: Callable[[int, int, int], None] | None,
) -> Exported:
    heads = _heads(connection)
    shown = [partition for partition in selection.partitions if partition in heads]
    expected = sum(heads[partition][0] for partition in shown)
    erased, counts, files = erasures(connection), _Counts(), dict[str, str]()
    # Bodies hold personal data: for the owner alone.
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    with (
        os.fdopen(descriptor, "w+b") as written,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive,
    ):
        for partition in shown:
            name, hashed = f"events/{partition:03}.ndjson", sha256()
            with archive.open(name, "w", force_zip64=True) as file:
                lines = _lines(connection, partition, heads[partition][0], selection, erased, counts)
                with closing(lines):
                    for line in lines:
                        file.write(line)
                        hashed.update(line)
                        if progress and not (counts.events + counts.left_out) % 1000:
                            progress(counts.events + counts.left_out, expected, counts.bytes)
            files[name] = hashed.hexdigest()
        script = VERIFIER.read_bytes()
        archive.writestr("verify.py", script)
        files["verify.py"] = sha256(script).hexdigest()
        manifest = _manifest(selection, files, heads, key)
        archive.writestr("manifest.json", manifest)
        if key:
            archive.writestr("manifest.sig", key.sign(SIGNED + manifest).hex())
    if progress:
        progress(expected, expected, counts.bytes)
    return Exported(
        file=str(path),
        events=counts.events,
        left_out=counts.left_out,
        partitions=len(shown),
        bytes=counts.bytes,
        signed_by=public_hex(key) if key else None,
    )


def _heads(connection: Connection[Any]) -> dict[int, tuple[int, bytes]]:
    """How far each partition is sealed, and its chain there. Raises ExportRefused."""
    found: dict[int, tuple[int, bytes]] = {}
    cursor = connection.cursor(binary=True).execute(_SEAL["seal_heads"], {"partitions": list(range(PARTITIONS))})
    for partition, position, chain in cursor.fetchall():
        if position is None or (position > 0 and chain is None):
            raise _refused(partition, position or 1)
        if position > 0:
            found[partition] = (position, chain)
    return found


def _manifest(
    selection: Selection,
    files: dict[str, str],
    heads: dict[int, tuple[int, bytes]],
    key: Ed25519PrivateKey | None,
) -> bytes:
    manifest = {
        "format": "tenure export",
        "version": 1,
        "made_at": datetime.now(UTC),
        "selection": selection,
        "files": files,
        # Of all partitions, so that any archive can show later that the store was not made anew since.
        "heads": {str(partition): {"position": at, "chain": chain.hex()} for partition, (at, chain) in heads.items()},
        "public_key": public_hex(key) if key else None,
    }
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)


def _lines(
    connection: Connection[Any], partition: int, upto: int, selection: Selection, erased: Erasures, counts: _Counts
) -> Generator[bytes, None, None]:
    """The lines of a partition up to its sealed head. Raises ExportRefused."""
    previous, position = genesis(partition), 0
    for after in range(0, upto, _SPAN_EVENTS):
        span = _Span(partition, after, min(after + _SPAN_EVENTS, upto))
        sealed = seals(connection, partition, span.after, span.upto)
        records = copy_records(connection, span, stream=selection.stream, since=selection.since, until=selection.until)
        with closing(records):
            for record in records:
                position += 1
                gone = erased.is_erased(partition, position)
                headers = _agreed(record, sealed.get(position), previous, position, gone=gone)
                previous = sealed[position].chain
                if record.body is None:
                    counts.left_out += 1
                    yield left_out_line(record, headers)
                else:
                    counts.events += 1
                    counts.bytes += len(record.body)
                    yield event_line(record, headers, previous, erased=gone)
    if position != upto:
        raise _refused(partition, position + 1)


def _agreed(record: Record, seal: Seal | None, previous: bytes, position: int, *, gone: bool) -> bytes:
    """The digest of the event's headers, if the event is what its seal says. Raises ExportRefused."""
    if seal is None or record.position != position:
        raise _refused(record.partition, position)
    hidden = gone or record.headers is None
    headers = seal.headers if hidden else headers_digest(record.headers or b"")
    altered = not gone and record.body is not None and sha256(record.body).digest() != record.digest
    if altered or link(previous, record_digest(record, headers)) != seal.chain:
        raise _refused(record.partition, position)
    return headers


def _refused(partition: int, position: int) -> ExportRefused:
    return ExportRefused(
        f"partition {partition} is not as it was sealed at position {position}, so nothing was exported:"
        f" run `tenure verify --partition {partition}`"
    )
