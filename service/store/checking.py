"""Checks spans of positions: bodies against digests, events against seals, and that no position is missing."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from hashlib import sha256
from typing import Any

import msgspec
from psycopg import Connection

from domain.events import Stream, partition_of
from service.store.erasures import Erasures, erasures
from service.store.findings import Finding
from service.store.records import Record, headers_digest, link, record_digest
from service.store.sealed import Seal, copy_records, seals, value_before


class Span(msgspec.Struct, frozen=True):
    """The positions of a partition with `after` < position <= `upto`, of which those up to `sealed` have seals."""

    partition: int
    after: int
    upto: int
    sealed: int


class Checked(msgspec.Struct, kw_only=True):
    """What has been checked so far."""

    events: int = 0
    bodies: int = 0
    """How many bodies were hashed."""
    bytes: int = 0
    """Of bodies."""
    erased: dict[int, list[int]] = {}
    """By partition the positions of bodies that are erased, among those checked."""
    findings: list[Finding] = []

    def add(self, other: "Checked") -> None:
        self.events += other.events
        self.bodies += other.bodies
        self.bytes += other.bytes
        for partition, positions in other.erased.items():
            self.erased.setdefault(partition, []).extend(positions)
        self.findings.extend(other.findings)


def check_spans(
    connection: Connection[Any], spans: Sequence[Span], erased: Erasures, stream: Stream | None = None
) -> Checked:
    """Checks each span; of one that is broken its first finding alone.

    What an act erases meanwhile is not told as altered: where something is, it is asked once more what is erased.
    """
    total = Checked(findings=[])
    for span in spans:
        checked = _check_span(connection, span, erased, stream)
        while checked.findings and (now := erasures(connection)) != erased:
            erased = now
            checked = _check_span(connection, span, erased, stream)
        total.add(checked)
    return total


def _check_span(connection: Connection[Any], span: Span, erased: Erasures, stream: Stream | None) -> Checked:
    checked = Checked(findings=[])
    sealed = seals(connection, span.partition, span.after, span.upto)
    previous = value_before(connection, span.partition, span.after + 1) if span.after < span.sealed else None
    with closing(copy_records(connection, span, stream=stream)) as records:
        finding = _check(span, records, sealed, previous, erased, checked)
    if finding:
        checked.findings.append(finding)
    return checked


def _check(
    span: Span,
    records: Iterable[Record],
    sealed: dict[int, Seal],
    previous: bytes | None,
    erased: Erasures,
    checked: Checked,
) -> Finding | None:
    """Goes through a span to its end, whatever is found, so that what was checked can be counted."""
    finding: Finding | None = None
    expected = span.after + 1
    for record in records:
        checked.events += 1
        gone = erased.is_erased(record.partition, record.position)
        wrong = _placed_wrong(record, expected, span) or _body_wrong(record, gone, checked)
        expected = record.position + 1
        if record.position <= span.sealed:
            seal = sealed.get(record.position)
            wrong = wrong or _seal_wrong(record, seal, previous, gone)
            previous = seal.chain if seal else None
        if finding is None and wrong:
            finding = wrong
    if finding is None and expected <= span.upto:
        finding = Finding.of("removed", span.partition, expected)
    return finding


def _placed_wrong(record: Record, expected: int, span: Span) -> Finding | None:
    if record.position > expected:
        return Finding.of("removed", span.partition, expected)
    if record.position < expected:
        return Finding.of("inserted", span.partition, record.position, "the position is taken twice")
    if record.partition != partition_of(Stream(record.stream.decode(errors="replace"))):
        return Finding.of("altered field", span.partition, expected, "its stream belongs to another partition")
    if record.source != record.stream.split(b"/", 1)[0]:
        return Finding.of("altered field", span.partition, expected, "its source is not that of its stream")
    return None


def _body_wrong(record: Record, gone: bool, checked: Checked) -> Finding | None:
    if record.body is None:
        return None
    checked.bodies += 1
    checked.bytes += len(record.body)
    if gone:
        checked.erased.setdefault(record.partition, []).append(record.position)
    elif sha256(record.body).digest() != record.digest:
        return Finding.of("altered body", record.partition, record.position)
    return None


def _seal_wrong(record: Record, seal: Seal | None, previous: bytes | None, gone: bool) -> Finding | None:
    if seal is None:
        return Finding.of("missing seal", record.partition, record.position)
    if previous is None:
        return None  # the seal before is missing, and told
    headers = seal.headers if gone or record.headers is None else headers_digest(record.headers)
    if link(previous, record_digest(record, headers)) != seal.chain or headers != seal.headers:
        return Finding.of("altered field", record.partition, record.position, unsure=True)
    return None
