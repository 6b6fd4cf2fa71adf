"""How deliveries are received: whether they are authentic, what is kept to check that again, and the answer.

What a delivery holds and means is the other half of a provider, in `domain/providers/`. A provider that asks for
license keys while somebody buys (a license generator) has a third part here: what such a request says.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from service.secrets import Secret

Headers = Mapping[str, str]
"""Names in lower case."""

PUBLIC_KEY = "tenure-public-key"
"""The header, of our own making, with the public key that a delivery was verified with: kept with its events, so that
they can be checked again when the provider has forgotten the key, or is gone."""


class NotAuthentic(Exception):
    """The delivery does not prove that it comes from the provider.

    `reason` is one of a few fixed texts, fit to be counted by; it holds nothing of the delivery and no secret.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unusable(Exception):
    """A request for keys cannot be answered; `status` is HTTP's, and the text says what to set otherwise.

    The text is fixed: it holds nothing of the request.
    """

    def __init__(self, status: int, remedy: str) -> None:
        super().__init__(remedy)
        self.status = status


class Reply(Struct, frozen=True, kw_only=True):
    """What the provider is told once the events are stored."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"


class Receiving(Struct, frozen=True, kw_only=True):
    """What a source's module promises.

    `verify(headers, body, secrets, now)` raises NotAuthentic; the body is the raw one, the secrets are all that are
    live for the source (public keys, where a provider signs with those), and it does no I/O. `recheck(headers, body,
    secrets)` is the same for a stored event, whose age says nothing any more. `reply(event_ids)` is given the ids
    of all events of the delivery, each of them stored. `partial_reply(event_ids)` is given the ids of those that were
    stored, at least one, when the store could not be used for the others; None where a provider takes no such answer:
    then it is asked to send all again.

    Where a provider signs with private keys, `key_id(headers)` is which public key the signature names, before
    anything is asked (`service.sources.keys`), and `verify` is given that one; None where secrets are shared. Where
    such keys are not of one account alone, `account_of(body)` is whose delivery it is, asked after the signature and
    compared with the source's `account`. Both raise NotAuthentic.
    """

    name: str
    verify: Callable[[Headers, bytes, Sequence[Secret], datetime], None]
    recheck: Callable[[Headers, bytes, Sequence[Secret]], None]
    kept_headers: frozenset[str]
    """The headers that `recheck` needs; no others are stored."""
    reply: Callable[[Sequence[str]], Reply]
    partial_reply: Callable[[Sequence[str]], Reply] | None = None
    key_id: Callable[[Headers], str] | None = None
    account_of: Callable[[bytes], str] | None = None


class KeyRequest(Struct, frozen=True, kw_only=True):
    """Keys that a provider asks for at the checkout, for units of one product of a purchase."""

    reference: str
    """Of the first order: what it bought keeps its keys when it is renewed."""
    product: str
    count: int
    test: bool
    target: str = ""
    """The name of the target that is to hold the licenses; empty: the source's first."""
    licensee: str = ""
    """The key of an earlier purchase whose account at the license server this one is to join. A buyer may have written
    it: it has to be checked whose it is (`service.joining`)."""
    email: str = ""
    """The buyer's e-mail address, as the checkout knows it."""
    product_code: str = ""
    """What the license server calls the product, where the request tells."""


class Generating(Struct, frozen=True, kw_only=True):
    """What a provider with a license generator promises.

    `read(content_type, body, keys)` says what is asked for; `keys` are all private keys that are live for the source.
    It does no I/O, and raises NotAuthentic and Unusable. `reply(keys)` is given as many as were asked for.
    """

    name: str
    read: Callable[[str, bytes, Sequence[Secret]], KeyRequest]
    reply: Callable[[Sequence[str]], Reply]
