"""What was bought: the lines of a subscription and of a purchase."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from domain.facts import Line
from domain.providers.wallee.comment import Said, read_comment
from domain.providers.wallee.periods import Bill
from domain.providers.wallee.shapes import id_of, whole_units
from domain.providers.wallee.subscription_shapes import ProductVersion, Version, Whole
from domain.providers.wallee.transaction_shapes import LineItem, Transaction

MAIN = "subscription"
"""The line of the product itself; it stays the same when the product changes."""

_RANKS = ("FAILED", "TERMINATED", "PENDING", "INITIALIZING", "TERMINATING", "ACTIVE")
"""Of several versions of a subscription the one counts that stands last here; a change to come is none yet."""
_NOT_SOLD = frozenset({"PENDING", "INITIALIZING", "FAILED", "TERMINATING", "TERMINATED"})
"""States in which nobody waits for a product that is not named."""


class Sold(Struct, frozen=True):
    """The lines as far as they are understood, the ids of all that may be there, and what is missing, in words.

    While anything is missing the lines that are not told here stay as they were.
    """

    lines: tuple[Line, ...]
    named: tuple[str, ...]
    missing: str = ""


class _Chosen(Struct, frozen=True):
    """How much was chosen of each component by its SKU, and the components of which the SKU is not known."""

    by_sku: dict[str, Decimal]
    unnamed: tuple[int, ...]


def lines_sold(whole: Whole, running: Bill | None) -> Sold:
    """The product, and each chosen component that has attributes of its own. Raises ValueError."""
    version = current_version(whole)
    product_version = whole.subscription.current_product_version
    if product_version is None and version is not None:
        product_version = version.product_version
    if product_version is None:
        return Sold((), (MAIN,), "" if whole.subscription.state in _NOT_SOLD else "the version of its product")
    if not product_version.is_expanded:
        # Only named, as after an upgrade that one request saw and another did not: what is known of it counts.
        return Sold((), (MAIN,), f"what version {product_version.id} of its product says")
    chosen, said = _chosen(whole, version), read_comment(product_version.comment or "")
    missing = _missing(said, chosen)
    price = str(product_version.id)
    start, end = (running.start, running.end) if running else (None, None)
    main = Line(
        id=MAIN,
        product=_product(product_version),
        price=price,
        quantity=whole_units(chosen.by_sku.get(said.counted_by)),
        attributes=said.product,
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
        for sku, quantity in sorted(chosen.by_sku.items())
        if sku in said.components
    ]
    counted = not said.counted_by or said.counted_by in chosen.by_sku
    lines = (main, *components) if counted else tuple(components)
    named = [each.id for each in (main, *components)]
    if missing:
        named += [f"component/{sku}" for sku in sorted(said.components)]
    return Sold(lines, tuple(dict.fromkeys(named)), missing)


def _missing(said: Said, chosen: _Chosen) -> str:
    """What keeps the lines from being understood: how many units there are is never guessed."""
    unnamed = ", ".join(map(str, chosen.unnamed))
    lost = f"component {unnamed} of the subscription was not found, or has no SKU" if unnamed else ""
    if said.counted_by and said.counted_by not in chosen.by_sku:
        there = ", ".join(sorted(chosen.by_sku)) or "none"
        slip = f"the comment of its product counts units by {said.counted_by!r}, and chosen by SKU are {there}"
        return "; ".join(filter(None, (slip, lost)))
    return lost if any(sku not in chosen.by_sku for sku in said.components) else ""


def current_version(whole: Whole) -> Version | None:
    return max(whole.versions, key=lambda each: (_rank(each), each.id), default=None)


def _rank(version: Version) -> int:
    return _RANKS.index(version.state) if version.state in _RANKS else -1


def _product(version: ProductVersion) -> str:
    product = version.product
    return str(version.id) if product is None else product.reference or product.name or str(product.id)


def _chosen(whole: Whole, version: Version | None) -> _Chosen:
    skus = {each.id: each.reference.sku for each in whole.components if each.reference and each.reference.sku}
    chosen: dict[str, Decimal] = {}
    unnamed = []
    for configuration in (version.component_configurations if version else None) or ():
        component = id_of(configuration.component) or 0
        sku = skus.get(component)
        if sku is None:
            unnamed.append(component)
        else:
            told = configuration.quantity
            chosen[sku] = chosen.get(sku, Decimal(0)) + (Decimal(1) if told is None else told)
    return _Chosen(chosen, tuple(unnamed))


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
