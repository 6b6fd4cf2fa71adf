"""`python -m service.sandbox.licensespring`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from service.sandbox import command
from service.sandbox.licensespring.runner import running_sandbox
from service.sandbox.licensespring.settings import ProductSeed, SandboxSettings


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = command.options("service.sandbox.licensespring", "A sandbox of LicenseSpring's Management API.")
    parser.add_argument(
        "--product", action="append", default=[], metavar="CODE", help="add a key-based product (repeatable)"
    )
    return parser.parse_args(given)


def settings_of(chosen: argparse.Namespace) -> SandboxSettings:
    """Raises ValueError naming the file for settings that cannot be read."""
    settings = command.settings_in(chosen.settings, SandboxSettings)
    added = tuple(ProductSeed(short_code=code) for code in chosen.product)
    return replace(settings, products=(*settings.products, *added))


@asynccontextmanager
async def serving(chosen: argparse.Namespace) -> AsyncIterator[tuple[str, str]]:
    async with running_sandbox(settings_of(chosen), host=chosen.host, port=chosen.port, state=chosen.state) as sandbox:
        yield sandbox.url, f"LicenseSpring sandbox at {sandbox.url}/api/v1/, key {sandbox.api_key}"


def main(given: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; the exit code."""
    return command.main(serving, arguments(given))


if __name__ == "__main__":
    sys.exit(main())
