"""The streams an answer of wallee's API belongs to: the one that asked, and the one that it turned out to concern."""

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec import Raw, Struct
from msgspec.json import Decoder

from domain.events import Stream, source_of, stream_of
from domain.providers.wallee.shapes import Ref, Versioned, id_of
from domain.providers.wallee.wants import PATHS, SUBSCRIPTION, TRANSACTION
from domain.readback import TYPE, Answer

Places = Iterable[tuple[str, int | None]]
"""Kinds and ids of streams; no id where the object names none."""

MOST_STREAMS = 10
"""That one answer is taken to."""


class OfSubscription(Versioned, frozen=True, kw_only=True, rename="camel"):
    subscription: Ref = None


class OfTransaction(Versioned, frozen=True, kw_only=True, rename="camel"):
    transaction: Ref = None
    linked_transaction: Ref = None


class _OfVersion(Versioned, frozen=True, kw_only=True, rename="camel"):
    subscription_version: OfSubscription | None = None


class _Charged(Struct, frozen=True):
    charges: list["_Owner"] = []


class _Owner(Struct, frozen=True):
    subscription: Ref = None


def unpack_answer(stream: Stream, about: str, body: bytes) -> Sequence[tuple[Stream, str]]:
    """The streams in which the answer (the body of the event) is an event, and its type; never raises.

    First the one that asked, then whose it is. The type is the same in each: relayed, it is one event with the other.
    """
    kind = kind_asked(about)
    streams = [stream]
    find = _OWNERS.get(kind)
    if find is not None:
        try:
            found = [place for page in _ANSWER.decode(body).pages for place in find(page)]
        except (ValueError, RecursionError):
            found = []
        streams += [stream_of(source_of(stream), owner, str(id_)) for owner, id_ in found if id_ is not None]
    return [(each, TYPE + kind) for each in list(dict.fromkeys(streams))[:MOST_STREAMS]]


def kind_asked(about: str) -> str:
    """The kind of what was asked about."""
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(about)), "other")


def _of_subscription(page: Raw) -> Places:
    return [(SUBSCRIPTION, id_of(_OF_SUBSCRIPTION.decode(page).subscription))]


def _of_transaction(page: Raw) -> Places:
    it = _OF_TRANSACTION.decode(page)
    named = id_of(it.transaction)
    return [(TRANSACTION, id_of(it.linked_transaction) if named is None else named)]


def _of_version(page: Raw) -> Places:
    """A bill names the version of the subscription that it is for; unexpanded, that has to be read too."""
    version = _OF_VERSION.decode(page).subscription_version
    if version is None:
        return []
    owner = id_of(version.subscription)
    return [("version", version.id) if owner is None else (SUBSCRIPTION, owner)]


def _of_charges(page: Raw) -> Places:
    return [(SUBSCRIPTION, id_of(charge.subscription)) for charge in _CHARGED.decode(page).charges]


_PATTERNS = {
    kind: re.compile(re.escape(path.partition("?")[0]).replace(r"\{\}", "[0-9]+") + r"([?#].*)?", re.DOTALL)
    for kind, path in PATHS.items()
}
_ANSWER = Decoder(Answer)
_OF_SUBSCRIPTION = Decoder(OfSubscription)
_OF_TRANSACTION = Decoder(OfTransaction)
_OF_VERSION = Decoder(_OfVersion)
_CHARGED = Decoder(_Charged)

_OWNERS: dict[str, Callable[[Raw], Places]] = {
    "charge": _of_subscription,
    "version": _of_subscription,
    "suspension": _of_subscription,
    "period-bill": _of_version,
    "refund": _of_transaction,
    "charge-flow-level": _of_transaction,
    TRANSACTION: _of_charges,
}
"""Kind of what was read → whose it is."""
