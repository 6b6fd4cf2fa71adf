"""`python -m service.sandbox.licensespring`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from service.sandbox.licensespring.runner import running_sandbox
from service.sandbox.licensespring.settings import ProductSeed, SandboxSettings


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m service.sandbox.licensespring", description="A sandbox of LicenseSpring's Management API."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep everything in this JSON file")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings as JSON, see the README")
    parser.add_argument(
        "--product", action="append", default=[], metavar="CODE", help="add a key-based product (repeatable)"
    )
    parser.add_argument("--print-url", action="store_true", help="print the URL as the first line of stdout")
    return parser.parse_args(given)


def settings_of(options: argparse.Namespace) -> SandboxSettings:
    """Raises ValueError naming the file for settings that cannot be read."""
    settings = SandboxSettings()
    if options.settings is not None:
        try:
            settings = msgspec.json.decode(options.settings.read_bytes(), type=SandboxSettings)
        except msgspec.DecodeError as error:
            raise ValueError(f"Mend {options.settings}: {error}") from error
    added = tuple(ProductSeed(short_code=code) for code in options.product)
    return msgspec.structs.replace(settings, products=(*settings.products, *added))


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
        sys.stderr.write(f"LicenseSpring sandbox at {sandbox.url}/api/v1/, key {sandbox.api_key}\n")
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
