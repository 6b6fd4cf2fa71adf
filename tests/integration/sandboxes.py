"""What the tests of every license server's sandbox have in common: its README, and the sandbox as a process."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import msgspec

from service.sandbox.faults import Faults

ROOT = Path(__file__).parents[2]


class Process(NamedTuple):
    process: asyncio.subprocess.Process
    url: str


@asynccontextmanager
async def started(module: str, *arguments: str) -> AsyncIterator[Process]:
    """The sandbox as its own command starts it; the URL is empty when it did not start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "--port", "0", "--print-url", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            url = (await process.stdout.readline()).decode().strip()
        yield Process(process, url)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def holdings(url: str) -> Any:
    async with httpx2.AsyncClient() as http:
        return (await http.get(f"{url}/sandbox/holdings")).json()


class Readme:
    """A sandbox's README."""

    def __init__(self, sandbox: str) -> None:
        self._text = (ROOT / "service" / "sandbox" / sandbox / "README.md").read_text()

    def rows_of(self, heading: str) -> list[list[str]]:
        """The cells of the table below a header cell."""
        lines = self._text.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
        table = []
        for line in lines[start + 2 :]:
            if not line.startswith("|"):
                break
            table.append([cell.strip() for cell in line.strip("|").split(" | ")])
        return table

    def names_each_setting(self, settings: type[msgspec.Struct]) -> None:
        """Asserts that the table of settings has each one, with its default first where it has values."""
        rows = self.rows_of("setting")
        documented = {name.strip("` "): re.findall(r"`([^`]+)`", values) for name, values, *_ in rows}
        fields = msgspec.structs.fields(settings)
        assert set(documented) == {field.name for field in fields}
        defaults = msgspec.to_builtins(settings())
        for field in fields:
            if values := documented[field.name]:
                default = defaults[field.name]
                shown = str(default).lower() if isinstance(default, bool) else str(default)
                assert values[0] == shown, field.name

    def names_each_fault(self, faults: Faults) -> None:
        """Asserts that the table of faults has what can be placed, each with its fields, and nothing else."""
        rows = self.rows_of("`kind`")
        documented = {kind.strip("` "): set(re.findall(r"`([a-z_]+)`", names)) for kind, names, _ in rows}
        placed = {str(effect.__struct_config__.tag): effect for effect in faults.effects}
        assert documented.keys() == placed.keys()
        for kind, effect in placed.items():
            assert {field.name for field in msgspec.structs.fields(effect)} <= documented[kind]

    async def run_commands(self, written: str, url: str) -> None:
        """Runs every block that calls curl, with this URL for the written one; asserts that each call succeeds."""
        blocks = [block for block in re.findall(r"```sh\n(.*?)```", self._text, re.DOTALL) if "curl" in block]
        script = "\n".join(blocks).replace(written, url)
        assert script.count("curl -s") > 15
        strict = 'curl() { command curl --fail --max-time 20 --output /dev/null --show-error "$@"; }'
        shell = await asyncio.create_subprocess_exec(
            "sh", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        told, _ = await shell.communicate(f"set -eu\n{strict}\n{script}".encode())
        assert shell.returncode == 0, told.decode()
