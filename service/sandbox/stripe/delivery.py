"""Events as Stripe delivers them: the envelope, what was before, the exact bytes, the signature."""

from collections.abc import Callable, Collection, Iterable
from hashlib import sha256
from hmac import new as hmac
from typing import Any

import msgspec

from service.sandbox.stripe.model import Happening, Merchant
from service.sandbox.stripe.shapes import Shape, render

Json = dict[str, Any]

LICENSING = frozenset(
    {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.refunded",
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "customer.updated",
        "invoice.paid",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "invoice_payment.paid",
    }
)
"""The event types that an endpoint for licenses would enable; without a choice an endpoint gets all."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The body of one webhook request, and what it is about. `created` is in whole seconds since 1970."""

    body: bytes
    event_id: str
    type: str
    created: int

    def __repr__(self) -> str:
        """Without the body: it is long, and names people."""
        return f"Delivery({self.type} {self.event_id} at {self.created}, {len(self.body)} bytes)"


def sign(body: bytes, secret: str, timestamp: int) -> str:
    """The value of the `Stripe-Signature` header. The whole `whsec_…` text is the key."""
    digest = hmac(secret.encode(), f"{timestamp}.".encode() + body, sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def deliveries(
    happenings: Iterable[Happening],
    merchant: Merchant,
    shape: Shape | Callable[[int], Shape] = Shape.CLOVER,
    *,
    types: Collection[str] | None = None,
) -> list[Delivery]:
    """What an endpoint gets, in true order.

    `shape` may depend on when the event was created, as when an account is upgraded: nothing is rendered twice.
    Events that the API version does not have are left out.
    """
    chosen = (it for it in happenings if types is None or it.type in types)
    made = (delivery(it, merchant, shape if isinstance(shape, Shape) else shape(it.created)) for it in chosen)
    return [each for each in made if each is not None]


def delivery(happening: Happening, merchant: Merchant, shape: Shape) -> Delivery | None:
    """One event as bytes, without a space to spare; None where the API version has no such object."""
    event = envelope(happening, merchant, shape)
    if event is None:
        return None
    return Delivery(
        body=msgspec.json.encode(event), event_id=happening.id, type=happening.type, created=happening.created
    )


def envelope(happening: Happening, merchant: Merchant, shape: Shape) -> Json | None:
    rendered = render(happening.object, merchant, shape)
    if rendered is None:
        return None
    data: Json = {"object": rendered}
    if happening.before is not None:
        data["previous_attributes"] = previous_attributes(render(happening.before, merchant, shape) or {}, rendered)
    request = happening.request
    return {
        "id": happening.id,
        "object": "event",
        "api_version": shape.value,
        "created": happening.created,
        "data": data,
        "livemode": merchant.livemode,
        "pending_webhooks": 1,
        "request": {
            "id": request and request.id,
            "idempotency_key": request and request.idempotency_key,
        },
        "type": happening.type,
    }


def previous_attributes(before: Json, after: Json) -> Json:
    """What the changed fields were: nested objects field by field, lists of objects and replaced objects whole."""
    return {name: _previous(before.get(name), value) for name, value in after.items() if before.get(name) != value}


def _previous(before: Any, after: Any) -> Any:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return before
    if after.get("object") == "list":
        return {"data": before["data"]}
    if before.get("id") != after.get("id"):
        return before
    gone = {name: value for name, value in before.items() if name not in after}
    return gone | previous_attributes(before, after)
