"""Which act FastSpring allows in which state, as a table that tests draw from too."""

from collections.abc import Callable, Mapping

from service.sandbox.fastspring.calendar import DAY
from service.sandbox.fastspring.model import State, Subscription

RUNNING: frozenset[State] = frozenset({"trial", "active"})
LIVING: frozenset[State] = RUNNING | {"overdue", "canceled", "paused"}

LEGAL: Mapping[str, frozenset[State]] = {
    "renew": RUNNING,
    "charge_managed": frozenset({"active"}),
    "fail_charge": RUNNING | {"overdue"},
    "notify_overdue": frozenset({"overdue"}),
    "recover": frozenset({"overdue"}),
    "give_up": frozenset({"overdue"}),
    "remind": RUNNING,
    "change_quantity": RUNNING,
    "change_product": RUNNING,
    "add_addon": RUNNING,
    "remove_addon": RUNNING,
    "change_card": LIVING - {"paused"},
    "set_end": frozenset({"active"}),
    "cancel": RUNNING,
    "uncancel": frozenset({"canceled"}),
    "reach_end": frozenset({"canceled", "active"}),
    "deactivate_now": LIVING,
    "schedule_pause": frozenset({"active"}),
    "begin_pause": frozenset({"active"}),
    "resume": frozenset({"paused"}),
    "reactivate": frozenset({"deactivated"}),
}

AT_PERIOD_END = frozenset({"renew", "fail_charge", "reach_end", "begin_pause"})
"""What FastSpring does by itself on the day of the next charge: legal however late it is done."""


class IllegalAct(ValueError):
    """The store's state does not allow the act; the text says what would."""


def _ends(subscription: Subscription) -> bool:
    """The next charge would lie on or after the end of a fixed term."""
    return subscription.end is not None and subscription.next is not None and subscription.end <= subscription.next


def _goes_on(subscription: Subscription) -> bool:
    return not (subscription.managed or subscription.pause_scheduled or _ends(subscription))


_CONDITIONS: Mapping[str, tuple[Callable[[Subscription], bool], str]] = {
    "renew": (_goes_on, "nothing is due; begin_pause, reach_end or charge_managed instead"),
    "fail_charge": (lambda it: it.state == "overdue" or _goes_on(it), "only a charge that is due can fail"),
    "charge_managed": (lambda it: it.managed, "only a managed subscription is charged at will; renew it"),
    "notify_overdue": (lambda it: it.notices < it.notices_total, "all notices were sent; give_up"),
    "give_up": (lambda it: it.notices >= it.notices_total, "notices are still to be sent"),
    "remind": (lambda it: not it.managed, "a managed subscription has no day of the next charge"),
    "add_addon": (lambda it: not it.managed, "give add-ons to a subscription with a rhythm"),
    "remove_addon": (lambda it: bool(it.addons), "it has no add-on"),
    "set_end": (lambda it: not it.managed and not it.pause_scheduled, "it has no rhythm, or is about to pause"),
    "cancel": (
        lambda it: not it.managed and it.end is None and not it.pause_scheduled,
        "deactivate_now: it is managed, has a fixed end, or is about to pause",
    ),
    "reach_end": (lambda it: it.state == "canceled" or _ends(it), "no end is scheduled; renew it"),
    "schedule_pause": (
        lambda it: not (it.managed or it.pause_scheduled or it.end),
        "it is managed, has a fixed end, or is about to pause",
    ),
    "begin_pause": (lambda it: it.pause_scheduled, "no pause is scheduled"),
}


def allow(act: str, subscription: Subscription, now: int) -> None:
    """Raises IllegalAct with the reason when the act cannot happen to the subscription at that millisecond."""
    if subscription.state not in LEGAL[act]:
        states = ", ".join(sorted(LEGAL[act]))
        raise IllegalAct(f"{act}: {subscription.id} is {subscription.state}, it would have to be one of {states}")
    condition, remedy = _CONDITIONS.get(act, (lambda _: True, ""))
    if not condition(subscription):
        raise IllegalAct(f"{act}: {subscription.id}: {remedy}")
    late = subscription.next is not None and now >= subscription.next + DAY
    if late and subscription.state in RUNNING | {"canceled"} and act not in AT_PERIOD_END:
        raise IllegalAct(f"{act}: the period of {subscription.id} is over; settle it first (renew, fail_charge, …)")


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
