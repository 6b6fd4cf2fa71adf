"""The database of the settings: the configured one, or the embedded server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import structlog

from service.embedded import embedded_server
from service.settings import Settings

logger = structlog.get_logger(__name__)

_PAUSE_SECONDS = 1.0
CONNECT_SECONDS = 5


class StoppedWaiting(Exception):
    """The process was told to stop before the database could be reached."""


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The connection string of the database; an embedded server runs at least as long as the context.

    Raises EmbeddedServerError.
    """
    if settings.database.url:
        yield settings.database.url
        return
    with embedded_server(settings.data_directory) as server:
        yield server.dsn()


async def wait_for_database(dsn: str, seconds: float, stop: asyncio.Event) -> None:
    """Returns when the database takes connections.

    Raises psycopg.OperationalError when it did not within those seconds, StoppedWaiting when `stop` was set before.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(dsn, connect_timeout=CONNECT_SECONDS)
        except psycopg.OperationalError as error:
            if asyncio.get_running_loop().time() + _PAUSE_SECONDS > deadline:
                raise
            logger.warning("database not reachable, trying again", reason=" ".join(str(error).split()))
        else:
            await connection.close()
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_SECONDS)
        if stop.is_set():
            raise StoppedWaiting
