"""The baseline of everything that stores: pgbench, PostgreSQL's own load generator, one row per transaction.

It ships with the embedded server. Its client is C, it sends the same row, and it does nothing else.
"""

import asyncio
import os
import re
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import psycopg

from service.embedded.binaries import find_binaries
from service.embedded.errors import EmbeddedServerError
from tests.benchmarks.processor import ServerTime
from tests.benchmarks.workload import STREAMS, events_of, webhook

CLIENTS = 8
BASELINE = f"pgbench, one row per transaction, {CLIENTS} clients"
BASELINE_CPU = "processor time of a row by pgbench"
LONE_INSERT = "pgbench, one client: one row made durable"
PAUSED_INSERT = "the same with pauses, as lone webhooks have them"
SECONDS = 120

# The columns, keys, checks and compression of `event`; only the position comes from a sequence, so nobody waits.
_TABLE = (
    b"create table single_event (like event including all)",
    b"alter table single_event alter position add generated always as identity",
)

# Variables are sent as parameters, the body too: its bytes cross the wire each time.
_SCRIPT = f"""\
\\set number random(1, 9000000000000000000)
\\set stream :number % {STREAMS}
\\set slice :stream % 256
insert into single_event (partition, stream, event_id, item, type, origin, cause, occurred_at, received_at, headers,
                          content_type, body, digest)
values (:slice, 'shop/subscription/sub_' || :stream, 'evt_' || :number, '', :type, 'webhook', '', :occurred, :received,
        :headers, 'application/json; charset=utf-8', :body, :digest)
on conflict on constraint single_event_partition_stream_event_id_key do nothing
"""


class Inserted(msgspec.Struct, frozen=True):
    """What a run of pgbench came to; CPU, its own and the server's, in microseconds a row (0: cannot be known here)."""

    rate: float
    cpu_us: float
    median_ms: float
    """Of one transaction."""


class PgBench:
    """Inserts rows into a table of its own beside `event`."""

    def __init__(self, program: Path, dsn: str, folder: Path, server: ServerTime) -> None:
        self._program = program
        self._dsn = dsn
        self._folder = folder
        self._server = server
        self.last = Inserted(0, 0, 0)

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, folder: Path) -> AsyncIterator["PgBench"]:
        """On a database that has Tenure's schema, and no such table yet.

        Raises EmbeddedServerError where there is no pgbench.
        """
        program = find_binaries().folder / "pgbench"
        if not os.access(program, os.X_OK):
            raise EmbeddedServerError(
                f"There is no pgbench in {program.parent}, and nothing else is a fair baseline: install it (Debian: "
                "apt-get install postgresql), or name a folder that has it in TENURE_POSTGRES_BIN."
            )
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in _TABLE:
                connection.execute(statement)
            server = ServerTime.of(connection)
        (folder / "insert.sql").write_text(_SCRIPT, encoding="utf-8")
        yield cls(program, dsn, folder, server)

    async def insert(self, rows: int, clients: int = CLIENTS, pause: float = 0) -> Inserted:
        """Inserts about so many rows, with so many seconds between two on average.

        Raises RuntimeError with what pgbench says where it fails.
        """
        before, own = self._server.seconds(), _children_seconds()
        each = max(1, rows // clients)
        said = await self._run(each, clients, [f"--rate={clients / pause}"] if pause else [])
        used = self._server.seconds() - before + _children_seconds() - own
        rate = re.search(r"tps = ([0-9.]+)", said)
        if rate is None:
            raise RuntimeError(f"pgbench does not say its rate: {said}")
        self.last = Inserted(float(rate[1]), used / (each * clients) * 1e6, self._median_ms())
        return self.last

    async def _run(self, each: int, clients: int, pace: Sequence[str]) -> str:
        program = await asyncio.create_subprocess_exec(
            self._program,
            *(
                "--no-vacuum",
                "--protocol=prepared",
                "--random-seed=rand",
                f"--client={clients}",
                f"--transactions={each}",
            ),
            *pace,
            *("--log", f"--log-prefix={self._folder / 'transactions'}", f"--file={self._folder / 'insert.sql'}"),
            *(f"--define={name}={value}" for name, value in _row().items()),
            self._dsn,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(SECONDS):
                said, _ = await program.communicate()
        finally:
            if program.returncode is None:
                program.kill()
                await program.wait()
        text = said.decode(errors="replace")
        if program.returncode:
            raise RuntimeError(f"pgbench ended with {program.returncode}: {text[-1000:]}")
        return text

    def _median_ms(self) -> float:
        took = []
        for log in self._folder.glob("transactions.*"):
            for line in log.read_text(encoding="ascii").splitlines():
                # Where it is paced, the time counts from when it was due, and the last column is how late it began.
                _, _, time, _, _, _, *late = map(int, line.split())
                took.append(time - sum(late))
            log.unlink()
        return statistics.median(took) / 1000


def _row() -> dict[str, str]:
    """What is the same in every row."""
    [event] = events_of(webhook(0))
    return {
        "type": event.type,
        "occurred": event.occurred_at.isoformat(),
        "received": event.received_at.isoformat(),
        "headers": msgspec.json.encode(event.headers).decode(),
        # As bytea reads it.
        "body": event.body.decode().replace("\\", "\\\\"),
        "digest": "\\x" + sha256(event.body).hexdigest(),
    }


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system
