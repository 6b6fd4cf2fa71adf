"""From the next events of partitions to the rows they lead to: reads and folds, writes nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import structlog

from domain.events import Event, Stream, partition_of
from domain.history import Fold, decode_fold, extend, extends, refold
from domain.version import CODE
from projections.folding import rows_of
from projections.ports import EventLog
from projections.rows import Rows
from projections.sources import Source, source_for
from projections.tables import Pool, Tables
from projections.targets import Target
from projections.turns import Turns
from projections.writing import Advance

_log = structlog.get_logger("tenure.runner")

_TOGETHER_BYTES = 8 * 1024 * 1024
"""Of bodies, beyond which no further partition joins a transaction."""


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
        log: EventLog,
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

    async def lots(self, behind: Sequence[int], held: Mapping[int, int]) -> AsyncIterator[list[Page]]:
        """The next events of those partitions, in lots that are worth a transaction and fit into memory."""
        lot: list[Page] = []
        events = size = 0
        for partition in behind:
            page = await self.page(partition, held[partition])
            if page is not None:
                lot.append(page)
                events += len(page.events)
                size += sum(len(event.body) for event in page.events)
            if events >= self._batch or size >= _TOGETHER_BYTES:
                yield lot
                lot, events, size = [], 0, 0
        if lot:
            yield lot

    async def page(self, partition: int, position: int) -> Page | None:
        """The next events of one partition, None when there are none."""
        events = await self._log.read_partition(partition, position, self._batch)
        return Page(partition, position, events) if events else None

    async def again(self, stream: Stream, position: int) -> Advance:
        """A stream folded from the start, without a move of its partition."""
        rows = self.rows(stream, await self._refold(stream, position), position)
        return Advance(partition=partition_of(stream), before=position, after=position, rows=[rows])

    async def advances(self, pages: Sequence[Page]) -> list[Advance]:
        stored, turns = await self._stored(pages), Turns()
        linked = {stream: len(fold.subscription.links) for stream, fold in stored.items() if fold is not None}
        advances = []
        for page in pages:
            rows = []
            for stream, fold in (await self._folds(page, stored, turns)).items():
                # The links of the fold that it extends were written with that.
                known = linked.get(stream, 0) if fold is stored.get(stream) else 0
                rows.append(self.rows(stream, fold, page.after, known))
                await turns.pass_on()
            advances.append(Advance(partition=page.partition, before=page.before, after=page.after, rows=rows))
        return advances

    async def _stored(self, pages: Sequence[Page]) -> dict[Stream, Fold | None]:
        """The folds of the pages' streams as they stand; None for one of other code, nothing for a new stream."""
        async with self._pool.connection() as connection, connection.pipeline():
            cursors = [
                await connection.execute(
                    self._tables["load_folds"],
                    {"partition": page.partition, "streams": list({event.stream for event in page.events})},
                    binary=True,
                )
                for page in pages
            ]
            return {
                stream: decode_fold(fold) if code == CODE else None
                for cursor in cursors
                for stream, code, fold in await cursor.fetchall()
            }

    async def _folds(self, page: Page, stored: Mapping[Stream, Fold | None], turns: Turns) -> dict[Stream, Fold]:
        by_stream: dict[Stream, list[Event]] = {}
        for event in page.events:
            by_stream.setdefault(event.stream, []).append(event)
        folds = {}
        for stream, events in by_stream.items():
            provider = source_for(self._sources, stream).provider
            fold = stored.get(stream)
            if stream not in stored:
                # Rows go with the checkpoint: without one, no earlier event is of this stream.
                folds[stream] = refold(events, provider)
            elif fold is not None and extends(fold, events):
                folds[stream] = extend(fold, events, provider)
            else:
                folds[stream] = await self._refold(stream, page.after)
            await turns.pass_on()
        return folds

    def rows(self, stream: Stream, fold: Fold, position: int, linked: int = 0) -> Rows:
        if fold.stopped:
            _log.warning("a stream stopped", stream=stream, reason=fold.stopped)
        return rows_of(stream, fold, position, source_for(self._sources, stream), self._targets, linked)

    async def _refold(self, stream: Stream, upto: int) -> Fold:
        whole = await self._log.read_stream(stream)
        provider = source_for(self._sources, stream).provider
        return refold([event for event in whole if event.position <= upto], provider)
