"""How commands reach the database: opened for one question or request, and closed again."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import psycopg

from service.bootstrap import reading
from service.database import database
from service.logging import set_up_logging
from service.lookup import Reader
from service.settings import load

T = TypeVar("T")


def ask(config: Path | None, question: Callable[[Reader], Awaitable[T]]) -> T:
    """What the question finds in the configured database. Raises what `failures.explain` understands."""
    settings = load(config, os.environ)
    set_up_logging("ERROR")

    async def answer(dsn: str) -> T:
        # Says at once, and better than the pool, why there is no connection.
        connection = await psycopg.AsyncConnection.connect(dsn)
        await connection.close()
        async with reading(settings, dsn) as reader:
            return await question(reader)

    with database(settings) as dsn:
        return asyncio.run(answer(dsn))
