"""`tenure serve`: the long-running process."""

import asyncio
import ipaddress
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from service.background import Background
from service.bootstrap import wired
from service.commands.failures import PART_FAILED, UNAVAILABLE, CommandFailed, usage
from service.commands.loops import loop_factory, settled
from service.database import StoppedWaiting, database, wait_for_database
from service.logging import set_up_logging
from service.serving import PartFailed, bound, orders_to_stop, serve_until_stopped, stop_signals
from service.settings import PARTS, Part, Server, Settings, load, require


def serve(config: Path | None, only: Sequence[Part], host: str | None, port: int | None, *, no_auth: bool) -> None:
    """Runs until SIGTERM, SIGINT, or SIGHUP where that is not ignored."""
    settings = load(config, os.environ)
    parts = tuple(only) or PARTS
    require(settings, parts)
    server = _overridden(settings.server, host, port)
    if no_auth and not _is_loopback(server.host):
        raise usage(f"--no-auth is for loopback addresses, which {server.host} is not: configure tokens instead.")
    set_up_logging(server.log_level.upper())
    # Until the loop takes over, a polite kill ends as Ctrl-C does: with an embedded server stopped.
    for number in orders_to_stop():
        signal.signal(number, signal.default_int_handler)
    try:
        with _listener(server) as listener, database(settings) as dsn:
            own, apart = divided(parts)
            background = Background(apart, dsn, config) if apart else None
            _run(settings, server, dsn, own, background, listener, open_to_all=no_auth)
    except PartFailed as failed:
        raise CommandFailed(PART_FAILED, str(failed)) from None


def divided(parts: Sequence[Part]) -> tuple[Sequence[Part], Sequence[Part]]:
    """What runs in this process, and what in one behind it: who answers webhooks does nothing else."""
    if "receiver" not in parts:
        return parts, ()
    return ("receiver",), tuple(part for part in parts if part != "receiver")


def _run(
    settings: Settings,
    server: Server,
    dsn: str,
    parts: Sequence[Part],
    background: Background | None,
    listener: socket.socket,
    *,
    open_to_all: bool,
) -> None:
    async def main() -> None:
        with stop_signals() as stop:
            try:
                await wait_for_database(dsn, settings.database.start_timeout_seconds, stop)
            except StoppedWaiting:
                return
            async with wired(settings, dsn, parts, background=background, open_to_all=open_to_all) as process:
                settled()
                await serve_until_stopped(process, server, listener, stop)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())


def _overridden(server: Server, host: str | None, port: int | None) -> Server:
    changes = {"host": host, "port": port}
    return msgspec.structs.replace(server, **{name: value for name, value in changes.items() if value is not None})


def _listener(server: Server) -> socket.socket:
    try:
        return bound(server.host, server.port)
    except OSError as error:
        where = f"{server.host} port {server.port}"
        remedy = "choose another with --host or --port"
        raise CommandFailed(UNAVAILABLE, f"Cannot listen on {where} ({error.strerror}): {remedy}.") from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
