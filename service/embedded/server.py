"""Starts, shares and stops the embedded server.

A directory holds `data` (PostgreSQL's own), `server.log` and three lock files:

- `mutex`   held while somebody decides whether to start or stop;
- `users`   shared by every process that uses the server, taken alone by the last one out;
- `running` inherited by the server itself: free means that no process of it is left.

Kernel locks vanish with their process, so nobody's death leaves a wrong record behind.
"""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import msgspec
from psycopg.conninfo import make_conninfo

from service.embedded import cluster, locks
from service.embedded.account import Account, server_account
from service.embedded.binaries import find_binaries
from service.embedded.errors import EmbeddedServerError

START_SECONDS = 120.0
FAST_STOP_SECONDS = 60.0
FORCED_STOP_SECONDS = 10.0
DEFAULTS: Mapping[str, str] = MappingProxyType({})


class EmbeddedServer(msgspec.Struct, frozen=True):
    """A running server that the holder of the context may use."""

    directory: Path
    socket_directory: Path

    def dsn(self, database: str = "postgres") -> str:
        """The connection string (keyword form) of a database, as superuser; whoever reaches the socket is trusted."""
        return make_conninfo(host=str(self.socket_directory), port=5432, user="postgres", dbname=database)


@contextmanager
def embedded_server(directory: Path, *, options: Mapping[str, str] = DEFAULTS) -> Iterator[EmbeddedServer]:
    """A PostgreSQL server on `directory`, started if nobody has, and stopped by its last user.

    `options` are settings (`-c name=value`) for a server that this call starts; one that runs keeps its own.
    A user that is killed leaves the server up, and the next one to leave stops it.
    Raises `EmbeddedServerError` with the remedy.
    """
    directory = directory.absolute()
    _make(directory)
    mutex = directory / "mutex"
    with locks.opened(directory / "users") as users:
        with locks.exclusive(mutex, seconds=2 * START_SECONDS):
            locks.share(users)
            _start_unless_running(directory, options)
            server = EmbeddedServer(
                directory=directory, socket_directory=cluster.postmaster(directory).socket_directory
            )
        try:
            yield server
        finally:
            with locks.exclusive(mutex, seconds=2 * START_SECONDS):
                if locks.try_exclusive(users):
                    _stop(directory)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "mutex").touch(0o600)
    except OSError as error:
        raise EmbeddedServerError(
            f"The embedded server's directory {directory} cannot be written ({error.strerror}): "
            "choose another, or run as its owner."
        ) from error


def _start_unless_running(directory: Path, options: Mapping[str, str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with locks.opened(directory / "running") as running:
            if locks.try_exclusive(running):
                _start(directory, options, running)
                return
        if cluster.postmaster(directory).is_ready():
            return
        # Its starter or its stopper was killed half-way: it will soon be ready or gone.
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"The server of {directory} is neither ready nor gone after {START_SECONDS:.0f} s: "
                f"look at {directory / 'server.log'}."
            )
        time.sleep(locks.POLL_SECONDS)


def _start(directory: Path, options: Mapping[str, str], running: int) -> None:
    binaries = find_binaries()
    account = server_account(binaries.folder, directory)
    cluster.prepare(directory, binaries, account)
    sockets = cluster.make_socket_directory(directory, account)
    settings = {"listen_addresses": "", "port": "5432", "unix_socket_directories": f'"{sockets}"', **options}
    # pg_ctl hands these to a shell.
    arguments = " ".join(shlex.quote(word) for name, value in settings.items() for word in ("-c", f"{name}={value}"))
    _launch(directory, account, binaries.folder, arguments, running)


def _launch(directory: Path, account: Account, folder: Path, arguments: str, running: int) -> None:
    log = directory / "server.log"
    command: list[str | Path] = [
        folder / "pg_ctl",
        "start",
        "--wait",
        f"--timeout={START_SECONDS:.0f}",
        "-o",
        arguments,
    ]
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        try:
            started = account.run(
                command,
                output=output,
                timeout=START_SECONDS + 10,
                environment=cluster.environment(directory),
                keep_open=[running],
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedServerError(f"PostgreSQL did not start: {error}. Its log is {log}.") from error
    if started.returncode != 0:
        raise EmbeddedServerError(
            f"PostgreSQL did not start. Mend what its log {log} says, which ends:\n{cluster.tail(log)}"
        )


def _stop(directory: Path) -> None:
    with locks.opened(directory / "running") as running:
        for sign, seconds in ((signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, FORCED_STOP_SECONDS)):
            if locks.try_exclusive(running) or _signalled_to_death(directory, running, sign, seconds):
                cluster.remove_socket_directory(directory)
                return
    raise EmbeddedServerError(
        f"The server of {directory} does not stop: end process {cluster.postmaster(directory).pid} by hand."
    )


def _signalled_to_death(directory: Path, running: int, sign: signal.Signals, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    # The lock says that it runs, so the number in its file is not some other process.
    pid = cluster.postmaster(directory).pid
    if pid is not None:
        # Where only its children are left, they notice within moments, and end themselves.
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
    while not locks.try_exclusive(running):
        if time.monotonic() > deadline:
            return False
        time.sleep(locks.POLL_SECONDS)
    return True
