"""From the next events of partitions to the rows they lead to: reads and folds, writes nothing."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import groupby

import msgspec
import structlog

from domain.events import Event, Stream, partition_of
from domain.history import Fold, decode_fold, extend, extends, refold
from domain.version import CODE
from projections.folding import rows_of
from projections.ports import BulkLog
from projections.rows import Rows
from projections.sources import Source, source_for
from projections.tables import Pool, Tables
from projections.targets import Target
from projections.turns import Turns
from projections.writing import Advance

_log = structlog.get_logger("tenure.runner")


class Page(msgspec.Struct, frozen=True):
    """The next events of a partition; at least one."""

    partition: int
    before: int
    events: Sequence[Event]

    @property
    def after(self) -> int:
        return self.events[-1].position


class Advancing:
    """Prepares what a runner commits."""

    def __init__(
        self,
        *,
        log: BulkLog,
        pool: Pool,
        tables: Tables,
        sources: Mapping[str, Source],
        targets: Mapping[str, Target],
        batch: int,
    ) -> None:
        self._log = log
        self._pool = pool
        self._tables = tables
        self._sources = sources
        self._targets = targets
        self._batch = batch

    async def lots(self, behind: Mapping[int, int], held: Mapping[int, int]) -> AsyncIterator[list[Page]]:
        """The next events of partitions that are behind those heads, in lots that are worth a transaction."""
        for bounds in _lots_of(behind, held, self._batch):
            # What does not fit in memory is missing, and comes with the next round.
            yield _pages(await self._log.read_between(bounds), held)

    async def page(self, partition: int, position: int) -> Page | None:
        """The next events of one partition, None when there are none."""
        events = await self._log.read_partition(partition, position, self._batch)
        return Page(partition, position, events) if events else None

    async def again(self, stream: Stream, position: int) -> Advance:
        """A stream folded from the start, without a move of its partition."""
        rows = [self.rows(each, fold, position) async for each, fold in self._refolds([(stream, position)])]
        return Advance(partition=partition_of(stream), before=position, after=position, rows=rows)

    async def advances(self, pages: Sequence[Page]) -> list[Advance]:
        stored, turns = await self._stored(pages), Turns()
        linked = {stream: len(fold.subscription.links) for stream, fold in stored.items() if fold is not None}
        advances = {
            page.partition: Advance(partition=page.partition, before=page.before, after=page.after, rows=[])
            for page in pages
        }
        for stream, fold in (await self._folds(pages, stored, turns)).items():
            # The links of the fold that it extends were written with that.
            known = linked.get(stream, 0) if fold is stored.get(stream) else 0
            advance = advances[partition_of(stream)]
            advance.rows.append(self.rows(stream, fold, advance.after, known))
            await turns.pass_on()
        return list(advances.values())

    async def _stored(self, pages: Sequence[Page]) -> dict[Stream, Fold | None]:
        """The folds of the pages' streams as they stand; None for one of other code, nothing for a new stream."""
        streams = list({event.stream: event.partition for page in pages for event in page.events}.items())
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                self._tables["load_folds"],
                {"partitions": [partition for _, partition in streams], "streams": [stream for stream, _ in streams]},
                binary=True,
            )
            return {
                stream: decode_fold(fold) if code == CODE else None for stream, code, fold in await cursor.fetchall()
            }

    async def _folds(
        self, pages: Sequence[Page], stored: Mapping[Stream, Fold | None], turns: Turns
    ) -> dict[Stream, Fold]:
        """The folds of the pages' streams, in the order of their first events."""
        by_stream: dict[Stream, list[Event]] = {}
        for page in pages:
            for event in page.events:
                by_stream.setdefault(event.stream, []).append(event)
        folds: dict[Stream, Fold | None] = dict.fromkeys(by_stream)
        for stream, events in by_stream.items():
            fold, provider = stored.get(stream), source_for(self._sources, stream).provider
            if stream not in stored:
                # Rows go with the checkpoint: without one, no earlier event is of this stream.
                folds[stream] = refold(events, provider)
            elif fold is not None and extends(fold, events, provider):
                folds[stream] = extend(fold, events, provider)
            await turns.pass_on()
        after = {page.partition: page.after for page in pages}
        again = [(stream, after[partition_of(stream)]) for stream, fold in folds.items() if fold is None]
        async for stream, fold in self._refolds(again):
            folds[stream] = fold
            await turns.pass_on()
        return {stream: fold for stream, fold in folds.items() if fold is not None}

    def rows(self, stream: Stream, fold: Fold, position: int, linked: int = 0) -> Rows:
        if fold.stopped:
            _log.warning("a stream stopped", stream=stream, reason=fold.stopped)
        return rows_of(stream, fold, position, source_for(self._sources, stream), self._targets, linked)

    async def _refolds(self, upto: Sequence[tuple[Stream, int]]) -> AsyncIterator[tuple[Stream, Fold]]:
        """Streams folded from the start up to positions; read together, as many as fit in a page."""
        left = list(upto)
        while left:
            for whole in await self._log.read_streams([(stream, 0) for stream, _ in left]):
                stream, position = left.pop(0)
                provider = source_for(self._sources, stream).provider
                yield stream, refold([event for event in whole if event.position <= position], provider)


def _lots_of(behind: Mapping[int, int], held: Mapping[int, int], batch: int) -> Iterator[list[tuple[int, int, int]]]:
    """What to read next: partitions, ascending, from where to where, of each and in each lot about `batch` events."""
    lot: list[tuple[int, int, int]] = []
    events = 0
    for partition, head in sorted(behind.items()):
        after, upto = held[partition], min(head, held[partition] + batch)
        lot.append((partition, after, upto))
        events += upto - after
        if events >= batch:
            yield lot
            lot, events = [], 0
    if lot:
        yield lot


def _pages(events: Sequence[Event], held: Mapping[int, int]) -> list[Page]:
    """Events in the order of their partitions as a page of each."""
    by_partition = groupby(events, key=lambda event: event.partition)
    return [Page(partition, held[partition], list(some)) for partition, some in by_partition]
