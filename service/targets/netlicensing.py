"""NetLicensing as a target of the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from projections.targets import Target, Turn
from projections.targets.netlicensing.client import open_netlicensing
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.target import NetLicensingTarget
from service.targets import Serving, api_at

API = "/core/v2/rest"


@asynccontextmanager
async def open_target(name: str, url: str, key: str, options: Options, turn: Turn, /) -> AsyncIterator[Target]:
    """The account of NetLicensing, or of its sandbox, at the address that the settings name."""
    async with open_netlicensing(api_at(url, API), key, turn) as client:
        yield NetLicensingTarget(name, client, options)


SERVING = Serving(
    open=open_target,
    url="https://go.netlicensing.io",
    # Of the smaller plans (netlicensing.io, pricing), without a word on whether a minute's may come at once.
    requests_per_minute=1,
    burst=1,
    paced=True,
    options=Options,
    # As the vendor's own guide has it: what is overdue is deactivated.
    policy={"past_due_days": 0},
)
