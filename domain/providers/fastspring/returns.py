"""What FastSpring says of money that went back, and of purchases that it could not fulfill."""

from decimal import Decimal

from msgspec import Struct

from domain import facts as f
from domain.currencies import in_smallest_unit
from domain.events import Event, identifier_of, kind_of
from domain.providers.fastspring.order_shapes import Return, ReturnedOrder
from domain.providers.fastspring.shapes import Money, NamedSubscription, Text, id_of


class Unfulfilled(Struct, frozen=True):
    """The store's license generator failed, after the buyer had paid."""

    product: Text | None = None
    subscription: Text | NamedSubscription | None = None


def created(given_back: Return, event: Event) -> list[f.Fact]:
    """One return; several of one order add up.

    Goods of a subscription that were taken back stand against what that subscription cost; money alone, and whatever
    does not say what it is for, against the whole order.
    """
    order = given_back.original_order
    if not order:
        return [f.Noted(about="money went back for an order that the event does not name")]
    if given_back.completed is False or given_back.total_return is None:
        return [f.Noted(about="a return is under way")]
    currency = given_back.currency or ""
    original = given_back.original
    total = original.total if isinstance(original, ReturnedOrder) else None
    if total is None and any(not item.quantity for item in given_back.items or ()):
        return [f.Noted(about="part of the money went back; of how much, the event does not say")]
    total = given_back.total_return if total is None else total
    share = _share(given_back, total, event)
    if share is None:
        return [f.Noted(about="money went back for something else of the same order")]
    amount, refunded = (in_smallest_unit(money, currency) for money in share)
    refund = f.PaymentRefunded(
        payment=order,
        amount=amount,
        refunded=refunded,
        currency=currency,
        invoice=order,
        part=given_back.identifier,
    )
    return [refund]


def _share(given_back: Return, total: Money, event: Event) -> tuple[Money, Money] | None:
    """Of how much, and how much of that, went back for what this stream is about; None where nothing did."""
    items = given_back.items or []
    of = identifier_of(event.stream) if kind_of(event.stream) == "subscription" else ""
    mine = [item for item in items if id_of(item.subscription) == of]
    back = given_back.total_return or total
    if back >= total or not items:
        return total, back
    if not mine:
        return None
    known = [item.subtotal for item in mine if item.quantity and item.subtotal is not None]
    if of and len(known) == len(mine):
        return (own := sum(known, start=Decimal(0))), own
    # What is given back of the order in several steps may be split among its items in any way.
    return total, back


def unfulfilled(failure: Unfulfilled, event: Event) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    what = f" for {failure.product[:80]}" if failure.product else ""
    return [
        f.Noted(
            about=f"the store got no key{what} from its license generator, and the buyer has paid: "
            "send the buyer the key of the license that stands here, and see why the generator failed"
        )
    ]
