"""`python -m service.sandbox.netlicensing`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from service.sandbox.netlicensing.runner import running_sandbox
from service.sandbox.netlicensing.settings import SandboxSettings


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m service.sandbox.netlicensing", description="A sandbox of NetLicensing's REST API."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep everything in this JSON file")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings as JSON, see the README")
    parser.add_argument("--print-url", action="store_true", help="print the URL as the first line of stdout")
    return parser.parse_args(given)


def settings_of(options: argparse.Namespace) -> SandboxSettings:
    """Raises ValueError naming the file for settings that cannot be read."""
    if options.settings is None:
        return SandboxSettings()
    try:
        return msgspec.json.decode(options.settings.read_bytes(), type=SandboxSettings)
    except msgspec.DecodeError as error:
        raise ValueError(f"Mend {options.settings}: {error}") from error


async def serve(options: argparse.Namespace) -> None:
    """Serves until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    settings = settings_of(options)
    async with running_sandbox(settings, host=options.host, port=options.port, state=options.state) as sandbox:
        if options.print_url:
            sys.stdout.write(f"{sandbox.url}\n")
            sys.stdout.flush()
        sys.stderr.write(f"NetLicensing sandbox at {sandbox.api_url}, key {sandbox.api_key}\n")
        await stop.wait()


def main(given: Sequence[str] | None = None) -> int:
    try:
        asyncio.run(serve(arguments(given)))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
