"""What FastSpring says of money that went back, and of purchases that it could not fulfill."""

from msgspec import Struct

from domain import facts as f
from domain.currencies import in_smallest_unit
from domain.events import Event
from domain.providers.fastspring.order_shapes import Return, ReturnedOrder
from domain.providers.fastspring.shapes import NamedSubscription, Text


class Unfulfilled(Struct, frozen=True):
    """The store's license generator failed, after the buyer had paid."""

    product: Text | None = None
    subscription: Text | NamedSubscription | None = None


def created(given_back: Return, event: Event) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    """One return; several of one order add up.

    Its amount stands against that of the whole order, and so does what the order paid in each stream of it.
    """
    order = given_back.original_order
    if not order:
        return [f.Noted(about="money went back for an order that the event does not name")]
    if given_back.completed is False or given_back.total_return is None:
        return [f.Noted(about="a return is under way")]
    currency = given_back.currency or ""
    refunded = in_smallest_unit(given_back.total_return, currency)
    original = given_back.original
    total = original.total if isinstance(original, ReturnedOrder) else None
    if total is None and any(not item.quantity for item in given_back.items or ()):
        return [f.Noted(about="part of the money went back; of how much, the event does not say")]
    refund = f.PaymentRefunded(
        payment=order,
        amount=refunded if total is None else in_smallest_unit(total, currency),
        refunded=refunded,
        currency=currency,
        invoice=order,
        part=given_back.identifier,
    )
    return [refund]


def unfulfilled(failure: Unfulfilled, event: Event) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    what = f" for {failure.product[:80]}" if failure.product else ""
    return [
        f.Noted(
            about=f"the store got no key{what} from its license generator, and the buyer has paid: "
            "send the buyer the key of the license that stands here, and see why the generator failed"
        )
    ]
