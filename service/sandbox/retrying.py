"""Sends things over HTTP as providers do: each tried again until it was taken, or often enough."""

from asyncio import Semaphore, TaskGroup
from collections.abc import Awaitable, Callable


async def settle(
    count: int,
    attempt: Callable[[int], Awaitable[bool]],
    *,
    backoff: Callable[[int], Awaitable[None]],
    attempts: int = 5,
    concurrency: int = 1,
) -> list[int]:
    """Settles the places 0 to `count` (exclusive) and gives those, ascending, that were taken.

    `attempt(place)` tells whether it was taken. What was not is tried again, at most `attempts` times in all; before
    each further attempt `backoff(number of the attempt that failed, from 1)` is awaited. With `concurrency` 1 each is
    settled before the next begins. What `attempt` raises is raised.
    """
    if attempts < 1 or concurrency < 1:
        raise ValueError("attempts and concurrency must be at least 1")
    slots = Semaphore(concurrency)
    taken: list[int] = []

    async def settle_one(place: int) -> None:
        async with slots:
            for number in range(1, attempts + 1):
                if await attempt(place):
                    taken.append(place)
                    return
                if number < attempts:
                    await backoff(number)

    async with TaskGroup() as tasks:
        for place in range(count):
            tasks.create_task(settle_one(place))
    return sorted(taken)
