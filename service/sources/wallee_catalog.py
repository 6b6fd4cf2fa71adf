"""What a space of wallee sells by subscription: product versions, and components with attributes of their own."""

from collections.abc import AsyncIterator

from domain.providers.wallee.comment import sold
from domain.providers.wallee.subscription_shapes import ProductVersion
from projections.provided import Refused
from service.sources.catalog import CatalogItem
from service.sources.wallee_space import ENTRIES, MOST_PAGES, WalleeSpace, decoded

PATH = "subscriptions/products/versions"


async def sold_in(space: WalleeSpace) -> AsyncIterator[CatalogItem]:
    """The product versions that can be subscribed to now. Raises ProvidedError."""
    versions = await space.search(PATH, PATH, "state:ACTIVE", "product")
    if len(versions) >= ENTRIES * MOST_PAGES:
        raise Refused(PATH, text=f"the space sells {ENTRIES * MOST_PAGES} products or more")
    for each in versions:
        for item in _offered(decoded(PATH, each, ProductVersion)):
            yield item


def _offered(version: ProductVersion) -> list[CatalogItem]:
    product = version.product
    name = (product and (product.reference or product.name)) or str(version.id)
    return [
        CatalogItem(name=each, product=product, recurring=True, attributes=attributes)
        for each, product, attributes in sold(name, version.comment or "")
    ]
