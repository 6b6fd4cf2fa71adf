"""What a vendor offers at a provider, with the license attributes that were set there."""

from msgspec import Struct


class CatalogItem(Struct, frozen=True, kw_only=True):
    """What is for sale: a price, a product, or what else the provider sells by.

    `name` is its id or path, `product` what the provider calls the thing that is sold by it. `attributes` are the
    texts that the vendor set.
    """

    name: str
    product: str
    recurring: bool
    attributes: dict[str, str] = {}
