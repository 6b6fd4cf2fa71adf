"""Prices and products as a source's provider lists them through its API."""

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from service.settings import Settings
from service.sources.catalog import CatalogItem
from service.terms_files import MOST_OFFERS, FileUnclear, Offer
from service.wiring.asking import provided, why_unasked


@runtime_checkable
class Sells(Protocol):
    """An API that lists what is for sale; `catalog` raises ProvidedError."""

    def catalog(self) -> AsyncIterator[CatalogItem]: ...


class CatalogUnread(Exception):
    """The catalog cannot be asked for; the text says why and what to do."""


async def read_catalog(settings: Settings, name: str) -> list[Offer]:
    """What a configured source offers, in the provider's order. Raises CatalogUnread, FileUnclear, ProvidedError."""
    source = settings.sources.get(name)
    if source is None:
        known = ", ".join(settings.sources) or "none"
        raise CatalogUnread(f"There is no source {name!r}; configured: {known}.")
    why = why_unasked(settings, name)
    if why:
        raise CatalogUnread(f"The catalog of {name} cannot be read: {why}.")
    offers: list[Offer] = []
    async with provided(settings, name) as api:
        if not isinstance(api, Sells):
            raise CatalogUnread(f"This version cannot read the catalogs of {source.provider}: give a file instead.")
        async for item in api.catalog():
            if len(offers) == MOST_OFFERS:
                raise FileUnclear(f"holds more than {MOST_OFFERS} prices or products: check an export in parts")
            offers.append(
                Offer(name=item.name, provider=source.provider, recurring=item.recurring, attributes=item.attributes)
            )
    return offers
