"""Webhooks as a busy account gets them: of all providers, some again, some forged, several events in a body."""

from functools import cache

import msgspec

from service.sandbox import fastspring
from service.sandbox.wallee import SPACE, SigningKey
from tests.benchmarks.copies import fastspring_lives, wallee_change
from tests.benchmarks.posts import Post, stripe_post
from tests.benchmarks.workload import webhook

FASTSPRING, WALLEE = "store", "pay"
FORGED, REPEATED = 2, 10
"""Of a hundred."""
BEFORE = 50
"""How many webhooks earlier the original of a repeat was sent."""
STORE_SECRET = "a secret of the store"
SPACE_ID = str(SPACE)


@cache
def wallee_key() -> SigningKey:
    return SigningKey("benchmarks")


def mixed(number: int) -> Post:
    """The request of that number; the first `BEFORE` of them have no original, so nothing repeats there."""
    if not genuine(number):
        return stripe_post(webhook(number), "whsec_of_somebody_else")
    if number % 100 < FORGED + REPEATED and number >= BEFORE:
        return _original(number - BEFORE)
    return _original(number)


def genuine(number: int) -> bool:
    """Whether the request of that number is to be taken."""
    return number % 100 >= FORGED


def _original(number: int) -> Post:
    """Six of ten are Stripe's, three FastSpring's, one wallee's; consecutive ones differ."""
    kind = (number + number // 100) % 10
    if kind < 6:
        return stripe_post(webhook(number))
    if kind < 9:
        body = _several(number)
        signature = fastspring.sign(body, STORE_SECRET)
        return Post(FASTSPRING, {"Content-Type": "application/json", "X-FS-Signature": signature}, body)
    [body] = wallee_change().copy(number)
    return Post(WALLEE, {"Content-Type": "application/json", "X-Signature": wallee_key().sign(body)}, body)


@cache
def _batches() -> list[tuple[int, int]]:
    """Life and place of every body of FastSpring's with two or three events."""
    return [
        (life, place)
        for life, pattern in enumerate(fastspring_lives())
        for place, body in enumerate(pattern.copy(0))
        if 2 <= len(msgspec.json.decode(body)["events"]) <= 3
    ]


def _several(number: int) -> bytes:
    life, place = _batches()[number % len(_batches())]
    return fastspring_lives()[life].body(place, number)
