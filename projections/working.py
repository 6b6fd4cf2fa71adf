"""The loop of a part that claims work in the database and does several pieces of it at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

C = TypeVar("C")


async def work_off(
    stop: asyncio.Event,
    woken: asyncio.Event,
    *,
    claim: Callable[[int], Awaitable[Sequence[C] | None]],
    work: Callable[[C], Awaitable[None]],
    concurrency: int,
    poll: float,
) -> None:
    """Claims and works until `stop` is set; what was begun is finished first.

    `claim` is given how many pieces may be begun and answers None when it cannot be done now; `work` raises nothing.
    """
    working: set[asyncio.Task[None]] = set()
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            woken.clear()
            room = concurrency - len(working)
            claims = await claim(room) if room else []
            if claims is None:
                await asyncio.wait({stopping}, timeout=poll)
                continue
            working |= {asyncio.create_task(_done(work, each)) for each in claims}
            waking = asyncio.ensure_future(woken.wait())
            await asyncio.wait({stopping, waking, *working}, timeout=poll, return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()
            working = {task for task in working if not task.done()}
    finally:
        stopping.cancel()
        if working:
            await asyncio.wait(working)


async def _done(work: Callable[[C], Awaitable[None]], claim: C) -> None:
    await work(claim)
