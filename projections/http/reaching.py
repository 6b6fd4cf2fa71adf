"""Connecting to a host by whichever of its addresses answers."""

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any

HEAD_START = 0.25
"""Seconds that an address has before the next one is tried beside it, as RFC 8305 recommends."""

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


async def reach(host: str, port: int) -> socket.socket:
    """A socket connected to the host. Raises OSError."""
    return await first_of(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM))


async def first_of(addresses: Sequence[Address]) -> socket.socket:
    """A socket connected to one of these, as `getaddrinfo` gives them. Raises OSError, the last one's."""
    waiting, error = deque(_other_family_second(addresses)), OSError("there is no address")
    trying: set[asyncio.Task[socket.socket]] = set()
    try:
        while waiting or trying:
            if waiting:
                trying.add(asyncio.create_task(_connected(waiting.popleft())))
            patience = HEAD_START if waiting else None
            await asyncio.wait(trying, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for attempt in [each for each in trying if each.done()]:
                trying.remove(attempt)
                failed = attempt.exception()
                if failed is None:
                    return attempt.result()
                if not isinstance(failed, OSError):
                    raise failed
                error = failed
        raise error
    finally:
        for attempt in trying:
            attempt.add_done_callback(_close)
            attempt.cancel()


def _other_family_second(found: Sequence[Address]) -> Sequence[Address]:
    """Where a whole family leads nowhere, IPv6 most often, its other addresses do not either."""
    other = next((each for each in found if each[0] != found[0][0]), None)
    return found if other is None else [found[0], other, *(each for each in found[1:] if each is not other)]


async def _connected(address: Address) -> socket.socket:
    family, kind, protocol, _, where = address
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, where)
    except BaseException:
        made.close()
        raise
    return made


def _close(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
