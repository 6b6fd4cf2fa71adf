"""What was bought: the lines of a subscription and of an order.

A product is named by its path, which is the price's name here, too. Its license attributes stand in the product where
it is expanded. A subscription and an item of an order have attributes of their own, which a shop's page may set: they
count where they hold license attributes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from domain.attributes import attribute_of
from domain.facts import Line, LinesDescribed
from domain.providers.fastspring.order_shapes import Item
from domain.providers.fastspring.periods import Period, current_period
from domain.providers.fastspring.shapes import Attributes, Product, path_of, texts, whole
from domain.providers.fastspring.subscription_shapes import AddOn, Subscription

MAIN = "subscription"
"""The line of a subscription's own product; it stays the same when the product changes."""


def attributes_of(product: str | Product | None, *others: Attributes | None) -> dict[str, str] | None:
    """The license attributes; None where the product is only named."""
    if isinstance(product, Product) and product.attributes is not None:
        return texts(product.attributes)
    told = (texts(other) for other in others if other)
    return next((each for each in told if any(map(attribute_of, each))), None)


def subscription_lines(
    subscription: Subscription, *, overdue: bool = False, items: Iterable[Item] = (), complete: bool = True
) -> list[LinesDescribed]:
    """The lines of a subscription, with what the items of its order say of them; none where it names no product.

    `complete`: what is not named was removed, where add-ons are listed at all.
    """
    path = path_of(subscription.product)
    if not path:
        return []
    period = current_period(subscription, overdue=overdue)
    ordered = list(items)
    own = _main_item(ordered, path)
    product = own.product if isinstance(own.product, Product) else subscription.product
    attributes = attributes_of(product, subscription.attributes, own.attributes)
    main = _line(MAIN, path, subscription.quantity, attributes, period)
    beside = [item for item in ordered if item is not own]
    beside_paths = {path_of(item.product) for item in beside}
    added = [_add_on(each) for each in subscription.addons or ()]
    added = [each for each in added if path_of(each.product) not in beside_paths]
    lines = [main, *_add_ons(beside, period), *_add_ons(added, period)]
    return [LinesDescribed(lines=tuple(lines), complete=complete and subscription.addons is not None)]


def purchased_lines(items: Iterable[Item]) -> tuple[Line, ...]:
    """The lines of what was bought once; a product that stands there again has a number behind its path."""
    seen: Counter[str] = Counter()
    lines = []
    for item in items:
        path = path_of(item.product)
        if path:
            attributes = attributes_of(item.product, item.attributes)
            lines.append(_line(_numbered(path, seen), path, item.quantity, attributes, (None, None), recurring=False))
    return tuple(lines)


def _main_item(items: Sequence[Item], path: str) -> Item:
    """The item of the subscription's own product; the others with the same subscription are add-ons."""
    named = (item for item in items if path_of(item.product) == path)
    return next(named, None) or next((item for item in items if not item.is_addon), Item())


def _add_on(told: str | AddOn) -> AddOn:
    return told if isinstance(told, AddOn) else AddOn(product=told)


def _add_ons(added: Iterable[Item | AddOn], period: Period) -> list[Line]:
    seen: Counter[str] = Counter()
    return [
        _line(
            f"addon/{_numbered(path, seen)}", path, each.quantity, attributes_of(each.product, each.attributes), period
        )
        for each in added
        if (path := path_of(each.product))
    ]


def _numbered(path: str, seen: Counter[str]) -> str:
    seen[path] += 1
    return path if seen[path] == 1 else f"{path}#{seen[path]}"


def _line(
    id_: str,
    path: str,
    quantity: float | None,
    attributes: dict[str, str] | None,
    period: Period,
    *,
    recurring: bool = True,
) -> Line:
    return Line(
        id=id_,
        product=path,
        price=path,
        quantity=1 if quantity is None else whole(quantity),
        attributes=attributes or {},
        recurring=recurring,
        described=attributes is not None,
        period_start=period[0],
        period_end=period[1],
    )
