"""The server loses its power: what was projected last may be gone, together with its checkpoint, and comes back."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from domain import facts as f
from domain.events import partition_of
from service.embedded import embedded_server, locks
from service.store.migrate import migrate
from tests.projecting import Projected, projecting
from tests.stories import FEBRUARY, JANUARY, MARCH, STREAM, activated, described, happened, line, paid, period

pytestmark = pytest.mark.anyio

FIRST = happened(JANUARY, described(line(start=JANUARY, end=FEBRUARY)), activated())
RENEWED = happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)))
ENDED = happened(MARCH, f.SubscriptionTerminated())
# Nobody else writes to the disk what the runner has not waited for.
IDLE = {"wal_writer_delay": "10s", "autovacuum": "off"}


def lose_power(directory: Path) -> None:
    """The server ends at once, and with it every process of it and what was in memory."""
    os.kill(int((directory / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    # Its other processes notice it a moment later, and answer until then.
    with locks.exclusive(directory / "running", seconds=60):
        pass


async def checkpoint(dsn: str) -> tuple[int, int, int]:
    """Where the partition's events end, up to where it is projected, and up to where its stream's row was derived."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute(
            "select head.position, lease.position, stream.position from head join projection_1.lease using (partition)"
            " join projection_1.stream using (partition) where partition = %s",
            [partition_of(STREAM)],
        )
        [places] = await cursor.fetchall()
    return places


async def project_again(projected: Projected) -> None:
    """As often as there are connections of before."""
    while True:
        try:
            return await projected.runner.project_until_idle()
        except psycopg.OperationalError:
            continue


async def test_rows_that_are_lost_in_a_crash_are_lost_with_their_checkpoint_and_projected_again(tmp_path: Path) -> None:
    with embedded_server(tmp_path, options=IDLE) as server:
        dsn = server.dsn()
        await migrate(dsn)
        async with projecting(dsn) as projected:
            await projected.take([FIRST, RENEWED])
            await projected.append([ENDED])
            await projected.runner.project_once()
            assert await checkpoint(dsn) == (3, 3, 3)
            before = await projected.rows()
            lose_power(tmp_path)
            with embedded_server(tmp_path, options=IDLE):
                assert await checkpoint(dsn) == (3, 2, 2)
                await project_again(projected)
                assert await checkpoint(dsn) == (3, 3, 3)
                assert await projected.rows() == before
