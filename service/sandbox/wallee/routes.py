"""The paths of version 2.0 of the API, as far as they are read, and what they answer."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

from service.sandbox.wallee.model import Kind
from service.sandbox.wallee.objects import Json
from service.sandbox.wallee.reading import USUAL, Look, Unreadable, read, search

PREFIX = "/api/v2.0"

COLLECTIONS: Mapping[str, Kind] = {
    "subscriptions": "subscription",
    "subscriptions/versions": "version",
    "subscriptions/charges": "charge",
    "subscriptions/period-bills": "period-bill",
    "subscriptions/suspensions": "suspension",
    "subscriptions/subscribers": "subscriber",
    "subscriptions/products": "product",
    "subscriptions/products/versions": "product-version",
    "subscriptions/products/components": "component",
    "payment/transactions": "transaction",
    "payment/refunds": "refund",
    "payment/charge-flows/levels": "level",
}
KEYS = "webhooks/encryption-keys"

_KNOWN = {
    "one": frozenset({"expand"}),
    "search": frozenset({"expand", "limit", "offset", "order", "query"}),
    "list": frozenset({"after", "before", "expand", "limit", "order"}),
}


class Reply(NamedTuple):
    """`body` is bytes where it is no JSON."""

    status: int
    body: Json | str | bytes
    headers: Mapping[str, str] = {}


Failed = Callable[[int, str, str], Reply]
"""Makes an error of status, code and message."""


def answered(looks: Sequence[Look], path: str, query: str, failed: Failed) -> Reply:
    """The answer to a GET; `path` is without the prefix, decoded. Of several looks the first that has it answers."""
    named = parse_qs(query, keep_blank_values=True)
    place, _, last = path.rpartition("/")
    try:
        if path in COLLECTIONS:
            return _listed(looks, COLLECTIONS[path], _only(named, "list"))
        if place in COLLECTIONS and last == "search":
            return _searched(looks, COLLECTIONS[place], _only(named, "search"))
        if place in COLLECTIONS and re.fullmatch(r"[0-9]{1,18}", last):
            expand = _only(named, "one").get("expand", ())
            found = (read(look, COLLECTIONS[place], int(last), expand) for look in looks)
            return next((Reply(200, it) for it in found if it is not None), failed(404, "not_found", "No such entity."))
    except Unreadable as problem:
        return failed(400, "bad_request", str(problem))
    return failed(404, "not_found", "There is no such path, or it is not simulated.")


def _searched(looks: Sequence[Look], kind: Kind, named: Mapping[str, list[str]]) -> Reply:
    limit, offset = _number(named, "limit", USUAL), _number(named, "offset", 0)
    query, order, expand = _last(named, "query"), _last(named, "order"), named.get("expand", ())
    if len(looks) == 1:
        return Reply(200, search(looks[0], kind, query, order=order, limit=limit, offset=offset, expand=expand).json())
    # Spaces that answer as if they were one: what the first ones hold stands first.
    held = [it for look in looks for it in _all(look, kind, query, order, expand)]
    unique = list({it["id"]: it for it in held}.values())
    some = unique[offset : offset + limit]
    return Reply(200, {"data": some, "hasMore": offset + limit < len(unique), "limit": limit, "offset": offset})


def _listed(looks: Sequence[Look], kind: Kind, named: Mapping[str, list[str]]) -> Reply:
    """A page by cursor: what comes after an id, or before it."""
    limit, after, before = _number(named, "limit", USUAL), _number(named, "after", 0), _number(named, "before", 0)
    if not 1 <= limit <= 100:
        raise Unreadable("limit lies between 1 and 100")
    held = {it["id"]: it for look in looks for it in _all(look, kind, "", "", named.get("expand", ()))}
    newest = _last(named, "order") == "DESC"
    some = [held[key] for key in sorted(held, reverse=newest) if key > after and (not before or key < before)]
    return Reply(200, {"data": some[:limit], "hasMore": len(some) > limit, "limit": limit})


def _all(look: Look, kind: Kind, query: str, order: str, expand: Sequence[str]) -> list[Json]:
    offset, found = 0, []
    while True:
        page = search(look, kind, query, order=order, limit=100, offset=offset, expand=expand)
        found += page.data
        if not page.has_more:
            return found
        offset += 100


def _only(named: Mapping[str, list[str]], kind: str) -> Mapping[str, list[str]]:
    unknown = named.keys() - _KNOWN[kind]
    if unknown:
        raise Unreadable(f"there is no parameter {min(unknown)}")
    return named


def _last(named: Mapping[str, list[str]], name: str) -> str:
    return named.get(name, [""])[-1]


def _number(named: Mapping[str, list[str]], name: str, otherwise: int) -> int:
    text = _last(named, name)
    if not text:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Unreadable(f"{name} is a number of 0 or more")
    return int(text)
