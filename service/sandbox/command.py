"""A sandbox as a process of its own: the options all of them have, and how it starts and stops."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")

Serving = Callable[[argparse.Namespace], AbstractAsyncContextManager[tuple[str, str]]]
"""Serves as the options say; gives the URL, and a line that tells a person where it is and with which key."""


def options(module: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep everything in this JSON file")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings as JSON, see the README")
    parser.add_argument("--print-url", action="store_true", help="print the URL as the first line of stdout")
    return parser


def settings_in(file: Path | None, kind: type[T]) -> T:
    """The defaults where no file is named. Raises ValueError naming the file for settings that cannot be read."""
    if file is None:
        return kind()
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise ValueError(f"Mend {file}: {error}") from error


async def serve(serving: Serving, chosen: argparse.Namespace) -> None:
    """Serves until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with serving(chosen) as (url, told):
        if chosen.print_url:
            sys.stdout.write(f"{url}\n")
            sys.stdout.flush()
        sys.stderr.write(f"{told}\n")
        await stop.wait()


def main(serving: Serving, chosen: argparse.Namespace) -> int:
    try:
        asyncio.run(serve(serving, chosen))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
