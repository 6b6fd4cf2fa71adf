"""What a target's account still lets us send: one token bucket in the database, shared by every process."""

import asyncio
from typing import Any
from zlib import crc32

import msgspec

from projections.tables import Pool, Tables


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The pace one account allows: `per_second` calls sustained, `burst` at once."""

    per_second: float
    burst: int


async def spend(pool: Pool, tables: Tables, target: str, budget: Budget) -> None:
    """Takes one token and waits until it is worth a call. Tokens may be owed, so waiting callers keep their turn."""
    arguments = {**_account(target, budget), "burst": float(budget.burst)}
    async with pool.connection() as connection:
        cursor = await connection.execute(tables["take_token"], arguments)
        (wait,) = await cursor.fetchone() or (0.0,)
    if wait > 0:
        await asyncio.sleep(wait)


async def hold(pool: Pool, tables: Tables, target: str, budget: Budget, seconds: float) -> None:
    """Lets nobody call the account for so long, because it said so."""
    async with pool.connection() as connection:
        await connection.execute(tables["hold_tokens"], {**_account(target, budget), "seconds": seconds})


def _account(target: str, budget: Budget) -> dict[str, Any]:
    return {"partition": crc32(target.encode()) & 255, "target": target, "per_second": budget.per_second}
