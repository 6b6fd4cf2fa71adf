"""What FastSpring's payloads leave out and its API can say.

Webhook expansion fills most of it. Without it products, accounts and subscriptions are named only, and an order of a
subscription, or a charge, does not say until when it pays.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

from domain.events import Stream, identifier_of, kind_of
from domain.lifecycle import State
from domain.providers.unheard import UNHEARD, unheard
from domain.readback import Want
from domain.subscription import FIRST_PAYMENT, Subscription

CHARGE = "#charge="
OVERDUE = "#overdue="
AGAIN = "#again="
"""What it is asked for: that is not sent, it tells one question apart from the next about the same subscription."""


MOST_TIMES = 5


def wants(stream: Stream, subscription: Subscription) -> Sequence[Want]:
    """What is missing in the stream of a subscription or an order."""
    kind, identifier = kind_of(stream), quote(identifier_of(stream), safe="")
    recurring = kind == "subscription"
    if not recurring and kind != "order":
        return []
    # By policy the licenses of a purchase may outlive its refund.
    if subscription.state is State.TERMINATED and (recurring or not subscription.refunds):
        return []
    return [
        *(_subscription(identifier, subscription) if recurring else ()),
        *_products(subscription),
        *_address(subscription),
    ]


def _subscription(identifier: str, s: Subscription) -> Iterator[Want]:
    about = f"subscriptions/{identifier}"
    if not s.lines:
        yield Want(about=about, why="what was subscribed to", essential=True, patient=True)
    for payment, invoice in s.payments.items():
        if invoice != FIRST_PAYMENT and invoice not in s.invoices:
            yield _charge(f"{about}{CHARGE}{quote(payment, safe='')}", s)
    if silent := unheard(s):
        yield Want(about=f"{about}{UNHEARD}{silent}", why="whether it goes on, as nothing was heard of a renewal")
    since = s.past_due_since
    if since is not None and s.state is State.PAST_DUE and _ended(s, since.at):
        why = "how long the store goes on trying to collect"
        yield Want(about=f"{about}{OVERDUE}{quote(since.event_id, safe='')}", why=why, patient=True)


def _charge(about: str, s: Subscription) -> Want:
    """Asked again, a few times, while the API still shows the subscription as it was before the charge."""
    again = (about, *(f"{about}{AGAIN}{number}" for number in range(2, MOST_TIMES + 1)))
    open_ = next((each for each in again if each not in s.answered), again[-1])
    return Want(about=open_, why="until when a charge pays", patient=True)


def _ended(s: Subscription, at: datetime) -> bool:
    """Whether the period that is told as the current one is over: a failed charge may name the subscription alone."""
    ends = [held.line.period_end for held in s.lines.values() if held.line.period_end is not None]
    return bool(ends) and max(ends) <= at


def _products(s: Subscription) -> Iterator[Want]:
    paths = dict.fromkeys(held.line.price for held in s.lines.values() if not held.line.described)
    for path in paths:
        yield Want(about=f"products/{quote(path, safe='')}", why=f"the attributes of product {path}", essential=True)


def _address(s: Subscription) -> Iterator[Want]:
    reference = s.customer.reference
    if s.identified and reference and not s.customer.email:
        yield Want(about=f"accounts/{quote(reference, safe='')}", why="the customer's e-mail address", patient=True)
