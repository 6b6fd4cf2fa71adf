"""`python -m service.sandbox.netlicensing`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from service.sandbox import command
from service.sandbox.netlicensing.runner import running_sandbox
from service.sandbox.netlicensing.settings import SandboxSettings


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    return command.options("service.sandbox.netlicensing", "A sandbox of NetLicensing's REST API.").parse_args(given)


@asynccontextmanager
async def serving(chosen: argparse.Namespace) -> AsyncIterator[tuple[str, str]]:
    settings = command.settings_in(chosen.settings, SandboxSettings)
    async with running_sandbox(settings, host=chosen.host, port=chosen.port, state=chosen.state) as sandbox:
        yield sandbox.url, f"NetLicensing sandbox at {sandbox.api_url}, key {sandbox.api_key}"


def main(given: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; the exit code."""
    return command.main(serving, arguments(given))


if __name__ == "__main__":
    sys.exit(main())
