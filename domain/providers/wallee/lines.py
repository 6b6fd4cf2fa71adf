"""What was bought: the lines of a subscription and of a purchase."""

from decimal import Decimal

import msgspec

from domain.facts import Line
from domain.providers.wallee.comment import read_comment
from domain.providers.wallee.periods import Bill
from domain.providers.wallee.shapes import id_of, whole_units
from domain.providers.wallee.subscription_shapes import ProductVersion, Version, Whole
from domain.providers.wallee.transaction_shapes import LineItem, Transaction

MAIN = "subscription"
"""The line of the product itself; it stays the same when the product changes."""

_RANKS = ("FAILED", "TERMINATED", "PENDING", "INITIALIZING", "TERMINATING", "ACTIVE")
"""Of several versions of a subscription the one counts that stands last here; a change to come is none yet."""


def subscription_lines(whole: Whole, running: Bill | None) -> tuple[Line, ...]:
    """The product, and each chosen component that has attributes of its own; nothing where no product is named."""
    version = current_version(whole)
    product_version = whole.subscription.current_product_version
    if product_version is None and version is not None:
        product_version = version.product_version
    if product_version is None:
        return ()
    chosen = _chosen(whole, version)
    said = read_comment(product_version.comment or "")
    # Only named, as after an upgrade that one request saw and another did not: what is known of it counts.
    described, price = product_version.is_expanded, str(product_version.id)
    start, end = (running.start, running.end) if running else (None, None)
    main = Line(
        id=MAIN,
        product=_product(product_version),
        price=price,
        quantity=whole_units(chosen.get(said.counted_by)),
        attributes=said.product,
        described=described,
        period_start=start,
        period_end=end,
    )
    components = [
        Line(
            id=f"component/{sku}",
            product=sku,
            price=f"{price}/{sku}",
            quantity=whole_units(quantity),
            attributes=said.components[sku],
            period_start=start,
            period_end=end,
        )
        for sku, quantity in sorted(chosen.items())
        if sku in said.components
    ]
    return main, *components


def current_version(whole: Whole) -> Version | None:
    return max(whole.versions, key=lambda each: (_rank(each), each.id), default=None)


def _rank(version: Version) -> int:
    return _RANKS.index(version.state) if version.state in _RANKS else -1


def _product(version: ProductVersion) -> str:
    product = version.product
    return str(version.id) if product is None else product.reference or product.name or str(product.id)


def _chosen(whole: Whole, version: Version | None) -> dict[str, Decimal]:
    """How much was chosen of each component, by its SKU; those without one cannot be named in a comment."""
    skus = {each.id: each.reference.sku for each in whole.components if each.reference and each.reference.sku}
    chosen: dict[str, Decimal] = {}
    for configuration in (version.component_configurations if version else None) or ():
        sku = skus.get(id_of(configuration.component) or 0)
        if sku is not None:
            told = configuration.quantity
            chosen[sku] = chosen.get(sku, Decimal(0)) + (Decimal(1) if told is None else told)
    return chosen


def purchased_lines(transaction: Transaction) -> tuple[Line, ...]:
    """What was bought once; of an item that stands there twice each has its own number."""
    lines: dict[str, Line] = {}
    for number, item in enumerate(transaction.line_items or (), 1):
        if item.type == "PRODUCT":
            line = _purchased(item, number)
            name = line.id if line.id not in lines else f"{line.id}/{number}"
            lines[name] = msgspec.structs.replace(line, id=name)
    return tuple(lines.values())


def _purchased(item: LineItem, number: int) -> Line:
    name = item.unique_id or item.sku or str(number)
    told = item.attributes or {}
    return Line(
        id=name,
        product=item.sku or name,
        price=item.sku or name,
        quantity=whole_units(item.quantity),
        attributes={key: each.value for key, each in told.items() if each is not None and each.value is not None},
        recurring=False,
    )
