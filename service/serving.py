"""Runs a process until it is told to stop or one of its parts fails."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager

import structlog
import uvicorn

from service.app import create_app
from service.process import Process, Work
from service.settings import PARTS, Server
from service.sockets import Connection

logger = structlog.get_logger(__name__)

BACKLOG = 2048
GRACE = 2.0
"""Seconds more than what is waited for gives itself."""


class PartFailed(Exception):
    """A part of the process ended although nobody had asked it to; the supervisor should start the process again."""


class _Http(uvicorn.Server):
    """uvicorn without its signal handlers: the process decides when to stop, and exits with 0 when it did."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()


def orders_to_stop() -> tuple[signal.Signals, ...]:
    """The signals that end a process in good order. A closed terminal is none where `nohup` started it."""
    terminal = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, signal.SIGINT, *terminal)


@contextlib.contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that those set, for the current task and loop."""
    loop, stop, numbers = asyncio.get_running_loop(), asyncio.Event(), orders_to_stop()
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def bound(host: str, port: int) -> socket.socket:
    """A listening socket: who connects waits until it is served. Raises OSError when the address is taken.

    A socket that only has its address would let a second process have it too, and find out too late.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sets TCP_NODELAY; without, each answer waits 40 ms for more to send.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve_until_stopped(process: Process, settings: Server, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answers HTTP on `listener` and runs the background work until `stop` is set; closes the listener.

    On a stop nothing new is accepted and what was begun is answered, then the background work is asked to end; each
    step may take `stop_timeout_seconds`. Raises PartFailed.
    """
    server = _Http(_config(process, settings))
    stop_work = asyncio.Event()
    http = asyncio.create_task(server.serve([listener]), name="http")
    parts = {http, *_begun(process, stop_work)}
    # From here on connections are taken, if only by the kernel until uvicorn has started.
    listener.listen(BACKLOG)
    receiving = {"receiver"} if process.receiver else set()
    logger.info("listening", url=url_of(listener), parts=sorted((process.checks.keys() | receiving) & set(PARTS)))
    failed = await _ended_before(stop, parts)
    logger.info("stopping")
    server.should_exit = True
    # uvicorn bounds its own stop; this is for the case that it does not.
    await _end({http}, settings.stop_timeout_seconds + GRACE)
    stop_work.set()
    # Longer than a process behind gives its own parts.
    await _end(parts, settings.stop_timeout_seconds + GRACE)
    if failed:
        raise PartFailed(failed)
    logger.info("stopped")


async def work_until_stopped(process: Process, settings: Server, stop: asyncio.Event) -> None:
    """Runs the background work until `stop` is set, in a process that answers nobody. Raises PartFailed."""
    stop_work = asyncio.Event()
    parts = _begun(process, stop_work)
    failed = await _ended_before(stop, parts)
    stop_work.set()
    await _end(parts, settings.stop_timeout_seconds)
    if failed:
        raise PartFailed(failed)


def _begun(process: Process, stop: asyncio.Event) -> set["asyncio.Task[None]"]:
    process.running.update(
        (name, asyncio.create_task(_run(work, stop), name=name)) for name, work in process.work.items()
    )
    return set(process.running.values())


async def _run(work: Work, stop: asyncio.Event) -> None:
    await work(stop)


async def _ended_before(stop: asyncio.Event, parts: Collection["asyncio.Task[None]"]) -> str:
    """Waits for the stop, or for a part that ends unasked: says which did, or nothing."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({*parts, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    failed = [part for part in parts if part.done()]
    for part in failed:
        logger.error("part ended unasked", part=part.get_name(), exc_info=part.exception())
    return f"Ended unasked: {', '.join(sorted(part.get_name() for part in failed))}. See the log." if failed else ""


def _config(process: Process, settings: Server) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(process),
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        limit_concurrency=settings.concurrency_limit,
        timeout_graceful_shutdown=max(1, int(settings.stop_timeout_seconds)),
    )


async def _end(parts: Collection["asyncio.Task[None]"], seconds: float) -> None:
    _, late = await asyncio.wait(parts, timeout=seconds)
    for part in late:
        logger.error("part did not stop in time", part=part.get_name(), seconds=seconds)
        part.cancel()
    if late:
        await asyncio.wait(late, timeout=1)
