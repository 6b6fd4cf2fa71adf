"""`tenure sandbox`: the other sides of the wire, for trying Tenure without an account anywhere."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx2

from service.commands.failures import CommandFailed, usage
from service.commands.output import print_line
from service.sandbox.deliver import deliver
from service.sandbox.licensespring.__main__ import main as licensespring
from service.sandbox.stripe import LIFECYCLES, Delivery
from service.sandbox.stripe import deliveries as all_deliveries
from service.sandbox.stripe.lifecycles import START

NOT_ACCEPTED = 1
ATTEMPTS = 10
LEEWAY = timedelta(days=4)
"""Months are not equally long: a life that begins on another day takes another time."""


def run_licensespring(port: int, products: tuple[str, ...], state: str | None) -> int:
    """Serves LicenseSpring's sandbox until SIGTERM or SIGINT; the exit code."""
    options = [f"--product={code}" for code in products]
    return licensespring([f"--port={port}", *options, *([f"--state={state}"] if state else [])])


def send_life(life: str, url: str, secret: str) -> None:
    """Sends the webhooks of one life, signed, in order, and says whose they were."""
    if life not in LIFECYCLES:
        raise usage(f"There is no life {life!r}; there are: {', '.join(LIFECYCLES)}.")
    story = LIFECYCLES[life]
    # Another moment makes another customer, so that the same life can be sent again; it ends about now.
    seed = f"{life} {time.time_ns()}"
    account = story.account(seed=seed, start=START + (datetime.now(UTC) - story.account(seed=seed).now) - LEEWAY)
    deliveries = all_deliveries(account.happenings, account.merchant)
    accepted = asyncio.run(_send(url, secret, deliveries))
    if accepted < len(deliveries):
        remedy = "is `tenure serve` listening there, and is the secret the source's? Its log says what it refused"
        raise CommandFailed(NOT_ACCEPTED, f"{accepted} of {len(deliveries)} deliveries were accepted: {remedy}.")
    print_line(f"{accepted} deliveries accepted")
    for subscription in account.book.subscriptions.values():
        print_line(subscription.id)


async def _send(url: str, secret: str, deliveries: list[Delivery]) -> int:
    async def backoff(attempt: int) -> None:
        await asyncio.sleep(min(3.0, 0.3 * 2 ** (attempt - 1)))

    async with httpx2.AsyncClient(timeout=10) as http:
        accepted = await deliver(
            http,
            url,
            secret,
            deliveries,
            timestamp=lambda: int(time.time()),
            backoff=backoff,
            attempts=ATTEMPTS,
        )
    return len(accepted)
