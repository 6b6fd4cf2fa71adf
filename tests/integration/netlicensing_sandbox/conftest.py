"""Running sandboxes: one per module with the standard catalog, others as tests ask for them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import pytest

from service.sandbox.netlicensing import RunningSandbox, SandboxSettings, falcon, running_sandbox
from tests.integration.netlicensing_sandbox.vendor import JSON, Vendor

Open = Callable[[SandboxSettings], Awaitable[Vendor]]


@asynccontextmanager
async def a_vendor(sandbox: RunningSandbox) -> AsyncIterator[Vendor]:
    key = ("apiKey", sandbox.api_key)
    async with httpx2.AsyncClient(auth=key, headers=JSON, timeout=20, verify=False) as http:
        yield Vendor(sandbox, http)


@pytest.fixture
async def open_vendor() -> AsyncIterator[Open]:
    """Starts a sandbox with given settings; it is stopped after the test."""
    async with AsyncExitStack() as stack:

        async def open_one(settings: SandboxSettings) -> Vendor:
            sandbox = await stack.enter_async_context(running_sandbox(settings))
            return await stack.enter_async_context(a_vendor(sandbox))

        yield open_one


@pytest.fixture(scope="module")
async def usual_vendor() -> AsyncIterator[Vendor]:
    async with running_sandbox(falcon()) as sandbox, a_vendor(sandbox) as vendor:
        yield vendor


@pytest.fixture
async def vendor(usual_vendor: Vendor) -> Vendor:
    """A vendor at a fresh sandbox with the standard catalog and the default settings."""
    usual_vendor.control.reset()
    return usual_vendor
