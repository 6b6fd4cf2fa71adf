"""Verification: every body's digest, every link of the chains, and that nothing is missing between.

The seals hold the chain's value at every position, so a span of positions can be checked knowing only the value
before it: spans are dealt out to processes, each with a connection of its own, and one broken event does not hide
what stands behind it. Bodies stream through; memory does not grow with the store.

It blocks: hashing is work for a core, and an event loop would only be in its way.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from time import perf_counter
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from domain.events import PARTITIONS, Stream, partition_of
from service.store.checking import Checked, Span, check_spans
from service.store.diagnosis import diagnosed
from service.store.erasures import Erasures, erasures
from service.store.findings import Finding
from service.store.sealed import Extent, extents, foreign, value_before

SPAN_EVENTS = 5_000
"""Events checked by one task; enough to make its two statements cheap, few enough for a bar that moves."""
LOTS_PER_PROCESS = 8
"""A process takes as long to start as some lots to be checked."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found; `findings` has the first broken position of each partition."""

    events: int
    sealed: int
    unsealed: int
    """Events at the ends of the partitions that no sealer has come to yet: no error."""
    bodies: int
    bytes: int
    erased: int
    """How many of the bodies are erased, as erasure events say."""
    erased_at: dict[int, list[int]]
    """Which, by partition and position."""
    partitions: int
    """Partitions that hold events or seals."""
    seconds: float
    processes: int
    findings: list[Finding]

    @property
    def intact(self) -> bool:
        return not self.findings


def verify(
    dsn: str,
    *,
    partitions: Sequence[int] = range(PARTITIONS),
    stream: Stream | None = None,
    known: Mapping[int, tuple[int, bytes]] | None = None,
    processes: int | None = None,
    progress: Callable[[Checked, int], None] | None = None,
) -> Verified:
    """Checks whole partitions; with `stream`, the chain of its partition and the bodies of that stream alone.

    `known` gives positions of partitions, and the chain's values there as somebody else keeps them. `progress` is
    called with what has been checked and how many events there are. Takes all cores unless `processes` says otherwise.
    Raises psycopg.Error.
    """
    if stream is not None:
        partitions = [partition_of(stream)]
    with _connect(dsn) as connection:
        reaches = extents(connection, partitions)
        lots = list(_lots(reaches))
        workers = processes or min(_cores(), len(lots) // LOTS_PER_PROCESS)
        checks = _here(connection, lots, stream) if workers <= 1 else _elsewhere(dsn, lots, stream, workers)
        witnessed = list(_rewritten(connection, partitions, known or {}))
        return _collect(connection, reaches, checks, max(workers, 1), progress, witnessed)


def verify_on(
    connection: Connection[Any], *, partitions: Sequence[int] = range(PARTITIONS), stream: Stream | None = None
) -> Verified:
    """The same on a connection, in whatever transaction that is in, without other processes. Raises psycopg.Error."""
    reaches = extents(connection, partitions)
    return _collect(connection, reaches, _here(connection, list(_lots(reaches)), stream), 1, None)


def _collect(
    connection: Connection[Any],
    reaches: Sequence[Extent],
    checks: Iterable[Checked],
    processes: int,
    progress: Callable[[Checked, int], None] | None,
    witnessed: Sequence[Finding] = (),
) -> Verified:
    began = perf_counter()
    total = Checked()
    expected = sum(each.events for each in reaches)
    for checked in checks:
        total.add(checked)
        if progress:
            progress(total, expected)
    first: dict[int, Finding] = {}
    ends = [finding for reach in reaches for finding in reach.findings()]
    if len(reaches) == PARTITIONS:
        ends += foreign(connection)
    for finding in sorted([*total.findings, *ends, *witnessed], key=lambda one: (one.partition, one.position)):
        first.setdefault(finding.partition, finding)
    return Verified(
        events=total.events,
        sealed=sum(min(each.seals, each.events) for each in reaches),
        unsealed=sum(max(each.events - each.seals, 0) for each in reaches),
        bodies=total.bodies,
        bytes=total.bytes,
        erased=sum(map(len, total.erased.values())),
        erased_at={partition: sorted(total.erased[partition]) for partition in sorted(total.erased)},
        partitions=sum(each.events + each.seals > 0 for each in reaches),
        seconds=perf_counter() - began,
        processes=processes,
        findings=[diagnosed(connection, finding) for finding in first.values()],
    )


def _rewritten(
    connection: Connection[Any], partitions: Sequence[int], known: Mapping[int, tuple[int, bytes]]
) -> Iterator[Finding]:
    """Where the chain is not the one that somebody else keeps."""
    for partition, (position, chain) in known.items():
        if partition in partitions and value_before(connection, partition, position + 1) != chain:
            yield Finding.of("rewritten", partition, position)


def _lots(reaches: Sequence[Extent]) -> Iterator[list[Span]]:
    """The spans to be checked, together about SPAN_EVENTS in each lot."""
    lot: list[Span] = []
    size = 0
    for reach in reaches:
        for after in range(0, reach.events, SPAN_EVENTS):
            upto = min(after + SPAN_EVENTS, reach.events)
            lot.append(Span(reach.partition, after, upto, reach.seals))
            size += upto - after
            if size >= SPAN_EVENTS:
                yield lot
                lot, size = [], 0
    if lot:
        yield lot


def _here(connection: Connection[Any], lots: Sequence[Sequence[Span]], stream: Stream | None) -> Iterator[Checked]:
    erased = erasures(connection)
    for lot in lots:
        yield check_spans(connection, lot, erased, stream)


def _elsewhere(dsn: str, lots: Sequence[Sequence[Span]], stream: Stream | None, workers: int) -> Iterator[Checked]:
    # Not forked: a child must not share this process's connection to the database.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(dsn,)) as pool:
        try:
            waiting = [pool.submit(_check_lot, lot, stream) for lot in lots]
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


class _Worker:
    """What a process of the pool keeps between its tasks."""

    connection: Connection[Any]
    erased: Erasures


def _begin(dsn: str) -> None:
    # Ctrl-C is for the process that waits for this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Worker.connection = _connect(dsn)
    _Worker.erased = erasures(_Worker.connection)


def _check_lot(lot: Sequence[Span], stream: Stream | None) -> Checked:
    return check_spans(_Worker.connection, lot, _Worker.erased, stream)


def _connect(dsn: str) -> Connection[Any]:
    return psycopg.connect(dsn, autocommit=True, prepare_threshold=None, fallback_application_name="tenure verify")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
