"""The switch to another version of the projections: one transaction, after which everybody reads the other one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from psycopg import AsyncConnection

from projections.rebuilding.mending import stand_in
from projections.tables import VERSIONS, Tables

_log = structlog.get_logger("tenure.rebuild")

_CARRIED = ("carry_pushes", "carry_doubts", "carry_wants", "carry_asked_again")
_ENDED = ("end_pushes", "end_wants", "free_partitions", "forget_owners")


class NotRead(Exception):
    """The version that was to be replaced is not the one that is read any more."""


async def switch(
    connection: AsyncConnection[Any],
    old: Tables,
    new: Tables,
    owner: str,
    *,
    caught_up: Callable[[], Awaitable[Mapping[int, int]]],
) -> None:
    """Lets `new` be read in place of `old`, with all that stands in the old rows alone; or changes nothing.

    While it lasts nobody claims or projects by the old version, so that `caught_up`, which projects by the new one and
    gives the heads of all partitions, leaves it nowhere behind. A call that is under way keeps its claim, under the
    same name, in the new version; whoever works by the old one can claim and renew nothing any more. Raises NotRead,
    psycopg.Error and what `caught_up` raises.
    """
    async with connection.transaction():
        await connection.execute("set local lock_timeout = '10s'")
        await connection.execute(VERSIONS["lock_versions"])
        await stand_in(connection, old, new)
        await connection.execute(new.comparing("lock_work", old))
        heads = await caught_up()
        arguments = {"partitions": list(heads), "heads": list(heads.values())}
        for name in (*_CARRIED, *_ENDED):
            await connection.execute(new.comparing(name, old), arguments)
        # One after the other: a second version that is read would be refused by the database.
        for name, version in (("unread_version", old.version), ("set_read", new.version)):
            flipped = await connection.execute(VERSIONS[name], {"version": version, "owner": owner})
            if flipped.rowcount != 1:
                raise NotRead(
                    "another process switched or dropped a version meanwhile: look at `tenure rebuild --list`"
                )
    _log.info("switched to other projections", before=old.version, after=new.version)
