"""Behind a pooler that hands out a server per transaction, nothing may be prepared on a connection."""

import msgspec
import pytest

from service.bootstrap import wired
from service.settings import Database
from tests.serving import settings
from tests.shop import STORY, as_event

pytestmark = pytest.mark.anyio

TIMES = 8
"""The driver prepares what it has seen five times."""
COUNT = "select count(*) from pg_prepared_statements"


@pytest.mark.parametrize("prepared", [False, True])
async def test_the_setting_reaches_every_connection(database: str, prepared: bool) -> None:
    configured = msgspec.structs.replace(
        settings(database), database=Database(url=database, prepared_statements=prepared, connections=2)
    )
    async with wired(configured, database, ["receiver"]) as process:
        reader = process.reader
        for _ in range(TIMES):
            await reader.log.append([as_event(STORY[0])])
            await reader.log.heads(range(256))
            await reader.queries.positions()
        counts = []
        for pool in (reader.queries._pool, reader.log._pool):  # type: ignore[attr-defined]
            async with pool.connection() as connection:
                counts.append(await (await connection.execute(COUNT, prepare=False)).fetchone())
        connection = reader.log._shared._connection  # type: ignore[attr-defined]
        counts.append(await (await connection.execute(COUNT, prepare=False)).fetchone())
        assert [count[0] > 0 for count in counts if count] == [prepared] * 3
