"""How many calls an account bears, of a target or a provider: one token bucket in the database, for every process."""

import asyncio
from math import inf
from typing import Any
from zlib import crc32

import msgspec

from projections.tables import Pool, Tables
from projections.targets.errors import Paced

LONGEST_TURN = 20.0
"""Seconds that are waited for one; who has to wait longer does something else meanwhile."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The pace one account allows: `per_second` calls sustained, `burst` at once."""

    per_second: float
    burst: int


async def spend(pool: Pool, tables: Tables, account: str, budget: Budget, *, at_most: float = inf) -> float:
    """Takes one token and waits until it is worth a call. Tokens may be owed, so waiting callers keep their turn.

    Where that would take longer than `at_most` seconds none is taken, and the answer is how long; else it is 0.
    """
    bucket = _bucket(account, budget)
    async with pool.connection() as connection:
        cursor = await connection.execute(tables["take_token"], {**bucket, "burst": float(budget.burst)})
        (wait,) = await cursor.fetchone() or (0.0,)
        if wait > at_most:
            await connection.execute(tables["return_token"], bucket)
            return float(wait)
    if wait > 0:
        await asyncio.sleep(wait)
    return 0.0


async def take_turn(pool: Pool, tables: Tables, account: str, budget: Budget) -> None:
    """Takes one token, waiting at most LONGEST_TURN for it. Raises Paced, nothing taken, where that is too short."""
    if wait := await spend(pool, tables, account, budget, at_most=LONGEST_TURN):
        raise Paced("turn", text=f"the account bears no further request for {wait:.0f} s", retry_after=wait)


async def hold(pool: Pool, tables: Tables, account: str, budget: Budget, seconds: float) -> None:
    """Lets nobody call the account for so long, because it said so."""
    async with pool.connection() as connection:
        await connection.execute(tables["hold_tokens"], {**_bucket(account, budget), "seconds": seconds})


def _bucket(account: str, budget: Budget) -> dict[str, Any]:
    return {"partition": crc32(account.encode()) & 255, "account": account, "per_second": budget.per_second}
