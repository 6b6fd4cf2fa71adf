"""One statement for all who ask at the same time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

MOST = 100


class Shared(Generic[Asked, Answered]):
    """Answers many at once: takes whoever waits, up to MOST, and while they are answered others gather.

    There is no timer, so who asks alone is not delayed. `answer` gives an answer to each that asked, in their order.
    When it raises it is asked again for each alone, for one of them may be why; so asking twice must do no harm.
    """

    def __init__(self, answer: Callable[[Sequence[Asked]], Awaitable[Sequence[Answered]]]) -> None:
        self._answer = answer
        self._waiting: deque[tuple[Asked, asyncio.Future[Answered]]] = deque()
        self._answering: asyncio.Task[None] | None = None

    async def __call__(self, asked: Asked) -> Answered:
        """The answer. Raises what `answer` raises."""
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        taken: list[tuple[Asked, asyncio.Future[Answered]]] = []
        try:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
                await self._answer_these(taken)
        finally:
            # Only where this task was cancelled does anybody wait still.
            self._answering = None
            for _, future in (*taken, *self._waiting):
                future.cancel()
            self._waiting.clear()

    async def _answer_these(self, taken: Sequence[tuple[Asked, asyncio.Future[Answered]]]) -> None:
        try:
            answers = await self._answer([asked for asked, _ in taken])
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked
            if len(taken) > 1:
                for each in taken:
                    await self._answer_these([each])
            elif not (future := taken[0][1]).done():
                future.set_exception(error)
        else:
            for (_, future), answer in zip(taken, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
