"""`python -m tests.wrong_clock DSN SECONDS OWNER`: a process that projects with a clock that is wrong by so much.

Only the clock that Python tells is moved, in all of our modules: what is compared in the database is its own.
"""

import asyncio
import sys
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any, Self

from domain.policy import Policy
from tests.projecting import projecting

POLICY = Policy(past_due_days=14)
OURS = ("domain", "projections", "service")


class _Clock(type):
    """Lets a date that others made pass as one of the moved class."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


def move(seconds: float) -> None:
    """Moves the clock of this process."""

    class Moved(datetime, metaclass=_Clock):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            moved: Any = datetime.now(tz) + timedelta(seconds=seconds)
            return moved  # type: ignore[no-any-return]

    right = time.time
    time.time = lambda: right() + seconds
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in OURS and getattr(module, "datetime", None) is datetime:
            module.datetime = Moved  # type: ignore[attr-defined]


async def project(dsn: str, owner: str) -> None:
    async with projecting(dsn, policy=POLICY, owner=owner) as projected:
        print("ready", flush=True)
        await projected.runner.run(asyncio.Event())


if __name__ == "__main__":
    move(float(sys.argv[2]))
    asyncio.run(project(sys.argv[1], sys.argv[3]))
