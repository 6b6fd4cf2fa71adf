"""What Stripe's events mean, by type."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.events import Event, kind_of
from domain.facts import Fact, Noted
from domain.providers import Translate, Untranslatable
from domain.providers.item import part_of
from domain.providers.reading import Reader
from domain.providers.stripe import customers, invoices, payments, subscriptions
from domain.providers.stripe.answer_facts import asked_anew, translate_answer
from domain.providers.stripe.invoice_shapes import Invoice, InvoicePayment
from domain.providers.stripe.shapes import Notification
from domain.readback import TYPE as ANSWER

T = TypeVar("T")


def translate(event: Event) -> Sequence[Fact]:
    """The facts of one event; `Noted` for every type that changes nothing Tenure derives.

    Raises Untranslatable, naming the type and the place in the body, never a value that could be personal.
    """
    if kind_of(event.stream) == "wrong-mode":
        return [Noted(about="sent in the other mode, live or test, than this source is for")]
    if event.type.startswith(ANSWER):
        return translate_answer(event)
    read = _BY_TYPE.get(event.type)
    return [Noted()] if read is None else read(event)


def _reads(decoder: Reader[Notification[T]], tell: Callable[[T], list[Fact]]) -> Translate:
    return _places(decoder, lambda shown, _: tell(shown))


def _places(decoder: Reader[Notification[T]], tell: Callable[[T, Event], list[Fact]]) -> Translate:
    """As `_reads`, for what depends on the event as well: the stream it stands in, or its time."""

    def read(event: Event) -> Sequence[Fact]:
        try:
            return tell(decoder.decode(part_of(event.body, event.item)).data.object, event)
        except (ValueError, RecursionError) as error:
            # msgspec's errors are ValueErrors; their text names a place, not what stands there.
            raise Untranslatable(f"{event.type}: {error}") from None

    return read


def _snapshot(tell: Callable[[subscriptions.Subscription], list[Fact]]) -> Translate:
    return _places(_SUBSCRIPTION, lambda shown, event: asked_anew(tell(shown), event))


_SESSION = Reader(Notification[customers.Session])
_CUSTOMER = Reader(Notification[customers.Customer])
_SUBSCRIPTION = Reader(Notification[subscriptions.Subscription])
_INVOICE = Reader(Notification[Invoice])
_INVOICE_PAYMENT = Reader(Notification[InvoicePayment])
_CHARGE = Reader(Notification[payments.Charge])
_REFUND = Reader(Notification[payments.Refund])
_DISPUTE = Reader(Notification[payments.Dispute])

_BY_TYPE: dict[str, Translate] = {
    "checkout.session.completed": _places(_SESSION, customers.session_completed),
    "checkout.session.async_payment_succeeded": _places(_SESSION, customers.session_paid),
    "checkout.session.async_payment_failed": _places(_SESSION, customers.session_failed),
    "customer.subscription.created": _snapshot(subscriptions.created),
    "customer.subscription.updated": _snapshot(subscriptions.snapshot),
    "customer.subscription.paused": _snapshot(subscriptions.snapshot),
    "customer.subscription.resumed": _snapshot(subscriptions.snapshot),
    "customer.subscription.trial_will_end": _snapshot(subscriptions.trial_will_end),
    "customer.subscription.deleted": _snapshot(subscriptions.deleted),
    "customer.updated": _reads(_CUSTOMER, customers.updated),
    # Stripe sends both for one payment; invoice.paid also for one marked as paid out of band.
    "invoice.paid": _reads(_INVOICE, invoices.paid),
    "invoice.payment_succeeded": _reads(_INVOICE, invoices.paid),
    "invoice.payment_failed": _reads(_INVOICE, invoices.payment_failed),
    "invoice.payment_action_required": _reads(_INVOICE, invoices.payment_action_required),
    "invoice_payment.paid": _reads(_INVOICE_PAYMENT, invoices.payment_paid),
    "charge.refunded": _reads(_CHARGE, payments.refunded),
    "charge.refund.updated": _reads(_REFUND, payments.refund_updated),
    "charge.dispute.created": _reads(_DISPUTE, payments.dispute_told),
    "charge.dispute.updated": _reads(_DISPUTE, payments.dispute_told),
    "charge.dispute.funds_withdrawn": _reads(_DISPUTE, payments.dispute_told),
    "charge.dispute.closed": _reads(_DISPUTE, payments.dispute_closed),
}

TRANSLATED_TYPES = frozenset(_BY_TYPE)
"""The types that say more than a note: what a webhook endpoint has to be subscribed to."""
