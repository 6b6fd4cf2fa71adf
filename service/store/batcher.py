"""Appends that share a transaction: one flush to disk for all requests that came in during the last one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, assert_never

import msgspec
import psycopg
import structlog

from domain.events import NewEvent
from projections.ports import Appended
from service.store.appending import append_of
from service.store.deadlines import Deadlines
from service.store.errors import StoreBusy, StoreError, StoreUnavailable, UnstorableEvent
from service.store.limits import Limits
from service.store.retries import Verdict, pauses, reason, verdict
from service.store.rows import Request, request_of

logger = structlog.get_logger(__name__)

_CLOSED = "the event store is closing; send the events to another process, or again after the restart"


class _Waiting(msgspec.Struct, frozen=True):
    request: Request
    answer: asyncio.Future[list[Appended]]


class SharedAppend:
    """Appends on a connection of its own: takes whatever waits, stores it in one transaction, answers each.

    There is no timer, so a lone request is not delayed. A batch that is refused is redone request by request, so
    that one bad request fails alone. What fails for the moment is tried again, on a new connection where the old one
    is lost, as long as a caller waits; since a repeat is never stored again, that is safe even when nobody knows
    whether the last commit took place. Such a retry may call an event `repeated` that it stored itself.

    `on_append` is called after a commit with the partitions that have new events. Use it as an async context
    manager: leaving it answers everything accepted.
    """

    def __init__(
        self,
        dsn: str,
        *,
        limits: Limits | None = None,
        prepare_threshold: int | None = 0,
        on_append: Callable[[frozenset[int]], object] | None = None,
    ) -> None:
        self._dsn = dsn
        self._limits = limits or Limits()
        self._prepare_threshold = prepare_threshold
        self._on_append = on_append
        self._queue: deque[_Waiting] = deque()
        self._queued_events = 0
        self._queued_bytes = 0
        self._deadlines = Deadlines(self._limits.deadline, self._too_late)
        self._arrived = asyncio.Event()
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._closed = True

    async def __aenter__(self) -> Self:
        self._closed = False
        self._flusher = asyncio.create_task(self._flush(), name="event store: shared append")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def append(self, events: Sequence[NewEvent]) -> list[Appended]:
        """Makes the events durable, all or none, and says where each stands, in their order.

        Raises UnstorableEvent, StoreBusy, StoreUnavailable.
        """
        if not events:
            return []
        return await self._accept(request_of(events))

    async def close(self) -> None:
        """Accepts nothing more, and returns when everything accepted is answered."""
        self._closed = True
        self._arrived.set()
        if self._flusher:
            await self._flusher

    def _accept(self, request: Request) -> asyncio.Future[list[Appended]]:
        if self._closed:
            raise StoreUnavailable(_CLOSED)
        limits, events = self._limits, len(request.rows)
        if events > limits.queue_events or request.size > limits.queue_bytes:
            raise UnstorableEvent(
                f"one request may hold {limits.queue_events} events and {limits.queue_bytes} bytes; split it"
            )
        if self._queued_events + events > limits.queue_events or self._queued_bytes + request.size > limits.queue_bytes:
            raise StoreBusy("too many appends are waiting for the database; try again in a moment")
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._deadlines.watch(waiting.answer)
        self._queued_events += events
        self._queued_bytes += request.size
        self._arrived.set()
        return waiting.answer

    def _too_late(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"the database did not confirm the append within {self._limits.deadline:g} s; append the same events"
            " again, and look at the log for the cause"
        )

    async def _flush(self) -> None:
        try:
            while self._queue or not self._closed:
                if self._queue:
                    await self._store(self._take())
                else:
                    self._arrived.clear()
                    await self._arrived.wait()
        finally:
            self._closed = True
            for waiting in self._queue:
                _fail(waiting, StoreUnavailable(_CLOSED))
            await self._disconnect()

    def _take(self) -> list[_Waiting]:
        """The requests that waited longest, at least one, as many as fit in a batch."""
        batch: list[_Waiting] = []
        events = size = 0
        while self._queue:
            request = self._queue[0].request
            events += len(request.rows)
            size += request.size
            if batch and (events > self._limits.batch_events or size > self._limits.batch_bytes):
                break
            batch.append(self._queue.popleft())
            self._queued_events -= len(request.rows)
            self._queued_bytes -= request.size
        return batch

    async def _store(self, batch: list[_Waiting]) -> None:
        """Answers each of the batch, if need be after many tries; gives up when no caller waits any more."""
        unclear = False
        for pause in pauses():
            batch = [waiting for waiting in batch if not waiting.answer.done()]
            if not batch:
                break
            try:
                async with asyncio.timeout(self._limits.deadline):
                    stored = await self._transaction(batch)
            except Exception as error:  # noqa: BLE001 - whatever fails, the requests behind it must be served
                found = verdict(error)
                logger.warning("append failed", reason=reason(error), verdict=found.name, requests=len(batch))
                match found:
                    case Verdict.AGAIN:
                        pass
                    case Verdict.ELSEWHERE:
                        unclear = True
                        await self._disconnect()
                    case Verdict.REFUSED | Verdict.HOPELESS:
                        await self._refuse(batch, error, found)
                        break
                    case _:
                        assert_never(found)
                await asyncio.sleep(pause)
            else:
                self._answer(batch, stored, all_new=unclear)
                break

    async def _refuse(self, batch: list[_Waiting], error: Exception, found: Verdict) -> None:
        if len(batch) > 1:
            for waiting in batch:
                await self._store([waiting])
        elif found is Verdict.REFUSED:
            _fail(batch[0], UnstorableEvent(f"the database refuses an event of this request: {reason(error)}"))
        else:
            _fail(batch[0], StoreUnavailable(f"the event store cannot be used until this is mended: {reason(error)}"))

    def _answer(self, batch: list[_Waiting], stored: list[Appended], *, all_new: bool) -> None:
        first = 0
        for waiting in batch:
            last = first + len(waiting.request.rows)
            if not waiting.answer.done():
                waiting.answer.set_result(stored[first:last])
            first = last
        self._deadlines.forget_done()
        partitions = frozenset(one.partition for one in stored if all_new or not one.repeated)
        if self._on_append and partitions:
            try:
                self._on_append(partitions)
            except Exception:
                # The events are durable and their senders answered; readers poll anyway.
                logger.exception("on_append failed")

    async def _transaction(self, batch: list[_Waiting]) -> list[Appended]:
        connection = self._connection
        if connection is None or connection.closed:
            connection = self._connection = await psycopg.AsyncConnection.connect(
                self._dsn,
                autocommit=True,
                prepare_threshold=self._prepare_threshold,
                fallback_application_name="tenure append",
            )
        cursor = connection.cursor(binary=True)
        await cursor.execute(*append_of([waiting.request for waiting in batch]))
        return [Appended(*row) for row in await cursor.fetchall()]

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()


def _fail(waiting: _Waiting, error: StoreError) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)
