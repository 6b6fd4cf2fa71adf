r"""Prices and products as files: what the stores export or answer, and a plain form for drafts.

    a Stripe price                {"object": "price", "id": …, "recurring": …, "metadata": {…}}
    Stripe's list of prices       {"object": "list", "data": [price, …]}
    a FastSpring product          {"product": …, "attributes": {…}, "pricing": {"interval": …}}
    FastSpring's answer           {"products": [product, …]}
    a wallee product version      {"comment": "NAME = VALUE\n…", "product": {"reference": …}}
    wallee's answer to a search   {"data": [product version, …], "hasMore": …}
    a list of any of these        […]
    attributes by name            {"pro": {"short_code": "app", "max_activations": "3"}}

Sources: docs.stripe.com/api/prices, developer.fastspring.com/reference/retrieve-details-about-one-or-more-products,
wallee's SDK 6.4.0 (`SubscriptionProductVersion`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from domain.providers.table import PROVIDERS
from domain.providers.wallee.comment import sold

LARGEST_FILE = 16 * 1024 * 1024
MOST_OFFERS = 10_000
ONE_TIME_INTERVALS = (None, "", "onetime", "one-time")


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor sells under one name: its license attributes, and whether it is billed again and again.

    `provider` is the store that sells it. For a plain file that says nothing of it, it is what was asked for.
    """

    name: str
    provider: str
    recurring: bool
    attributes: dict[str, str]


class FileUnclear(ValueError):
    """The file cannot be read as prices or products; the text says why and what to do."""


def read_offers(text: bytes, *, provider: str | None = None, recurring: bool = True) -> list[Offer]:
    """The offers of a file, in its order. `provider` and `recurring` count where the file does not say it itself.

    Raises FileUnclear.
    """
    if len(text) > LARGEST_FILE:
        raise FileUnclear(f"is larger than {LARGEST_FILE // 1024 // 1024} MiB: give it in parts")
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileUnclear(f"is not JSON ({error})") from None
    offers = []
    for offer in _offers(document, provider, recurring=recurring):
        offers.append(offer)
        if len(offers) > MOST_OFFERS:
            raise FileUnclear(f"holds more than {MOST_OFFERS} prices or products: give it in parts")
    if not offers:
        raise FileUnclear("holds no price and no product")
    return offers


def _offers(document: Any, provider: str | None, *, recurring: bool) -> Iterator[Offer]:
    match document:
        case list() as objects:
            yield from _each(objects, provider)
        case {"object": "list", "data": list() as objects} | {"data": list() as objects, "hasMore": bool()}:
            yield from _each(objects, provider)
        case {"products": list() as products}:
            yield from _each(products, provider)
        case {"object": str()} | {"product": str()} | {"comment": str()} | {"linkedSpaceId": int()}:
            yield from _offer(document, provider)
        case dict() as named if named and all(isinstance(value, dict) for value in named.values()):
            if provider is None:
                raise FileUnclear(f"does not say whose attributes these are: give --provider {', '.join(PROVIDERS)}")
            for name, attributes in named.items():
                yield Offer(name=name, provider=provider, recurring=recurring, attributes=_texts(name, attributes))
        case _:
            raise FileUnclear(
                "is neither a Stripe price, nor a FastSpring product, nor a wallee product version, nor a list of them,"
                ' nor {"NAME": {"ATTRIBUTE": "VALUE"}}'
            )


def _each(objects: list[Any], provider: str | None) -> Iterator[Offer]:
    for each in objects:
        yield from _offer(each, provider)


def _offer(document: Any, provider: str | None) -> Iterator[Offer]:
    match document:
        case {"object": "price", "id": str() as name, **rest}:
            _belongs(name, "stripe", provider)
            repeats = rest.get("recurring") is not None or rest.get("type") == "recurring"
            attributes = _texts(name, rest.get("metadata"))
            yield Offer(name=name, provider="stripe", recurring=repeats, attributes=attributes)
        case {"object": str() as kind}:
            raise FileUnclear(f"holds a Stripe {kind!r}: give prices, whose metadata holds the license attributes")
        case {"product": str() as name, **rest}:
            _belongs(name, "fastspring", provider)
            pricing = rest.get("pricing")
            interval = pricing.get("interval") if isinstance(pricing, dict) else None
            attributes = _texts(name, rest.get("attributes"))
            repeats = interval not in ONE_TIME_INTERVALS
            yield Offer(name=name, provider="fastspring", recurring=repeats, attributes=attributes)
        case {"comment": str() | None} | {"linkedSpaceId": int()}:
            named = document.get("product")
            product = named if isinstance(named, dict) else {}
            version = str(product.get("reference") or product.get("name") or document.get("id") or "product")
            _belongs(version, "wallee", provider)
            for name, _, attributes in sold(version, document.get("comment") or ""):
                yield Offer(name=name, provider="wallee", recurring=True, attributes=attributes)
        case str() as path:
            raise FileUnclear(f"only names products ({path[:40]!r}): ask FastSpring for GET /products/PATH,PATH")
        case _:
            raise FileUnclear(f"holds something that is no price and no product: {str(document)[:60]!r}")


def _belongs(name: str, store: str, provider: str | None) -> None:
    if provider not in {None, store}:
        raise FileUnclear(f"holds {name}, which is of {store}, and --provider says {provider}")


def _texts(name: str, attributes: Any) -> dict[str, str]:
    """The attributes as the stores keep them: all texts; one without a value is none."""
    if attributes is None:
        return {}
    if not isinstance(attributes, Mapping):
        raise FileUnclear(f"holds {name}, whose attributes are no object of names and values")
    texts = {key: value for key, value in attributes.items() if value is not None}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise FileUnclear(f"holds {name}, whose {key} is {str(value)[:40]}; stores keep texts: write it in quotes")
    return texts
