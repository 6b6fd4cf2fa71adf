"""Requests of FastSpring's license generator, hashed after its description and not after our code, for tests."""

from collections.abc import Mapping
from hashlib import md5
from urllib.parse import urlencode

import httpx2

HASH = "security_request_hash"
PRIVATE_KEY = "private-key-first"
SECOND_PRIVATE_KEY = "private-key-second"
REFERENCE = "FAL260201-1003-4242"
FORM = {
    "name": "Ada Example",
    "email": "ada@example.com",
    "company": "",
    "quantity": "2",
    "reference": REFERENCE,
    "subscriptionReference": "",
    "internalProductName": "falcon-pro",
    "test": "",
}
_MOST_ASKED = 10


def signed(
    form: Mapping[str, str], key: str = PRIVATE_KEY, *, hashed: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The form with its hash; `hashed` is what the hash is made of, where that is not the form itself."""
    of = form if hashed is None else hashed
    # Ordinal as in Java and .NET: by UTF-16 units.
    text = "".join(of[name] for name in sorted(of, key=lambda name: name.encode("utf-16-be")))
    return {**form, HASH: md5((text + key).encode(), usedforsecurity=False).hexdigest()}


def body(form: Mapping[str, str]) -> bytes:
    return urlencode(form).encode()


def form(quantity: int = 2, product: str = "falcon-pro", reference: str = REFERENCE, **more: str) -> dict[str, str]:
    """What FastSpring asks with, its hash still to be made."""
    return {**FORM, "quantity": str(quantity), "internalProductName": product, "reference": reference, **more}


async def ask(
    http: httpx2.AsyncClient, source: str, fields: Mapping[str, str], key: str = PRIVATE_KEY
) -> httpx2.Response:
    """Posts the form with its hash, as FastSpring does."""
    return await http.post(f"/fulfillment/{source}", data=signed(fields, key), headers={"user-agent": "FS"})


async def keys(http: httpx2.AsyncClient, source: str, fields: Mapping[str, str]) -> list[str]:
    """The keys of an answer that has some. Asks again as the store would, when a busy machine missed the deadline."""
    answer = await ask(http, source, fields)
    for _ in range(_MOST_ASKED):
        if answer.status_code != 503:
            break
        answer = await ask(http, source, fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.text.split("\n")
