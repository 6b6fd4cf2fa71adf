"""`tenure sandbox`: the other sides of the wire, for trying Tenure without an account anywhere."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import httpx2

from service.commands.failures import CommandFailed, usage
from service.commands.output import print_line
from service.sandbox import fastspring, stripe, wallee
from service.sandbox.deliver import deliver as deliver_stripe
from service.sandbox.fastspring.lifecycle import START as FASTSPRING_START
from service.sandbox.licensespring.__main__ import main as licensespring
from service.sandbox.netlicensing.__main__ import main as netlicensing
from service.sandbox.stripe.lifecycles import START as STRIPE_START

L = TypeVar("L")
D = TypeVar("D")

NOT_ACCEPTED = 1
ATTEMPTS = 10
ASK_THE_LOG = "is `tenure serve` listening there, and is the secret the source's? Its log says what it refused"
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


def send_fastspring_life(life: str, url: str, secret: str, generator_key: str = "") -> None:
    """Sends the webhooks of one life at FastSpring, signed, in order, and says whose they were.

    With a private key it asks the license generator of the same source for the keys first, as the checkout does.
    """
    story = _life(life, fastspring.LIFECYCLES)
    seed = f"{life} {time.time_ns()}"
    store = story.store(seed=seed, start=_started(FASTSPRING_START, story.store(seed=seed).now))
    if generator_key:
        for key in asyncio.run(_keys_of(store, url, generator_key)):
            print_line(f"key on the receipt: {key}")
    deliveries = fastspring.deliveries(store, types=fastspring.LICENSING)
    _report(asyncio.run(_send(fastspring.deliver, url, secret, deliveries)), len(deliveries))
    for identifier in store.book.subscriptions or store.book.orders:
        print_line(identifier)


def send_wallee_life(
    life: str, url: str, *, port: int, key: str, space_id: int, once: bool, patience: float = wallee.PATIENCE
) -> None:
    """Lives one life at wallee, act by act: sends its signed webhooks, and serves the API that tells the rest.

    All of it is paid in the test environment.
    After the last act the API goes on until SIGTERM or SIGINT, unless only this `once` is wanted. Port 0 takes a free
    one. An act that nobody reads about is passed over after `patience` seconds of silence.
    """
    story = _life(life, wallee.LIFECYCLES)
    try:
        wallee.Credentials.read(key)
    except ValueError:
        raise usage("The key has to read USER:KEY, a number and a key in Base64, as the source's API key.") from None
    seed = f"{life} {time.time_ns()}"
    ends = story.space(seed=seed).now
    tested = wallee.Habits(live=False)
    space = story.space(seed=seed, start=_started(wallee.START, ends), space_id=space_id, habits=tested)
    try:
        asyncio.run(_live(space, url, port=port, key=key, once=once, patience=patience))
    except OSError as problem:
        raise usage(f"The API cannot listen on port {port} ({problem.strerror}); choose another with --port.") from None
    except KeyboardInterrupt:
        return


async def _live(space: wallee.Space, url: str, *, port: int, key: str, once: bool, patience: float) -> None:
    async with (
        wallee.running_wallee_api([space], key=key, port=port) as running,
        httpx2.AsyncClient(timeout=10) as http,
    ):
        print_line(f"wallee's API listens at {running.url}, space {space.space_id}")
        accepted = await wallee.play(
            http, url, space, running.api, backoff=_backoff, attempts=ATTEMPTS, patience=patience
        )
        remedy = (
            "is `tenure serve` listening there, do the source's url and account name this API, and is its API key "
            "(TENURE_SOURCE_NAME_API_KEY) the same as WALLEE_KEY here? Its log says why"
        )
        _report(accepted, len(space.happenings), remedy)
        for identifier in space.book.subscriptions or space.book.transactions:
            print_line(str(identifier))
        if not once:
            await _until_told_to_end()


async def _until_told_to_end() -> None:
    told = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, told.set)
    await told.wait()


def _life(life: str, lives: Mapping[str, L]) -> L:
    if life not in lives:
        raise usage(f"There is no life {life!r}; there are: {', '.join(lives)}.")
    return lives[life]


def _started(start: datetime, ends: datetime) -> datetime:
    """When a life has to begin to end about now."""
    return start + (datetime.now(UTC) - ends) - LEEWAY


async def _send(post: Callable[..., Awaitable[list[int]]], url: str, secret: str, deliveries: Sequence[D]) -> int:
    async with httpx2.AsyncClient(timeout=10) as http:
        return len(await post(http, url, secret, deliveries, backoff=_backoff, attempts=ATTEMPTS))


async def _keys_of(store: fastspring.Store, url: str, generator_key: str) -> list[str]:
    """What the license generator answers to each call of the checkouts, without what it said before."""
    generator = url.replace("/webhooks/", "/fulfillment/")
    keys: dict[str, None] = {}
    async with httpx2.AsyncClient(timeout=10) as http:
        for call in store.calls:
            try:
                keys |= dict.fromkeys(await fastspring.ask_for_keys(http, generator, generator_key, call))
            except fastspring.GeneratorFailed as failed:
                remedy = "is `tenure serve` listening there, and is the key one of TENURE_SOURCE_NAME_GENERATOR_KEY?"
                raise CommandFailed(NOT_ACCEPTED, f"{generator} gave no keys ({failed}): {remedy}") from None
    if not store.calls:
        raise usage("Nothing in this life asks for keys; one_time_of_three does.")
    return list(keys)


async def _backoff(attempt: int) -> None:
    await asyncio.sleep(min(3.0, 0.3 * 2 ** (attempt - 1)))


def _report(accepted: int, sent: int, remedy: str = ASK_THE_LOG) -> None:
    if accepted < sent:
        raise CommandFailed(NOT_ACCEPTED, f"{accepted} of {sent} deliveries were accepted: {remedy}.")
    print_line(f"{accepted} deliveries accepted")
