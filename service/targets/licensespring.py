"""LicenseSpring as a target of the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from projections.targets import Target, Turn
from projections.targets.licensespring.client import open_licensespring
from projections.targets.licensespring.target import LicenseSpringTarget
from service.targets import NoOptions, Serving, api_at

API = "/api/v1"


@asynccontextmanager
async def open_target(name: str, url: str, key: str, options: NoOptions, turn: Turn, /) -> AsyncIterator[Target]:  # noqa: ARG001
    """The account of LicenseSpring, or of its sandbox, at the address that the settings name."""
    async with open_licensespring(api_at(url, API), key) as client:
        yield LicenseSpringTarget(name, client)


# Its smallest plan allows 600 requests a minute, which the vendor's own integrations share.
SERVING = Serving(open=open_target, url="https://saas.licensespring.com", requests_per_minute=540, burst=20)
