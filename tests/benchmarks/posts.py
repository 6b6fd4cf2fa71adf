"""A webhook as a request."""

from time import time

import msgspec

from service.sandbox.stripe import sign
from tests.benchmarks.workload import SOURCE
from tests.serving import SECRET


class Post(msgspec.Struct, frozen=True):
    """One request to a source."""

    source: str
    headers: dict[str, str]
    body: bytes


def stripe_post(body: bytes, secret: str = SECRET) -> Post:
    """As Stripe sends it now."""
    headers = {
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, secret, int(time())),
    }
    return Post(SOURCE, headers, body)
