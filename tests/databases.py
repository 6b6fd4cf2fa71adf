"""The PostgreSQL server that tests run on, and the databases in it.

`TEST_DATABASE` chooses: a connection string, `docker` or `embedded` (either of them or nothing), or `auto`, the
default: a container where an engine is running and has, or can quickly get, the image; else the embedded server.
"""

import gc
import os
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import docker.errors
import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config

from service.embedded import embedded_server

IMAGE = os.environ.get("TEST_POSTGRES_IMAGE", "postgres:18-alpine")
PULL_SECONDS = 90.0
ANSWER_SECONDS = 20
# Nothing outlives a test run, so nothing has to survive a crash.
UNSAFE_AND_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Server(msgspec.Struct, frozen=True):
    """A server where tests may create databases, and the reason why it was chosen."""

    maintenance_dsn: str
    chosen_because: str

    def dsn(self, database: str) -> str:
        """The connection string of one of its databases."""
        return make_conninfo(self.maintenance_dsn, dbname=database)

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """The name of a fresh database, empty or a copy of a template; dropped at the end, whoever is connected."""
        name = f"tenure_test_{uuid.uuid4().hex[:16]}"
        create = sql.SQL("create database {}").format(sql.Identifier(name))
        if template is not None:
            create += sql.SQL(" template {} strategy wal_log").format(sql.Identifier(template))
        self._execute(create)
        try:
            yield name
        finally:
            self._execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.maintenance_dsn, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def test_server(choice: str) -> Iterator[Server]:
    """The server for a whole test session, by the value of `TEST_DATABASE`."""
    if choice not in ("auto", "docker", "embedded"):
        yield Server(maintenance_dsn=choice, chosen_because="server named by TEST_DATABASE")
        return
    lacking = "TEST_DATABASE=embedded" if choice == "embedded" else _what_containers_lack(IMAGE)
    if lacking and choice == "docker":
        raise RuntimeError(
            f"TEST_DATABASE=docker, but {lacking}: mend that, or leave the choice to TEST_DATABASE=auto."
        )
    with _embedded(lacking) if lacking else _container("an engine is running and has the image") as server:
        yield server


@contextmanager
def _embedded(reason: str) -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(prefix="tenure-test-", ignore_cleanup_errors=True) as directory,
        embedded_server(Path(directory), options=UNSAFE_AND_FAST) as server,
    ):
        yield Server(maintenance_dsn=server.dsn(), chosen_because=f"embedded server ({reason})")


@contextmanager
def _container(reason: str) -> Iterator[Server]:
    # The reaper is an image of its own, which an engine without network may not have.
    testcontainers_config.ryuk_disabled = _what_containers_lack(testcontainers_config.ryuk_image) is not None
    options = " ".join(f"-c {name}={value}" for name, value in UNSAFE_AND_FAST.items())
    with PostgresContainer(IMAGE, driver=None).with_command(f"postgres {options}") as container:
        yield Server(maintenance_dsn=container.get_connection_url(), chosen_because=f"container of {IMAGE} ({reason})")


def _what_containers_lack(image: str) -> str | None:
    """Why no container of that image can be started; None when one can."""
    with warnings.catch_warnings():
        # The client leaves its socket to the garbage collector when nobody answers.
        warnings.simplefilter("ignore", ResourceWarning)
        lacking = _ask_engine(image)
        gc.collect()
    return lacking


def _ask_engine(image: str) -> str | None:
    """An engine that answers is not yet a usable one: it may have no image, and no way to get it."""
    try:
        client = docker.from_env(timeout=ANSWER_SECONDS)
    except docker.errors.DockerException:
        return "no container engine is running"
    try:
        client.ping()
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound:
            return _why_not_pulled(client, image)
    except docker.errors.APIError as error:
        return f"the container engine answers: {error.explanation or error}"
    except (docker.errors.DockerException, OSError) as error:
        return f"the container engine fails: {error}"
    finally:
        client.close()
    return None


def _why_not_pulled(client: docker.DockerClient, image: str) -> str | None:
    deadline = time.monotonic() + PULL_SECONDS
    repository, _, tag = image.rpartition(":")
    for progress in client.api.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in progress:
            return f"{image} cannot be pulled: {progress['error']}"
        if time.monotonic() > deadline:
            return f"{image} was not pulled within {PULL_SECONDS:.0f} s"
    return None
