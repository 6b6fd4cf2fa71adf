"""The database of the settings: the configured one, or the embedded server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from service.embedded import embedded_server
from service.settings import Settings, SettingsInvalid
from service.tables import Finding

logger = structlog.get_logger(__name__)

_PAUSE_SECONDS = 1.0
CONNECT_SECONDS = 5

NOTICED = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""By which a server that vanished without a word is noticed within half a minute, not after hours."""


class StoppedWaiting(Exception):
    """The process was told to stop before the database could be reached."""


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The connection string of the database; an embedded server runs at least as long as the context.

    Raises SettingsInvalid and EmbeddedServerError.
    """
    if settings.database.url:
        yield _completed(settings.database.url)
        return
    with embedded_server(settings.data_directory) as server:
        yield server.dsn()


def _completed(url: str) -> str:
    """The configured connection string with NOTICED, where it does not decide that itself."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The driver's words quote the string, password and all.
        remedy = "Write postgresql://USER@HOST/NAME, there or in TENURE_DATABASE_URL."
        raise SettingsInvalid([Finding("[database] url", "is no connection string", remedy)]) from None
    return make_conninfo(url, **{name: value for name, value in NOTICED.items() if name not in given})


async def wait_for_database(dsn: str, seconds: float, stop: asyncio.Event) -> None:
    """Returns when the database takes connections.

    Raises psycopg.OperationalError when it did not within those seconds, StoppedWaiting when `stop` was set before.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(dsn)
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
