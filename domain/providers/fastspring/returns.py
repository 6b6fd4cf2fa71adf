"""What FastSpring says of money that went back, and of purchases that it could not fulfill."""

from decimal import Decimal

from msgspec import Struct

from domain import facts as f
from domain.currencies import in_smallest_unit
from domain.events import Event, identifier_of, kind_of
from domain.providers.fastspring.order_shapes import Return, ReturnedItem, ReturnedOrder
from domain.providers.fastspring.shapes import NamedSubscription, Text, id_of, path_of, whole


class Unfulfilled(Struct, frozen=True):
    """The store's license generator failed, after the buyer had paid."""

    product: Text | None = None
    subscription: Text | NamedSubscription | None = None


def created(given_back: Return, event: Event) -> list[f.Fact]:
    """One return; several of one order add up.

    Its items say what it is for: units that were taken back, or (quantity 0) money alone. What is for something else of
    the order says nothing here, until all of the order's money is back.
    """
    order = given_back.original_order
    if not order:
        return [f.Noted(about="money went back for an order that the event does not name")]
    if given_back.completed is False or given_back.total_return is None:
        return [f.Noted(about="a return is under way")]
    currency, items = given_back.currency or "", given_back.items or []
    original = given_back.original
    total = original.total if isinstance(original, ReturnedOrder) else None
    if total is None and any(not item.quantity for item in items):
        return [f.Noted(about="part of the money went back; of how much, the event does not say")]
    if total is None:
        total = Decimal(0) if items else given_back.total_return
    mine = _of_this(items, event, currency) if items else None
    refund = f.PaymentRefunded(
        payment=order,
        amount=in_smallest_unit(total, currency),
        refunded=in_smallest_unit(given_back.total_return, currency),
        currency=currency,
        invoice=order,
        part=given_back.identifier,
        items=mine,
    )
    return [refund, *([f.Noted(about="that is for something else of the same order")] if mine == () else [])]


def _of_this(items: list[ReturnedItem], event: Event, currency: str) -> tuple[f.GivenBack, ...]:
    """What was given back of what this stream is about; of several things the money may be split in any way."""
    of = identifier_of(event.stream) if kind_of(event.stream) == "subscription" else ""
    return tuple(
        f.GivenBack(
            product=path_of(item.product),
            quantity=whole(item.quantity),
            amount=in_smallest_unit(item.subtotal or Decimal(0), currency),
        )
        for item in items
        if id_of(item.subscription) == of
    )


def unfulfilled(failure: Unfulfilled, event: Event) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    what = f" for {failure.product[:80]}" if failure.product else ""
    return [
        f.Noted(
            about=f"the store got no key{what} from its license generator, and the buyer has paid: "
            "send the buyer the key of the license that stands here, and see why the generator failed"
        )
    ]
