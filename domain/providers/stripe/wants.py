"""What Stripe's payloads leave out and its API can say.

A checkout session never holds what was bought, a price of an invoice line is only named, a subscription names its
customer, and a refund since basil (2025-03-31) names a payment that only `invoice_payments` leads on from.
"""

from collections.abc import Iterator, Sequence

from domain.events import Stream, identifier_of, kind_of
from domain.providers.stripe.customers import WITH_LINES
from domain.providers.stripe.shapes import named
from domain.providers.unheard import UNHEARD, unheard
from domain.readback import Want
from domain.subscription import Subscription


def wants(stream: Stream, subscription: Subscription) -> Sequence[Want]:
    """What is missing in that stream."""
    kind, identifier = kind_of(stream), identifier_of(stream)
    return [
        *_lines(kind, identifier, subscription),
        *_prices(subscription),
        *_address(subscription),
        *_owner(kind, identifier, subscription),
        *_bills(kind, identifier, subscription),
        *_unheard(kind, identifier, subscription),
    ]


def _lines(kind: str, identifier: str, s: Subscription) -> Iterator[Want]:
    if s.lines_from:
        # That an invoice is paid is told by an event of its own, which shows its lines; a session names it by then.
        told_soon = s.lines_from.startswith("invoices/") or s.lines_from.endswith(WITH_LINES)
        why = "what was bought (its lines with their prices)"
        yield Want(about=s.lines_from, why=why, essential=not s.lines, patient=told_soon)
    elif kind == "subscription" and not s.lines:
        why = "what was subscribed to (its items with their prices)"
        yield Want(about=f"subscriptions/{named(identifier)}", why=why, essential=True, patient=True)


def _prices(s: Subscription) -> Iterator[Want]:
    prices = {held.line.price: None for held in s.lines.values() if not held.line.described}
    for price in prices:
        yield Want(about=f"prices/{named(price)}", why="the license terms of a price (its metadata)", essential=True)


def _address(s: Subscription) -> Iterator[Want]:
    reference = s.customer.reference
    if s.identified and reference.startswith("cus_") and not s.customer.email:
        yield Want(about=f"customers/{named(reference)}", why="the customer's e-mail address", patient=True)


def _bills(kind: str, identifier: str, s: Subscription) -> Iterator[Want]:
    """Money back for an invoice that was paid without our hearing of it: then others were, too.

    All are asked for. To know of that one alone would make it the one that counts, and it may be long past.
    """
    if kind != "subscription":
        return
    paid = [refund.invoice or s.payments.get(payment, "") for payment, refund in s.refunds.items()]
    paid += [s.payments.get(dispute.payment, "") for dispute in s.disputes.values()]
    unheard = sorted({invoice for invoice in paid if invoice and invoice not in s.invoices})
    if unheard:
        about = f"invoices?subscription={named(identifier)}&status=paid#{named(unheard[0])}"
        yield Want(about=about, why="which periods were paid", patient=True)


def _unheard(kind: str, identifier: str, s: Subscription) -> Iterator[Want]:
    """What is paid is over, and no event said how it goes on."""
    since = unheard(s)
    if kind == "subscription" and since:
        paid = f"invoices?subscription={identifier}&status=paid{UNHEARD}{since}"
        yield Want(about=f"subscriptions/{identifier}{UNHEARD}{since}", why="whether it goes on")
        yield Want(about=paid, why="which periods were paid, as nothing was heard of a renewal")


def _owner(kind: str, identifier: str, s: Subscription) -> Iterator[Want]:
    """Money whose subscription or purchase is not known; an event that links it may well be on its way."""
    if s.identified or not (s.refunds or s.disputes or s.payments):
        return
    if kind == "payment":
        about = f"invoice_payments?payment[type]=payment_intent&payment[payment_intent]={named(identifier)}"
        yield Want(about=about, why="which invoice the payment paid", patient=True)
    elif kind == "invoice":
        why = "which subscription or purchase the invoice is for"
        yield Want(about=f"invoices/{named(identifier)}", why=why, patient=True)
