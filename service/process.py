"""What a running process consists of, once `bootstrap` has wired it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from service.auth import Access
from service.fulfillment import LicenseGenerator
from service.health import Check
from service.lookup import Reader
from service.metrics import Metrics
from service.store import Unsealed
from service.webhooks import Receiver

Work = Callable[[asyncio.Event], Awaitable[None]]
"""Goes on until the event is set, then returns in good order."""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the HTTP surface and the supervisor need.

    `receiver` and `generator` are None where this process takes no webhooks.
    """

    reader: Reader
    access: Access
    metrics: Metrics
    unsealed: Callable[[], Awaitable[Sequence[Unsealed]]]
    """Where the hash chains do not reach the heads."""
    receiver: Receiver | None
    generator: LicenseGenerator | None
    checks: Mapping[str, Check]
    wake: Callable[[], None]
    """To be called when another process appended something."""
    work: Mapping[str, Work]
    """The parts that run in the background, by name."""
    running: dict[str, "asyncio.Task[None]"]
    """The tasks of `work`, while they are served."""
