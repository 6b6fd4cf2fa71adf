"""`tenure sandbox`: the other sides of the wire, for trying Tenure without an account anywhere."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import httpx2

from service.commands.failures import CommandFailed, usage
from service.commands.output import print_line
from service.sandbox import fastspring, stripe
from service.sandbox.deliver import deliver as deliver_stripe
from service.sandbox.fastspring.lifecycle import START as FASTSPRING_START
from service.sandbox.licensespring.__main__ import main as licensespring
from service.sandbox.netlicensing.__main__ import main as netlicensing
from service.sandbox.stripe.lifecycles import START as STRIPE_START

L = TypeVar("L")
D = TypeVar("D")

NOT_ACCEPTED = 1
ATTEMPTS = 10
LEEWAY = timedelta(days=4)
"""Months are not equally long: a life that begins on another day takes another time."""


def run_licensespring(port: int, products: tuple[str, ...], settings: str | None, state: str | None) -> int:
    """Serves LicenseSpring's sandbox until SIGTERM or SIGINT; the exit code."""
    files = {"settings": settings, "state": state}
    options = [f"--{option}={file}" for option, file in files.items() if file]
    return licensespring([f"--port={port}", *options, *(f"--product={code}" for code in products)])


def run_netlicensing(port: int, settings: str | None, state: str | None) -> int:
    """Serves NetLicensing's sandbox until SIGTERM or SIGINT; the exit code."""
    files = {"settings": settings, "state": state}
    return netlicensing([f"--port={port}", *(f"--{option}={file}" for option, file in files.items() if file)])


def send_stripe_life(life: str, url: str, secret: str) -> None:
    """Sends the webhooks of one life at Stripe, signed, in order, and says whose they were."""
    story = _life(life, stripe.LIFECYCLES)
    # Another moment makes another customer, so that the same life can be sent again; it ends about now.
    seed = f"{life} {time.time_ns()}"
    account = story.account(seed=seed, start=_started(STRIPE_START, story.account(seed=seed).now))
    deliveries = stripe.deliveries(account.happenings, account.merchant)
    post = partial(deliver_stripe, timestamp=lambda: int(time.time()))
    _report(asyncio.run(_send(post, url, secret, deliveries)), len(deliveries))
    for subscription in account.book.subscriptions.values():
        print_line(subscription.id)


def send_fastspring_life(life: str, url: str, secret: str) -> None:
    """Sends the webhooks of one life at FastSpring, signed, in order, and says whose they were."""
    story = _life(life, fastspring.LIFECYCLES)
    seed = f"{life} {time.time_ns()}"
    store = story.store(seed=seed, start=_started(FASTSPRING_START, story.store(seed=seed).now))
    deliveries = fastspring.deliveries(store, types=fastspring.LICENSING)
    _report(asyncio.run(_send(fastspring.deliver, url, secret, deliveries)), len(deliveries))
    for identifier in store.book.subscriptions or store.book.orders:
        print_line(identifier)


def _life(life: str, lives: Mapping[str, L]) -> L:
    if life not in lives:
        raise usage(f"There is no life {life!r}; there are: {', '.join(lives)}.")
    return lives[life]


def _started(start: datetime, ends: datetime) -> datetime:
    """When a life has to begin to end about now."""
    return start + (datetime.now(UTC) - ends) - LEEWAY


async def _send(post: Callable[..., Awaitable[list[int]]], url: str, secret: str, deliveries: Sequence[D]) -> int:
    async def backoff(attempt: int) -> None:
        await asyncio.sleep(min(3.0, 0.3 * 2 ** (attempt - 1)))

    async with httpx2.AsyncClient(timeout=10) as http:
        return len(await post(http, url, secret, deliveries, backoff=backoff, attempts=ATTEMPTS))


def _report(accepted: int, sent: int) -> None:
    if accepted < sent:
        remedy = "is `tenure serve` listening there, and is the secret the source's? Its log says what it refused"
        raise CommandFailed(NOT_ACCEPTED, f"{accepted} of {sent} deliveries were accepted: {remedy}.")
    print_line(f"{accepted} deliveries accepted")
