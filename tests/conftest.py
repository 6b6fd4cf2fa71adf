"""What every test may ask for: a real PostgreSQL server, and a database of its own in it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any, NoReturn

import pytest

from tests.databases import Server, test_server

DATABASE_LINES: pytest.StashKey[set[str]] = pytest.StashKey()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """The session's server; `.dsn(database)` names a database on it."""
    with test_server(os.environ.get("TEST_DATABASE", "auto")) as server:
        pytestconfig.stash[DATABASE_LINES].add(server.chosen_because)
        yield server


@pytest.fixture
def empty_database(server: Server) -> Iterator[str]:
    """The connection string of a fresh database with nothing in it."""
    with server.database() as name:
        yield server.dsn(name)


@pytest.fixture
def database(server: Server, migrated_template: str) -> Iterator[str]:
    """The connection string of a fresh database with Tenure's schema."""
    with server.database(template=migrated_template) as name:
        yield server.dsn(name)


@pytest.fixture(scope="session")
def migrated_template(server: Server) -> Iterator[str]:
    """The name of a database that was migrated once, for `database` to copy."""
    from service.store.migrate import migrate

    with server.database() as name:
        # In a thread of its own: the tests' event loop belongs to anyio.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, migrate(server.dsn(name))).result()
        yield name


def pytest_configure(config: pytest.Config) -> None:
    config.stash[DATABASE_LINES] = set()
    signal.signal(signal.SIGTERM, _leave)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Ends the session as Ctrl-C does, so that no server stays behind."""
    raise KeyboardInterrupt


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        lines: set[str] = session.config.stash[DATABASE_LINES]
        session.config.workeroutput["database_lines"] = sorted(lines)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[DATABASE_LINES].update(getattr(node, "workeroutput", {}).get("database_lines", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines: set[str] = config.stash[DATABASE_LINES]
    for line in sorted(lines):
        terminalreporter.write_line(f"PostgreSQL of the tests: {line}")
