"""Which partitions this process projects: leases in the database, which alone decides; our clock is not asked."""

from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from domain.events import PARTITIONS
from projections.tables import Tables

Connection = AsyncConnection[Any]


class Leases:
    """The partitions one owner holds, with the position up to which each is projected."""

    def __init__(self, tables: Tables, owner: str, ttl: timedelta) -> None:
        self._tables = tables
        self.owner = owner
        self.ttl = ttl
        self.held: dict[int, int] = {}
        self.lost = False
        """Whether something turned out to be another's since the last renewal; it may be free again."""

    async def renew(self, connection: Connection) -> None:
        """Renews, takes free partitions up to a fair share, and gives back what is beyond it."""
        async with connection.transaction():
            await connection.execute(self._tables["announce_owner"], {"owner": self.owner, "ttl": self.ttl})
            cursor = await connection.execute(self._tables["count_owners"])
            (owners,) = await cursor.fetchone() or (1,)
            share = -(-PARTITIONS // max(1, owners))
            cursor = await connection.execute(
                self._tables["lease_partitions"], {"owner": self.owner, "ttl": self.ttl, "share": share}
            )
            held: dict[int, int] = dict(await cursor.fetchall())
            beyond = sorted(held)[share:]
            if beyond:
                await self._release(connection, beyond)
        self.held = {partition: position for partition, position in held.items() if partition not in beyond}
        self.lost = False

    async def release(self, connection: Connection) -> None:
        """Gives everything back."""
        held, self.held = list(self.held), {}
        await self._release(connection, held)
        await connection.execute(self._tables["withdraw_owner"], {"owner": self.owner})

    def lose(self, partition: int) -> None:
        """Forgets a partition that turned out to be another's."""
        self.held.pop(partition, None)
        self.lost = True

    async def _release(self, connection: Connection, partitions: list[int]) -> None:
        arguments = {"partitions": partitions, "owner": self.owner}
        await connection.execute(self._tables["release_partitions"], arguments)
