"""What LicenseSpring sells: products, what is in a bundle, and which custom fields there are.

Facts: LicenseSpring's Postman collection, products and product-custom-fields. It changes rarely, so what is there is
remembered for some minutes; what is not there is asked for each time, since somebody may just have made it.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any

import msgspec

from projections.targets.errors import NotFound, no_api
from projections.targets.licensespring.answers import Product, id_in, product_in, rows_in
from projections.targets.licensespring.exchange import Exchange
from projections.targets.licensespring.lists import matching

REMEMBERED = 300.0
MOST_REMEMBERED = 10_000


class Catalog:
    """The products of one account, asked for as they are needed. `clock` gives seconds that only grow."""

    def __init__(self, exchange: Exchange, clock: Callable[[], float] = monotonic) -> None:
        self._exchange = exchange
        self._clock = clock
        self._remembered: dict[tuple[str, object], tuple[float, Any]] = {}

    async def product(self, code: str) -> Product | None:
        """The product with this short code, None when there is none."""
        known: Product | None = self._recall("product", code)
        if known is None:
            found = await self._find(code)
            known = self._remember("product", code, found[0] if found else None)
        return known

    async def _find(self, code: str) -> list[Product]:
        call = "find_product"
        try:
            return await matching(
                self._exchange,
                call,
                "products/",
                {"short_code": code},
                product_in,
                lambda row: row.short_code == code,
                enough=1,
            )
        except NotFound as missing:
            # The list is always there, also for a product that is not: nothing is wrong with the license.
            raise no_api(call, missing, "LicenseSpring") from missing

    async def is_user_based(self, code: str) -> bool:
        """Whether licenses of the product are used by people who sign in, and have no keys."""
        product = await self.product(code)
        return product is not None and product.authorization_method == "user"

    async def bundle_size(self, code: str) -> int:
        """How many products are in the bundle with this short code; 0 for a product that is none."""
        product = await self.product(code)
        if product is None:
            return 0
        known: int | None = self._recall("bundle", product.id)
        if known is None:
            answer = await self._exchange.get("bundle", f"products/{product.id}/bundle/")
            known = len(rows_in(answer))
            self._remember("bundle", product.id, known or None)
        return known

    async def custom_field(self, product: int, name: str) -> int | None:
        """The id of the product's custom field with this name, None when there is none."""
        known: dict[str, int] = self._recall("custom fields", product) or {}
        if name not in known:
            found = await matching(
                self._exchange,
                "custom_fields",
                "product-custom-fields/",
                {"product": str(product)},
                _field_in,
                lambda row: row.product == product,
            )
            known = self._remember("custom fields", product, {field.name: field.id for field in found})
        return known.get(name)

    def _recall(self, kind: str, which: object) -> Any:
        asked_at, known = self._remembered.get((kind, which), (0.0, None))
        return known if known is not None and self._clock() - asked_at < REMEMBERED else None

    def _remember(self, kind: str, which: object, known: Any) -> Any:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        if known is not None:
            self._remembered[kind, which] = (self._clock(), known)
        return known


class _CustomField(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    product: int


def _field_in(row: object) -> _CustomField | None:
    if not isinstance(row, dict):
        return None
    try:
        return msgspec.convert({**row, "product": id_in(row.get("product"))}, _CustomField, strict=False)
    except msgspec.ValidationError:
        return None
