"""The processes that load a version: each folds whole partitions, with two connections and an event loop of its own."""

import asyncio
import gc
import multiprocessing
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection, Connection

from domain.events import Stream
from domain.history import TRANSLATED
from domain.receipts import RELAYED
from projections.rebuilding.loading import Derivation, Loaded, load_partition
from projections.tables import Tables
from service.store.bulk import read_streams, whole_copies

Opens = Callable[[], AbstractAsyncContextManager[Derivation]]
"""Gives what rows follow from besides events, in whatever process it is called."""


class Site(msgspec.Struct, frozen=True):
    """Where something is loaded into, and what the rows follow from."""

    dsn: str
    version: int
    opens: Opens


class _Worker:
    """What a process, or the one thread, keeps between its tasks."""

    def __init__(self, site: Site) -> None:
        self.tables = Tables(site.version)
        self._loop = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.reading: Connection[Any] = psycopg.connect(site.dsn, **_CONNECTION)
        self.derivation, self.writing = self._loop.run(self._open(site))

    async def _open(self, site: Site) -> tuple[Derivation, AsyncConnection[Any]]:
        derivation = await self._stack.enter_async_context(site.opens())
        writing = await AsyncConnection.connect(site.dsn, **_CONNECTION)
        await self._stack.enter_async_context(writing)
        # What a crash of the server takes back goes with its checkpoint, and is loaded again.
        await writing.execute("set synchronous_commit = off")
        return derivation, writing

    def load(self, partition: int, upto: int) -> Loaded:
        streams = read_streams(self.reading, partition, upto)
        return self._loop.run(load_partition(self.writing, self.tables, partition, upto, streams, self.derivation))

    def settle(self, partition: int) -> None:
        self._loop.run(self._settle(partition))

    async def _settle(self, partition: int) -> None:
        cursor = await self.writing.execute(self.tables["due_links_of_partition"], {"partition": partition})
        links: list[tuple[Stream, Stream]] = await cursor.fetchall()
        if not links:
            return
        whole = whole_copies(self.reading, links, origins=TRANSLATED, types=RELAYED)
        names = ("from_streams", "to_streams", "positions")
        columns = dict(zip(names, map(list, zip(*whole, strict=True)), strict=True)) if whole else {}
        if columns:
            await self.writing.execute(self.tables["settle_links"], {"partition": partition, **columns})

    def close(self) -> None:
        self._loop.run(self._stack.aclose())
        self._loop.close()
        self.reading.close()


_CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "prepare_threshold": None,
    "fallback_application_name": "tenure rebuild",
}
_workers: dict[int, _Worker] = {}
"""That of each thread."""


def _begin(site: Site) -> None:
    _workers[threading.get_ident()] = _Worker(site)


def _begin_process(site: Site) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _begin(site)
    # Folding makes millions of values and next to no cycles among them: what it leaves is collected by partition.
    gc.collect()
    gc.freeze()
    gc.disable()


def _end_with_parent() -> None:
    """A parent that was killed waits for no result."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _load(partition: int, upto: int) -> Loaded:
    loaded = _workers[threading.get_ident()].load(partition, upto)
    if not gc.isenabled():
        gc.collect()
    return loaded


def _settle(partition: int) -> None:
    _workers[threading.get_ident()].settle(partition)


def _close() -> None:
    _workers.pop(threading.get_ident()).close()


class Crew:
    """So many processes; or one thread of this process, which needs nothing that can be sent to another one."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    @classmethod
    @asynccontextmanager
    async def open(cls, site: Site, processes: int) -> AsyncIterator["Crew"]:
        """Raises psycopg.OperationalError where the database cannot be reached."""
        executor: Executor
        if processes < 2:
            executor = ThreadPoolExecutor(1)
            await asyncio.get_running_loop().run_in_executor(executor, _begin, site)
        else:
            # Not forked: a child must not share this process's connections to the database.
            context = multiprocessing.get_context("spawn")
            executor = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin_process, initargs=(site,))
        try:
            yield cls(executor)
        finally:
            if isinstance(executor, ThreadPoolExecutor):
                executor.submit(_close)
            await asyncio.to_thread(executor.shutdown, cancel_futures=not isinstance(executor, ThreadPoolExecutor))

    async def load(self, partitions: Sequence[tuple[int, int]]) -> AsyncIterator[Loaded]:
        """Loads each partition up to its position; tells of each when it is done. Raises psycopg.Error."""
        loop = asyncio.get_running_loop()
        begun = [loop.run_in_executor(self._executor, _load, *each) for each in partitions]
        try:
            for done in asyncio.as_completed(begun):
                yield await done
        finally:
            await _called_off(begun)

    async def settle(self, partitions: Sequence[int]) -> None:
        """Notes of the links of each partition which have nothing to relay. Raises psycopg.Error."""
        loop = asyncio.get_running_loop()
        begun = [loop.run_in_executor(self._executor, _settle, each) for each in partitions]
        try:
            for done in asyncio.as_completed(begun):
                await done
        finally:
            await _called_off(begun)


async def _called_off(begun: Sequence["asyncio.Future[Any]"]) -> None:
    """What has not begun yet is not begun."""
    for each in begun:
        each.cancel()
    await asyncio.gather(*begun, return_exceptions=True)


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
