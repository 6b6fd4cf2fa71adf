"""What a space of wallee sells by subscription: product versions, and components with attributes of their own."""

from collections.abc import AsyncIterator

from domain.providers.wallee.comment import read_comment
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
    said = read_comment(version.comment or "")
    components = [
        CatalogItem(name=f"{name}/{sku}", product=sku, recurring=True, attributes=attributes)
        for sku, attributes in sorted(said.components.items())
    ]
    return [CatalogItem(name=name, product=name, recurring=True, attributes=said.product), *components]
