"""The files of one database cluster: its data directory, its socket, and what its server says of itself."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from service.embedded.account import Account
from service.embedded.binaries import Binaries
from service.embedded.errors import EmbeddedServerError

INITDB_SECONDS = 120.0
LONGEST_SOCKET_DIRECTORY = 103 - len("/.s.PGSQL.5432") - 1  # bytes; macOS has the shortest limit, 104 with the NUL
INITDB_OPTIONS = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions")
SHORT_FOLDER_PREFIX = "tenure-"


class Postmaster(msgspec.Struct, frozen=True):
    """What the server wrote of itself into `postmaster.pid`; empty when there is no such file, or only part of it."""

    pid: int | None = None
    socket_directory: Path = Path()
    says_ready: bool = False

    def is_ready(self) -> bool:
        """What it wrote may be all that is left of it, so its socket has the last word."""
        if not self.says_ready:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket_directory / ".s.PGSQL.5432")) == 0


def environment(directory: Path) -> Mapping[str, str]:
    """All that PostgreSQL's programs see of the environment: the user's PG* variables would change the server."""
    # The data directory goes by variable: pg_ctl quotes an argument of its own only half.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(directory / "data")}


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])


def postmaster(directory: Path) -> Postmaster:
    """Reads `postmaster.pid`: process id, data directory, start, port, socket directory, address, key, status."""
    try:
        lines = (directory / "data" / "postmaster.pid").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return Postmaster()
    lines += [""] * (8 - len(lines))
    return Postmaster(
        pid=int(lines[0]) if lines[0].strip().isdigit() else None,
        socket_directory=Path(lines[4]),
        says_ready=lines[7].strip() == "ready",
    )


def prepare(directory: Path, binaries: Binaries, account: Account) -> None:
    """Makes the data directory if there is none, and sees that an existing one fits these programs and this account.

    Only called when no server runs on it.
    """
    data = directory / "data"
    if not data.exists():
        _initialise(directory, binaries, account)
        return
    try:
        major = (data / "PG_VERSION").read_text("ascii").strip()
    except OSError as error:
        raise EmbeddedServerError(
            f"{data} is not readable as a PostgreSQL data directory ({error.strerror}): "
            "run as its owner, or choose another directory."
        ) from error
    if major != str(binaries.major):
        raise EmbeddedServerError(
            f"{data} was made by PostgreSQL {major}, but the programs in {binaries.folder} are version "
            f"{binaries.major}: convert it with pg_upgrade, or name the folder of version {major}'s programs in "
            "TENURE_POSTGRES_BIN."
        )
    _take_over(data, account)
    _drop_stale_lock_files(directory)


def _initialise(directory: Path, binaries: Binaries, account: Account) -> None:
    # Renamed when it is complete, so that an interrupted start is not taken for a cluster.
    unfinished = directory / "data.new"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(0o700)
    _take_over(unfinished, account)
    try:
        made = account.run(
            [binaries.folder / "initdb", *INITDB_OPTIONS],
            output=subprocess.PIPE,
            timeout=INITDB_SECONDS,
            environment={**environment(directory), "PGDATA": str(unfinished)},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedServerError(f"{binaries.folder / 'initdb'} failed: {error}.") from error
    if made.returncode != 0:
        raise EmbeddedServerError(
            f"{binaries.folder / 'initdb'} could not make {unfinished}; mend what it says:\n"
            + made.stdout.decode("utf-8", "replace").strip()
        )
    unfinished.rename(directory / "data")


def _take_over(data: Path, account: Account) -> None:
    """Gives a data directory to the account, when root's way to run the server has changed since it was made."""
    owner = data.stat().st_uid
    if owner == account.uid:
        return
    if os.geteuid() != 0:
        raise EmbeddedServerError(
            f"{data} belongs to another user (uid {owner}): run as that user, or choose another directory."
        )
    for folder, _, files in os.walk(data):
        os.chown(folder, account.uid, account.gid)
        for name in files:
            os.chown(Path(folder, name), account.uid, account.gid, follow_symlinks=False)


def _drop_stale_lock_files(directory: Path) -> None:
    """Removes what a killed server left, when its number belongs to another program or to nothing but a zombie.

    A new server would take that for a living one and refuse to start. Both are usual in containers, where numbers
    are low and nobody reaps orphans.
    """
    pid = postmaster(directory).pid
    if pid is None:
        return
    try:
        program = Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0]
    except OSError:
        return
    if not program.endswith(b"postgres"):
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (directory / "data" / name).unlink(missing_ok=True)


def make_socket_directory(directory: Path, account: Account) -> Path:
    """The data directory, which is closed to others; a closed temporary folder where its path does not do."""
    remove_socket_directory(directory)
    data = directory / "data"
    # Several host names in a connection string are separated by commas.
    if len(os.fsencode(data)) <= LONGEST_SOCKET_DIRECTORY and not set(',"') & set(str(data)):
        return data
    short = Path(tempfile.mkdtemp(prefix=SHORT_FOLDER_PREFIX, dir="/tmp"))
    if os.geteuid() != account.uid:
        os.chown(short, account.uid, account.gid)
    (directory / "socket").symlink_to(short)
    return short


def remove_socket_directory(directory: Path) -> None:
    """Removes the temporary folder that was made for the socket, if one was."""
    link = directory / "socket"
    if link.is_symlink():
        shutil.rmtree(link.readlink(), ignore_errors=True)
        link.unlink()
