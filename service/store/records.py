"""The sealed form of an event, byte for byte (version 1), and the chain over it.

    genesis(partition) = SHA-256("tenure genesis 1\\n" partition)
    chain(n)           = SHA-256("tenure chain 1\\n" chain(n - 1) record(n))
    record(n)          = SHA-256("tenure record 1\\n" partition position recorded_at stream-digest rest-digest)
    stream-digest      = SHA-256("tenure stream 1\\n" stream)
    rest-digest        = SHA-256("tenure event 1\\n" fields headers-digest)
    fields             = event_id, item, type, origin, cause, occurred_at, received_at, content_type, digest,
                         each after its length
    headers-digest     = SHA-256("tenure headers 1\\n" name value ..., each after its length, in the order of names)

Integers are signed and big-endian: partition has 2 bytes, position 8, a length 4, an instant 8, which count
microseconds since 2000-01-01T00:00:00Z. Texts are UTF-8, names of headers ordered by its bytes. So nothing can be
shifted from one field to the next. `source` is the stream's beginning, and `digest` stands for the body.

These are the bytes of PostgreSQL's binary COPY, so that no field has to be decoded to be checked: `fields` is a part
of a row as it arrives. A record has two digests in it for the sake of exports: who is shown an event's `recorded_at`,
stream-digest and rest-digest can extend the chain over it, and see that it belongs to another stream or period, yet
learns nothing of what it says.

Erasure replaces body and headers. `digest` stays in the event and headers-digest in its seal, so the chain does.
"""

from hashlib import sha256
from struct import Struct

import msgspec

COPY_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_COPY_HEADER_BYTES = 19
_COPY_TRAILER = b"\xff\xff"

_GENESIS = b"tenure genesis 1\n"
_CHAIN = b"tenure chain 1\n"
_RECORD = b"tenure record 1\n"
_STREAM = b"tenure stream 1\n"
_EVENT = b"tenure event 1\n"
_HEADERS = b"tenure headers 1\n"

_PLACE = Struct(">hqq")
_PARTITION = Struct(">h")
_LENGTH = Struct(">i")
_BEGIN = Struct(">hihiqiqi")
"""A row's number of columns, then partition, position and recorded_at after their lengths, and the stream's length."""

_FIELDS = 9
_headers = msgspec.json.Decoder(dict[str, str])


class Record(msgspec.Struct, frozen=True):
    """A row of the table `event` as PostgreSQL sends it, taken apart no further than checking needs."""

    partition: int
    position: int
    recorded_at: int
    """Microseconds since 2000-01-01 UTC."""
    stream: bytes
    fields: bytes
    """What the chain holds besides, each field after its length."""
    digest: bytes
    headers: bytes | None
    """JSON; None where it was not asked for."""
    source: bytes
    body: bytes | None
    """None where it was not asked for."""


def record_of(row: bytes) -> Record | None:
    """A record from one message of a binary COPY of the columns called `record` in seal.sql; None at its end.

    The first message may hold the header before the row.
    """
    if row.startswith(COPY_SIGNATURE):
        row = row[_COPY_HEADER_BYTES:]
    if not row or row == _COPY_TRAILER:
        return None
    _, _, partition, _, position, _, recorded_at, length = _BEGIN.unpack_from(row)
    first = _BEGIN.size + length if length > 0 else _BEGIN.size
    length_at, last = _LENGTH.unpack_from, first
    for _ in range(_FIELDS):
        (length,) = length_at(row, last)
        last += 4 + length if length > 0 else 4
    headers, at = _column(row, last)
    source, at = _column(row, at)
    body, _ = _column(row, at)
    return Record(
        *(partition, position, recorded_at, row[_BEGIN.size : first], row[first:last], row[last - 32 : last]),
        *(headers, source or b"", body),
    )


def _column(row: bytes, at: int) -> tuple[bytes | None, int]:
    """What the column that begins there holds, and where the next one begins."""
    (length,) = _LENGTH.unpack_from(row, at)
    end = at + 4 + length if length > 0 else at + 4
    return None if length < 0 else row[at + 4 : end], end


def genesis(partition: int) -> bytes:
    """What the chain of a partition begins with."""
    return sha256(_GENESIS + _PARTITION.pack(partition)).digest()


def link(previous: bytes, record: bytes) -> bytes:
    """The chain's value at a position, from the one before and the record's digest."""
    return sha256(_CHAIN + previous + record).digest()


def stream_digest(stream: bytes) -> bytes:
    return sha256(_STREAM + stream).digest()


def rest_digest(record: Record, headers: bytes) -> bytes:
    """The digest of everything but place, time of recording and stream; `headers` is the headers' digest."""
    return sha256(_EVENT + record.fields + headers).digest()


def record_digest(record: Record, headers: bytes, position: int | None = None) -> bytes:
    """The digest that is chained; with `position`, as if the event stood there."""
    place = _PLACE.pack(record.partition, record.position if position is None else position, record.recorded_at)
    return sha256(_RECORD + place + stream_digest(record.stream) + rest_digest(record, headers)).digest()


def headers_digest(headers: bytes) -> bytes:
    """The digest of headers, given as JSON; of JSON that holds none, the digest of its text."""
    try:
        decoded = _headers.decode(headers)
    except msgspec.DecodeError:
        return sha256(headers).digest()
    encoded = sorted((name.encode(), value.encode()) for name, value in decoded.items())
    return sha256(_HEADERS + b"".join(_sized(text) for pair in encoded for text in pair)).digest()


def _sized(text: bytes) -> bytes:
    return _LENGTH.pack(len(text)) + text
