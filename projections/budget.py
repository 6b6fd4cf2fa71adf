"""How many calls an account bears, of a target or a provider: one token bucket in the database, for every process."""

import asyncio
from collections.abc import Sequence
from math import inf
from typing import Any
from zlib import crc32

import msgspec

from projections.sharing import Shared
from projections.tables import Pool, Tables
from projections.targets.errors import Paced

LONGEST_TURN = 20.0
"""Seconds that are waited for one; who has to wait longer does something else meanwhile."""
SOON = 2.0
"""Seconds; what has to wait longer for its turn is better begun later, by what is so then."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The pace one account allows: `per_second` calls sustained, `burst` at once."""

    per_second: float
    burst: int


def most_at_once(budget: Budget) -> int:
    """How many may ask for a turn at the same time, and each get one at once or SOON."""
    return max(1, budget.burst, int(budget.per_second * SOON))


async def spend(pool: Pool, tables: Tables, account: str, budget: Budget, *, at_most: float = inf) -> float:
    """Takes one token and waits until it is worth a call. Tokens may be owed, so waiting callers keep their turn.

    Where that would take longer than `at_most` seconds none is taken, and the answer is how long; else it is 0.
    """
    bucket = _bucket(account, budget)
    async with pool.connection() as connection:
        cursor = await connection.execute(tables["take_tokens"], {**bucket, "burst": float(budget.burst), "count": 1})
        (wait,) = await cursor.fetchone() or (0.0,)
        if wait > at_most:
            await connection.execute(tables["return_tokens"], {**bucket, "count": 1})
            return float(wait)
    if wait > 0:
        await asyncio.sleep(wait)
    return 0.0


class Turns:
    """The turns that this process takes at one account: all that are asked for at the same time in one statement."""

    def __init__(self, pool: Pool, tables: Tables, account: str, budget: Budget) -> None:
        self._pool = pool
        self._tables = tables
        self._account = account
        self._budget = budget
        self._waits: Shared[None, float] = Shared(self._take)

    async def take(self) -> None:
        """Takes one token and waits for it, at most LONGEST_TURN. Raises Paced, nothing taken, if that is too short."""
        wait = await self._waits(None)
        if wait > LONGEST_TURN:
            raise _paced(wait)
        if wait > 0:
            await asyncio.sleep(wait)

    async def _take(self, asked: Sequence[None]) -> list[float]:
        """How long each has to wait; tokens that are worth a call too late are given back."""
        bucket = _bucket(self._account, self._budget)
        burst, count = float(self._budget.burst), len(asked)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(self._tables["take_tokens"], {**bucket, "burst": burst, "count": count})
            (last,) = await cursor.fetchone() or (0.0,)
            waits = [max(0.0, last - behind / self._budget.per_second) for behind in reversed(range(count))]
            if late := sum(wait > LONGEST_TURN for wait in waits):
                await connection.execute(self._tables["return_tokens"], {**bucket, "count": late})
        return waits


async def take_turn(pool: Pool, tables: Tables, account: str, budget: Budget) -> None:
    """Takes one token, waiting at most LONGEST_TURN for it. Raises Paced, nothing taken, where that is too short."""
    if wait := await spend(pool, tables, account, budget, at_most=LONGEST_TURN):
        raise _paced(wait)


async def hold(pool: Pool, tables: Tables, account: str, budget: Budget, seconds: float) -> None:
    """Lets nobody call the account for so long, because it said so."""
    async with pool.connection() as connection:
        await connection.execute(tables["hold_tokens"], {**_bucket(account, budget), "seconds": seconds})


def _paced(wait: float) -> Paced:
    return Paced("turn", text=f"the account bears no further request for {wait:.0f} s", retry_after=wait)


def _bucket(account: str, budget: Budget) -> dict[str, Any]:
    return {"partition": crc32(account.encode()) & 255, "account": account, "per_second": budget.per_second}
