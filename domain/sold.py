"""What was bought: the lines as they stand, what is read of their prices, and every form that was ever licensed."""

import msgspec

from domain import facts as f
from domain.lifecycle import LICENSED, State
from domain.subscription import EventRef, HeldLine, SoldLine, Subscription
from domain.terms import works_unpaid


def lines_described(s: Subscription, fact: f.LinesDescribed, ref: EventRef) -> None:
    kept = {} if fact.complete else dict(s.lines)
    for line in (_described(told, s) for told in fact.lines):
        held = s.lines.get(line.id)
        kept[line.id] = held if held is not None and held.line == line else HeldLine(line, ref)
    if kept != s.lines:
        s.lines, s.lines_since = kept, ref
    if fact.rest_from or (fact.lines and fact.complete):
        s.lines_from = fact.rest_from
    s.identified = True


def _described(line: f.Line, s: Subscription) -> f.Line:
    """The line with what is known of its price, where its payload only named it.

    That is what was read back, or what another payload of this stream told: what was bought is what was told first.
    """
    if line.described:
        return line
    price = s.prices.get(line.price)
    if price is not None:
        return msgspec.structs.replace(line, product=price.product, attributes=price.attributes, described=True)
    known = [held.line for held in s.lines.values()] + [sold.line for sold in reversed(s.sold)]
    same = next((each for each in known if each.described and each.price == line.price), None)
    if same is None:
        return line
    return msgspec.structs.replace(line, product=same.product, attributes=same.attributes, described=True)


def price_described(s: Subscription, fact: f.PriceDescribed, ref: EventRef) -> None:
    """The first reading stands: what was bought is what the catalog said then."""
    s.prices = {fact.price: fact, **s.prices}
    lines = {
        name: held if (line := _described(held.line, s)) == held.line else HeldLine(line, ref)
        for name, held in s.lines.items()
    }
    if lines != s.lines:
        s.lines, s.lines_since = lines, ref


def remember_sold(subscription: Subscription) -> None:
    """Keeps every form in which a line was ever licensed, the one that was sold last at the end."""
    for held in subscription.lines.values():
        if not held.line.described or not _may_be_licensed(subscription, held.line):
            continue
        forms = [sold for sold in subscription.sold if sold.line.id == held.line.id]
        last = forms[-1] if forms else None
        same = next((sold for sold in forms if _same_form(sold.line, held.line)), None)
        most = max(held.line.quantity, same.most if same else 0)
        if same is None or same is not last or 0 < held.line.quantity != same.line.quantity:
            since = same.since if same is not None and same is last else held.since
            others = [sold for sold in subscription.sold if sold is not same]
            subscription.sold = [*others, SoldLine(held.line, most, since)]


def _may_be_licensed(subscription: Subscription, line: f.Line) -> bool:
    unpaid = subscription.state is State.PENDING and subscription.opened_since is not None
    return subscription.state in LICENSED or (unpaid and works_unpaid(line.attributes))


def _same_form(one: f.Line, other: f.Line) -> bool:
    """Whether two lines are licensed alike: what the identity of a license can follow from is equal."""
    return (one.product, one.price, one.recurring, one.attributes) == (
        other.product,
        other.price,
        other.recurring,
        other.attributes,
    )
