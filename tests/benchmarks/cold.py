"""`cold`: how long a newcomer waits: the whole demo, set-up apart, and the help of the command line."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from tests.benchmarks.measuring import Bench, Case, Place
from tests.commands import ROOT

UNIT = "s"
PYTHON = "python -c pass"
HELP = "tenure --help"
DEMO = "./run demo --once"
SECONDS = 300
TIMES = 5
"""A command that takes a blink is run so often in each round, and the quickest counts: the rest is the neighbours'."""


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Sequence[Case]]:
    async def python() -> float:
        return min([await _seconds(place.folder, sys.executable, "-c", "pass") for _ in range(TIMES)])

    async def help_() -> float:
        return min([await _seconds(place.folder, *_TENURE, "--help") for _ in range(TIMES)])

    async def demo() -> float:
        return await _seconds(place.folder, *_TENURE, "demo", "--once")

    yield [
        Case(name=PYTHON, unit=UNIT, measure=python),
        Case(name=HELP, unit=UNIT, measure=help_, against=(PYTHON,)),
        *([Case(name=DEMO, unit=UNIT, measure=demo)] if place.size.demo else []),
    ]


_TENURE = (sys.executable, "-P", "-m", "service")
"""As `./run` calls it."""


async def _seconds(folder: Path, *command: str) -> float:
    """How long that takes. Raises RuntimeError with what it says where it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TENURE_")}
    started = perf_counter()
    program = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS):
            said, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.terminate()
            await program.wait()
    if program.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} ended with {program.returncode}: {said.decode()[-1000:]}")
    return perf_counter() - started


BENCH = Bench(name="cold", about="what a newcomer waits for, once everything is set up", open=_open)
