"""Nothing that befalls the process behind ends the one in front: stand-ins for it hang, stammer, or do not start."""

import asyncio
import os
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from service.background import front
from service.background.beats import Beat, Counted, Counting, encode
from service.background.front import Background
from service.metrics import Metrics
from tests.commands import tenure

pytestmark = pytest.mark.anyio

SECONDS = 30
PYTHON = sys.executable
NOBODY = "postgresql://127.0.0.1:9/nobody"
SLEEP = "time.sleep(1000)"


def a_beat() -> bytes:
    """Of a process that rang one timer."""
    metrics = Metrics()
    metrics.timers_rung.inc()
    return encode(Counting(metrics).beat())


BEAT = a_beat()


class Behind:
    """A stand-in, which tells that it began, and says on the line what it was told to."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "behind"
        self._began = folder / "began"
        self.gate = folder / "gate"
        """Who opens it to read waits until it is let in."""
        os.mkfifo(self.gate)
        self.metrics = Metrics()

    async def let_in(self) -> None:
        await asyncio.to_thread(self.gate.write_bytes, b"")

    def does(self, *said: bytes, then: str = SLEEP) -> None:
        lines = [
            "import os, sys, time",
            f"with open({str(self._began)!r}, 'a') as began: began.write('x')",
            *(f"os.write(int(sys.argv[-1]), {each!r})" for each in said),
            then,
        ]
        code = self._script.with_suffix(".py")
        code.write_text("\n".join(lines) + "\n", encoding="utf-8")
        # What stands behind #! may hold no space.
        self._script.write_text(f'#!/bin/sh\nexec {shlex.join([PYTHON, str(code)])} "$@"\n', encoding="utf-8")
        self._script.chmod(0o700)

    @property
    def begun(self) -> int:
        return len(self._began.read_text(encoding="utf-8")) if self._began.exists() else 0

    @asynccontextmanager
    async def followed(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Background]:
        monkeypatch.setattr(sys, "executable", str(self._script))
        monkeypatch.setattr(front, "FIRST_PAUSE", 0.01)
        background, stop = Background(["runner"], "", None), asyncio.Event()
        running = asyncio.create_task(background.run(self.metrics, stop))
        try:
            yield background
            assert not running.done()
        finally:
            stop.set()
            await running

    async def begins(self, times: int) -> None:
        async with asyncio.timeout(SECONDS):
            while self.begun < times:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.01)

    async def rung(self, times: int) -> None:
        """Returns when so many timers were told of."""
        async with asyncio.timeout(SECONDS):
            sample = self.metrics.registry.get_sample_value
            while (sample("tenure_timers_rung_total") or 0) < times:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.01)


@pytest.fixture
def behind(tmp_path: Path) -> Behind:
    return Behind(tmp_path)


async def test_one_that_hangs_is_told_of_ended_and_started_again(
    behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "EVERY", 0.01)
    monkeypatch.setattr(front, "SILENCE", 3)
    monkeypatch.setattr(front, "LOST", 100)
    behind.does(BEAT)
    async with behind.followed(monkeypatch) as background:
        await behind.rung(1)
        check = background.checks()["runner"]
        async with asyncio.timeout(SECONDS):
            while not (await check()).startswith("gives no sign of life"):  # noqa: ASYNC110 - it comes of nothing
                await asyncio.sleep(0.01)
        await behind.begins(2)


async def test_one_that_has_not_begun_to_beat_is_waited_for(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "EVERY", 0.001)
    monkeypatch.setattr(front, "LOST", 1)
    behind.does(then=f"sys.stdin = open({str(behind.gate)!r})\nos.write(int(sys.argv[-1]), {BEAT!r})\n{SLEEP}")
    async with behind.followed(monkeypatch) as background:
        await behind.begins(1)
        for _ in range(100):
            assert (await background.checks()["runner"]()).startswith("is not up")
            await asyncio.sleep(0.001)
        assert behind.begun == 1
        await behind.let_in()
        await behind.rung(1)


@pytest.mark.parametrize(
    "odd",
    [BEAT[:-9], encode(Beat([Counted("tenure_new", (), 1.0)])), b"x" * 1_100_000 + b"\n"],
    ids=["half a beat", "an unknown counter", "an endless line"],
)
async def test_a_beat_that_nobody_understands_is_passed_over(
    behind: Behind, monkeypatch: pytest.MonkeyPatch, odd: bytes
) -> None:
    behind.does(BEAT, odd, *([BEAT] if odd.endswith(b"\n") else []), then="")
    async with behind.followed(monkeypatch):
        await behind.rung(2)
        await behind.begins(2)


async def test_one_that_cannot_be_started_is_tried_again(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    async with behind.followed(monkeypatch):
        behind.does(BEAT)
        await behind.rung(1)


async def test_who_waits_for_a_database_hears_the_order_to_stop(tmp_path: Path) -> None:
    command = tenure(tmp_path, NOBODY)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = await asyncio.create_subprocess_exec(
            *command.command("background", "runner", "--line", str(theirs.fileno())),
            cwd=tmp_path,
            env={**os.environ, **command.environment},
            pass_fds=[theirs.fileno()],
            stderr=asyncio.subprocess.PIPE,
        )
        theirs.close()
        assert process.stderr is not None
        async with asyncio.timeout(SECONDS):
            assert b"not reachable" in await process.stderr.readline()
            ours.close()
            await process.communicate()
    assert process.returncode == 0


def test_a_line_that_is_none_is_refused(tmp_path: Path) -> None:
    ended = tenure(tmp_path, NOBODY).run("background", "runner", "--line", "0")
    assert ended.code == 2
    assert "`tenure serve` starts this command itself" in ended.err
