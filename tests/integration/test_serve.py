"""`tenure serve` as a real process: it starts when it can, and stops without losing what it began."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import psycopg
import pytest

from projections.tables import Tables, TablesDiffer
from service import bootstrap
from service.bootstrap import reading, wired
from service.process import Process
from service.serving import PartFailed, bound, serve_until_stopped
from service.store import EventStore
from service.store.errors import StoreUnavailable
from service.store.migrate import migrate
from service.wiring.projecting import make_runner
from service.wiring.storage import open_pool
from tests.commands import Tenure, tenure
from tests.serving import served, settings, signed
from tests.severing import severable
from tests.shop import STORY

pytestmark = pytest.mark.anyio

SECONDS = 60


class Serving:
    """A process that serves; `lines` are its log so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self._read = asyncio.create_task(self._collect())
        self._arrived = asyncio.Condition()

    async def _collect(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self._arrived:
                self.lines.append(json.loads(line))
                self._arrived.notify_all()
        async with self._arrived:
            self._arrived.notify_all()

    async def said(self, event: str) -> dict[str, Any]:
        """The first log line of that event, waited for."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.lines if line["event"] == event), None)

        async with asyncio.timeout(SECONDS), self._arrived:
            await self._arrived.wait_for(lambda: found() or self.process.stderr.at_eof())  # type: ignore[union-attr]
        line = found()
        assert line is not None, self.lines
        return line

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        async with asyncio.timeout(SECONDS):
            code = await self.process.wait()
            await self._read
        return code


@asynccontextmanager
async def serving(command: Tenure, *arguments: str) -> AsyncIterator[Serving]:
    process = await asyncio.create_subprocess_exec(
        *command.command("serve", *arguments),
        cwd=command.folder,
        env=dict(command.environment),
        stderr=asyncio.subprocess.PIPE,
    )
    served = Serving(process)
    try:
        yield served
    finally:
        if process.returncode is None:
            process.kill()
        await served.ended()


async def connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parsed = httpx2.URL(url)
    return await asyncio.open_connection(parsed.host, parsed.port)


def head_of(body: bytes) -> bytes:
    lines = [f"{name}: {value}" for name, value in signed(body).items()]
    head = ["POST /webhooks/shop HTTP/1.1", "host: x", f"content-length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode()


async def stored(dsn: str) -> int:
    async with reading(settings(dsn), dsn) as reader:
        return sum((await reader.log.heads(range(256))).values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_answers_what_was_begun_and_ends_with_0(
    tmp_path: Path, database: str, number: signal.Signals
) -> None:
    async with serving(tenure(tmp_path, database)) as served:
        url = (await served.said("listening"))["url"]
        idle_reader, idle_writer = await connected(url)
        begun = [await connected(url) for _ in STORY]
        for body, (_, writer) in zip(STORY, begun, strict=True):
            writer.write(head_of(body) + body[:10])
            await writer.drain()
        async with httpx2.AsyncClient(base_url=url) as http:
            # By now the server has read what was sent before on the other connections.
            assert (await http.get("/health/live")).status_code == 200
        served.process.send_signal(number)
        await served.said("stopping")
        assert await idle_reader.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await connected(url)
        for body, (_, writer) in zip(STORY, begun, strict=True):
            writer.write(body[10:])
            await writer.drain()
        answers = [await asyncio.wait_for(reader.read(), SECONDS) for reader, _ in begun]
        assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 200 OK"] * len(STORY)
        assert await served.ended() == 0
        for _, writer in [(idle_reader, idle_writer), *begun]:
            writer.close()
            await writer.wait_closed()
    assert await stored(database) >= len(STORY)


async def test_a_stop_gives_the_leases_back(tmp_path: Path, database: str) -> None:
    async with serving(tenure(tmp_path, database)) as served:
        url = (await served.said("listening"))["url"]
        async with httpx2.AsyncClient(base_url=url, timeout=SECONDS) as http:
            await http.post("/webhooks/shop", content=STORY[0], headers=signed(STORY[0]))
            while (await http.get("/health/ready")).status_code != 200:
                pass
        assert await served.stop() == 0
    async with await psycopg.AsyncConnection.connect(database) as connection:
        cursor = await connection.execute("select count(*) from projection_1.lease where owner is not null")
        assert await cursor.fetchone() == (0,)


async def test_a_sender_that_never_finishes_does_not_hold_up_a_stop(tmp_path: Path, database: str) -> None:
    async with serving(tenure(tmp_path, database), "--only", "receiver") as served:
        url = (await served.said("listening"))["url"]
        _, writer = await connected(url)
        writer.write(head_of(STORY[0]))
        await writer.drain()
        async with httpx2.AsyncClient(base_url=url) as http:
            assert (await http.get("/health/live")).status_code == 200
        began = time.monotonic()
        assert await served.stop() == 0
        assert time.monotonic() - began < 20
        writer.close()


async def test_each_part_can_run_alone(tmp_path: Path, database: str) -> None:
    async with serving(tenure(tmp_path, database), "--only", "runner") as served:
        line = await served.said("listening")
        assert line["parts"] == ["runner"]
        async with httpx2.AsyncClient(base_url=line["url"]) as http:
            assert (await http.post("/webhooks/shop", content=STORY[0], headers=signed(STORY[0]))).status_code == 404
            assert set((await http.get("/health/ready")).json()["checks"]) == {"database", "runner"}
        assert await served.stop() == 0


async def test_a_start_waits_for_the_database(tmp_path: Path, database: str) -> None:
    async with severable(database) as way:
        await way.cut()
        async with serving(tenure(tmp_path, way.dsn, database="timeout_seconds = 2")) as served:
            await served.said("database not reachable, trying again")
            await way.mend()
            await served.said("listening")
            assert await served.stop() == 0


async def test_a_process_that_must_not_migrate_refuses_a_database_without_its_schema(
    tmp_path: Path, empty_database: str
) -> None:
    command = tenure(tmp_path, empty_database, database="migrate_at_start = false")

    async def refusal() -> str:
        ended = await asyncio.to_thread(command.run, "serve")
        assert ended.code == 3
        return ended.err

    assert "lacks 0001_event_store" in await refusal()
    await migrate(empty_database)
    assert "lacks the schema projection_1" in await refusal()
    await bootstrap.prepare(empty_database)
    async with serving(command) as served:
        await served.said("listening")
        assert await served.stop() == 0
    async with await psycopg.AsyncConnection.connect(empty_database) as connection:
        await connection.execute("comment on schema projection_1 is 'of another form'")
    assert "projection_1 has other tables" in await refusal()
    with pytest.raises(TablesDiffer):
        await bootstrap.prepare(empty_database)


async def test_a_start_that_waits_can_be_stopped(tmp_path: Path) -> None:
    async with serving(tenure(tmp_path, "host=127.0.0.1 port=9")) as served:
        await served.said("database not reachable, trying again")
        assert await served.stop() == 0


async def test_an_address_that_is_taken_is_named(tmp_path: Path, database: str) -> None:
    with bound("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        ended = await asyncio.to_thread(tenure(tmp_path, database).run, "serve", "--port", str(port))
    assert ended.code == 3
    assert f"port {port}" in ended.err


async def test_an_embedded_server_starts_and_stops_with_the_process(tmp_path: Path) -> None:
    async with serving(tenure(tmp_path, ""), "--no-auth") as served:
        url = (await served.said("listening"))["url"]
        async with httpx2.AsyncClient(base_url=url, timeout=SECONDS) as http:
            assert (await http.post("/webhooks/shop", content=STORY[0], headers=signed(STORY[0]))).status_code == 200
            assert (await http.get("/api/v1/events")).json()["items"]
        assert await served.stop() == 0
    assert not (tmp_path / ".tenure" / "data" / "postmaster.pid").exists()


async def test_a_part_that_fails_ends_the_process(database: str) -> None:
    async def fails(stop: asyncio.Event) -> None:
        raise ValueError("a fault")

    async def works(stop: asyncio.Event) -> None:
        await stop.wait()
        ended.append("works")

    ended: list[str] = []
    configured = settings(database)
    async with wired(configured, database, ["receiver"]) as process:
        broken: Process = msgspec.structs.replace(process, work={"fails": fails, "works": works})
        with pytest.raises(PartFailed, match="fails"):
            await serve_until_stopped(broken, configured.server, bound("127.0.0.1", 0), asyncio.Event())
    assert ended == ["works"]


async def test_a_database_that_goes_and_comes_back_ends_no_part(database: str) -> None:
    async with (
        severable(database) as way,
        served(settings(database, timeout=1), way.dsn, ["receiver", "runner", "pusher"]) as shop,
    ):
        assert (await shop.deliver(STORY[0])).status_code == 200
        await way.cut()
        # Each refusal takes a second, so that every part has met the absence by then.
        for _ in range(4):
            assert (await shop.deliver(STORY[1])).status_code == 503
        await way.mend()
        assert (await shop.deliver(STORY[1])).status_code == 200
        async with asyncio.timeout(SECONDS):
            while (ready := (await shop.http.get("/health/ready")).json())["checks"]["database"] != "ok":
                pass
            assert ready["ready"], ready
            while await shop.metric("tenure_projection_lag_events") != 0:
                pass


async def test_the_runner_outlives_an_event_store_that_is_unavailable(database: str) -> None:
    stop = asyncio.Event()

    class Absent(EventStore):
        """Cannot be read the first time."""

        asked = 0

        async def heads(self, partitions: Sequence[int]) -> Mapping[int, int]:
            self.asked += 1
            if self.asked == 1:
                raise StoreUnavailable("for a moment")
            stop.set()
            return await super().heads(partitions)

    configured = settings(database)
    await bootstrap.prepare(database)
    async with open_pool(configured, database) as pool, Absent.open(database) as log:
        await asyncio.wait_for(make_runner(configured, log, pool, Tables(), {}).run(stop), SECONDS)
    assert log.asked >= 2
