"""Which act Stripe allows in which state, as a table that tests draw from too."""

from collections.abc import Callable, Mapping
from typing import Literal

from service.sandbox.stripe.model import Status, Subscription

FirstPayment = Literal["succeeds", "fails", "needs_authentication", "came_first"]

ALIVE: frozenset[Status] = frozenset({"trialing", "active", "past_due"})
RUNNING: frozenset[Status] = frozenset({"trialing", "active"})

LEGAL: Mapping[str, frozenset[Status]] = {
    "confirm": frozenset({"incomplete"}),
    "expire": frozenset({"incomplete"}),
    "renew": frozenset({"trialing", "active", "unpaid"}),
    "fail_payment": frozenset({"trialing", "active", "past_due"}),
    "fall_overdue": frozenset({"active"}),
    "pay_invoice": frozenset({"active"}),
    "recover": frozenset({"past_due", "unpaid"}),
    "become_unpaid": frozenset({"past_due"}),
    "lapse": frozenset({"past_due"}),
    "cancel_now": ALIVE | {"unpaid", "paused"},
    "cancel_at_period_end": ALIVE,
    "withdraw_cancellation": ALIVE | {"unpaid"},
    "reach_period_end": ALIVE | {"unpaid"},
    "change_quantity": RUNNING,
    "change_plan": RUNNING,
    "add_item": RUNNING,
    "remove_item": RUNNING,
    "pause_collection": RUNNING,
    "resume_collection": ALIVE,
    "pause": frozenset({"trialing"}),
    "resume": frozenset({"paused"}),
}

AT_PERIOD_END = frozenset({"renew", "fail_payment", "reach_period_end", "pause"})
"""What Stripe does by itself when a period ends: legal however late it is done."""


class IllegalAct(ValueError):
    """The account's state does not allow the act; the text says what would."""


def _scheduled(subscription: Subscription) -> bool:
    return subscription.cancel_at_period_end


def _cardless_trial(subscription: Subscription) -> bool:
    return subscription.status == "trialing" and subscription.pauses_without_payment_method


def _charged(subscription: Subscription) -> bool:
    return subscription.collection == "charge_automatically"


_CONDITIONS: Mapping[str, tuple[Callable[[Subscription], bool], str]] = {
    "renew": (lambda it: not _scheduled(it) and not _cardless_trial(it), "reach_period_end or pause it instead"),
    "fail_payment": (
        lambda it: (
            it.status == "past_due"
            or (_charged(it) and it.pause is None and not _scheduled(it) and not _cardless_trial(it))
        ),
        "only a charge that is due can fail",
    ),
    "fall_overdue": (lambda it: not _charged(it), "only invoices sent by mail fall overdue"),
    "pay_invoice": (lambda it: not _charged(it), "only invoices sent by mail are paid by the customer"),
    "cancel_at_period_end": (lambda it: not _scheduled(it), "it is scheduled already"),
    "withdraw_cancellation": (_scheduled, "nothing is scheduled"),
    "reach_period_end": (_scheduled, "nothing is scheduled; renew it"),
    "remove_item": (lambda it: len(it.items) > 1, "the last item stays; cancel the subscription"),
    "pause_collection": (lambda it: it.pause is None, "collection is paused already"),
    "resume_collection": (lambda it: it.pause is not None, "collection is not paused"),
    "pause": (
        lambda it: _cardless_trial(it) and not _scheduled(it),
        "only a trial without a card pauses; subscribe with card=False",
    ),
}


def allow(act: str, subscription: Subscription, now: int) -> None:
    """Raises IllegalAct with the reason when the act cannot happen to the subscription at that second."""
    if subscription.status not in LEGAL[act]:
        states = ", ".join(sorted(LEGAL[act]))
        raise IllegalAct(f"{act}: {subscription.id} is {subscription.status}, it would have to be one of {states}")
    condition, remedy = _CONDITIONS.get(act, (lambda _: True, ""))
    if not condition(subscription):
        raise IllegalAct(f"{act}: {subscription.id}: {remedy}")
    overdue = now > subscription.due and subscription.status in ALIVE
    if overdue and (act not in AT_PERIOD_END or subscription.status == "past_due"):
        raise IllegalAct(f"{act}: the period of {subscription.id} is over; settle it first (renew, recover, …)")


def legal_acts(subscription: Subscription, now: int) -> list[str]:
    """The acts that `allow` lets pass, in the table's order."""
    acts = []
    for act in LEGAL:
        try:
            allow(act, subscription, now)
        except IllegalAct:
            continue
        acts.append(act)
    return acts
