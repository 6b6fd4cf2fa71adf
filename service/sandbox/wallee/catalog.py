"""What the imaginary vendor Falcon Software sells by wallee.

A product has no map of metadata, so the vendor writes terms as lines `name = value` into the comment of the product
version, and those of one component with its SKU before the name. Other lines are for people.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from service.sandbox.wallee.calendar import Cycle
from service.sandbox.wallee.model import (
    Anything,
    Component,
    ComponentReference,
    LineItem,
    Product,
    ProductVersion,
)

LISTED_SINCE = 1_735_689_600
"""2025-01-01"""


def product(
    number: int,
    reference: str,
    name: str,
    cycle: Cycle,
    components: dict[str, int],
    comment: str,
    *,
    increment: int = 1,
) -> ProductVersion:
    """A product's version; `components` are prices by SKU, of which the first is there by default.

    `number` (of two digits, another one for every version) decides the identifiers.
    """
    parts = tuple(
        Component(
            id=number * 100 + 10 + place,
            reference=ComponentReference(
                id=number * 100 + 50 + place, sku=sku, name=sku.replace("-", " ").capitalize()
            ),
            price=price,
            default=place == 0,
        )
        for place, (sku, price) in enumerate(components.items())
    )
    return ProductVersion(
        id=number * 100 + 1,
        product=Product(id=number * 100, reference=reference, name=name),
        components=parts,
        cycle=cycle,
        comment=comment,
        increment=increment,
        activated=LISTED_SINCE,
    )


PRO = product(
    11,
    "falcon-pro-monthly",
    "Falcon Pro",
    "P1M",
    {"pro-base": 29_00, "pro-export": 5_00},
    "One license, with the export as an extra.\n\nproduct_short_code = falcon-pro\nmax_activations = 3\n"
    "pro-export.feature_code = falcon-export\n",
)
PRO_YEARLY = product(
    12,
    "falcon-pro-yearly",
    "Falcon Pro by the year",
    "P1Y",
    {"pro-year": 290_00},
    "product_short_code = falcon-pro\nmax_activations = 5",
)
STUDIO = product(
    13,
    "falcon-studio-monthly",
    "Falcon Studio",
    "P1M",
    {"studio-base": 59_00},
    "product_short_code = falcon-studio\nmax_activations = 5",
)
TEAM = product(
    14,
    "falcon-team-monthly",
    "Falcon Team",
    "P1M",
    {"team-seat": 15_00},
    "Each seat is a license.\nquantity = team-seat\nproduct_short_code = falcon-team\nmax_activations = 2",
)
FLOATING = product(
    15,
    "falcon-floating-monthly",
    "Falcon Floating",
    "P1M",
    {"floating-user": 19_00},
    "product_short_code = falcon-floating\nquantity = floating-user\nsingle_license = true\nfloating_cloud = 1\n"
    "floating_users_from_quantity = true",
)
DUO = product(
    16,
    "falcon-duo-monthly",
    "Falcon Duo",
    "P1M",
    {"duo-pro": 25_00, "duo-team": 12_00},
    "Every part is licensed by itself.\nduo-pro.product_short_code = falcon-pro\nduo-pro.max_activations = 1\n"
    "duo-team.product_short_code = falcon-team\nduo-team.max_activations = 2",
)
SUPPORT = product(17, "priority-support-monthly", "Priority support", "P1M", {"support": 5_00}, "Nothing to install.")
"""A service without a license."""
MISTYPED = product(
    18,
    "falcon-mistyped",
    "Falcon with a slip in its terms",
    "P1M",
    {"mistyped": 10_00},
    "product_short_code = falcon-pro\nmax_activations = three",
)

RECURRING = (PRO, PRO_YEARLY, STUDIO, TEAM, FLOATING, DUO, SUPPORT)
ALL = (*RECURRING, MISTYPED)

PERPETUAL = LineItem(
    sku="falcon-perpetual",
    name="Falcon Perpetual",
    quantity=1,
    amount=199_00,
    attributes={"product_short_code": "falcon-pro", "license_type": "perpetual", "max_activations": "2"},
)
YEAR_PASS = LineItem(
    sku="falcon-year-pass",
    name="Falcon Year Pass",
    quantity=1,
    amount=149_00,
    attributes={"product_short_code": "falcon-pro", "license_type": "time-limited", "valid_duration": "1y"},
)
HANDBOOK = LineItem(sku="falcon-handbook", name="Falcon, the handbook", quantity=1, amount=24_00)
"""Bought once, and no license."""


def everything() -> Iterator[Anything]:
    """All that every space has from the beginning."""
    for each in ALL:
        yield from (each.product, each)
        for component in each.components:
            yield from (component.reference, component)


def in_units(item: LineItem, quantity: float) -> LineItem:
    """So many of what costs as much each as the item does."""
    return replace(item, quantity=quantity, amount=round(item.amount * quantity))
