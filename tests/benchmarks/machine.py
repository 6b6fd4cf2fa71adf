"""What the numbers were measured on: without it they say nothing."""

import os
import platform
import shutil
import statistics
import time
from collections.abc import Collection
from pathlib import Path

import msgspec
import psycopg

from service.embedded import EmbeddedServerError
from tests.benchmarks.measuring import Size

PROBES = 50
SEGMENTS = 40
"""Of the write-ahead log, 16 MiB each: about as many as a server keeps by its own settings once they were filled."""
MEMORY_US = 10
"""A quicker flush than any disk's."""
BYTES = 3_000
"""Of disk for an event of a large store, with its indexes and what is written on the way."""
_DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    loop: str
    postgresql: str
    durability: dict[str, str]
    flush_us: float
    """Median time to write 8 KiB and have the disk confirm it, in microseconds, where the databases lie."""
    load: float
    """How many processes wanted to run in the minute before: much above 0 means that somebody else was at work."""

    @property
    def durable(self) -> bool:
        return all(self.durability[name] == "on" for name in _DURABILITY)

    @property
    def on_disk(self) -> bool:
        return self.flush_us >= MEMORY_US


def look(dsn: str, folder: Path, loop: str) -> Machine:
    """Asks the machine, the server of that connection string, and the disk of that folder."""
    load = os.getloadavg()[0]
    with psycopg.connect(dsn, autocommit=True) as connection:
        names = (*_DURABILITY, "wal_sync_method", "shared_buffers", "max_wal_size")
        shown = {name: _setting(connection, name) for name in names}
        version = _setting(connection, "server_version")
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        loop=loop,
        postgresql=version,
        durability=shown,
        flush_us=round(_flush_seconds(folder) * 1e6),
        load=round(load, 2),
    )


def room_for(names: Collection[str], size: Size, folder: Path) -> None:
    """Raises EmbeddedServerError where the disk is too small for the stores that are measured."""
    stores = {"growth": size.growth, "rebuild": (size.history,)}
    wanted = sum(BYTES * events for name in names for events in stores.get(name, ()))
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise EmbeddedServerError(
            f"{folder} has {free / 1e9:.1f} GB free, and {wanted / 1e9:.1f} GB are needed: set TMPDIR to another one."
        )


def break_in(dsn: str) -> None:
    """Gives a new server the log files that one at work has.

    Those it writes over once a checkpoint is done with them. A new one makes each anew, 16 MiB of zeros that all
    appends wait for, every few thousand events: https://www.postgresql.org/docs/18/wal-configuration.html
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        for _ in range(SEGMENTS):
            connection.execute("select pg_logical_emit_message(false, 'tenure', '')")
            connection.execute("select pg_switch_wal()")
        connection.execute("checkpoint")


def _setting(connection: psycopg.Connection[tuple[str]], name: str) -> str:
    row = connection.execute("select current_setting(%s)", [name]).fetchone()
    return row[0] if row else ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _flush_seconds(folder: Path) -> float:
    path = folder / "flush"
    flush = getattr(os, "fdatasync", os.fsync)
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(PROBES):
            started = time.perf_counter()
            file.seek(0)
            file.write(bytes(8192))
            flush(file.fileno())
            took.append(time.perf_counter() - started)
    path.unlink()
    return statistics.median(took)
