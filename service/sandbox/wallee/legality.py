"""Which act wallee allows in which state, as a table that tests draw from too."""

from collections.abc import Callable, Mapping

import msgspec

from service.sandbox.wallee.model import Charge, Level, PeriodBill, State, Subscription, Suspension, Version

RUNNING: frozenset[State] = frozenset({"ACTIVE", "TERMINATION_SCHEDULED"})
LIVING: frozenset[State] = RUNNING | {"SUSPENDED"}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription with what belongs to it: its present version, the next one, the newest bill, charge and level.

    `suspension` is the one that runs; a charge that is claimed no more is none.
    """

    subscription: Subscription
    version: Version
    next_version: Version | None
    bill: PeriodBill | None
    charge: Charge | None
    level: Level | None
    suspension: Suspension | None

    @property
    def due(self) -> int | None:
        """When the running period ends."""
        return None if self.bill is None or self.bill.ended is not None else self.bill.planned_end

    @property
    def ends(self) -> int | None:
        return self.subscription.planned_termination

    @property
    def asked(self) -> bool:
        """A charge flow is under way."""
        return self.charge is not None and self.charge.state == "PROCESSING" and self.level is not None

    @property
    def failed(self) -> bool:
        return self.charge is not None and self.charge.state == "FAILED"

    @property
    def owed(self) -> bool:
        return self.failed or (self.charge is not None and self.charge.state == "PROCESSING")


LEGAL: Mapping[str, frozenset[State]] = {
    "initialize": frozenset({"PENDING"}),
    "confirm": frozenset({"INITIALIZING"}),
    "fail_initialization": frozenset({"INITIALIZING"}),
    "renew": RUNNING,
    "fail_charge": RUNNING,
    "decline": RUNNING,
    "fail_level": RUNNING,
    "pay": RUNNING,
    "give_up": RUNNING,
    "charge_again": LIVING,
    "suspend": frozenset({"ACTIVE"}),
    "reactivate": frozenset({"SUSPENDED"}),
    "reach_suspension_end": frozenset({"SUSPENDED"}),
    "change_quantity": frozenset({"ACTIVE"}),
    "change_product": frozenset({"ACTIVE"}),
    "change_reference": LIVING,
    "schedule_termination": frozenset({"ACTIVE"}),
    "reach_termination": frozenset({"TERMINATION_SCHEDULED"}),
    "terminate_now": LIVING | {"PENDING"},
    "finish_termination": frozenset({"TERMINATING"}),
}

AT_PERIOD_END = frozenset({"renew", "fail_charge", "decline", "reach_termination"})
"""What wallee does by itself when a period ends: legal however late it is done."""

LEVELS = 3
"""How often a charge flow asks."""


class IllegalAct(ValueError):
    """The space's state does not allow the act; the text says what would."""


def _goes_on(it: Standing) -> bool:
    """Another period follows the one that runs."""
    return not it.owed and it.due is not None and (it.ends is None or it.ends > it.due)


def _last_level(it: Standing) -> bool:
    return it.level is not None and it.level.number >= LEVELS


_CONDITIONS: Mapping[str, tuple[Callable[[Standing], bool], str]] = {
    "renew": (_goes_on, "something is owed, or it ends: pay, charge_again or reach_termination"),
    "fail_charge": (_goes_on, "only a charge that is due can fail"),
    "decline": (_goes_on, "only a charge that is due can be declined"),
    "fail_level": (lambda it: it.asked and not _last_level(it), "no charge flow runs, or its last level does"),
    "pay": (lambda it: it.asked, "no charge flow runs"),
    "give_up": (lambda it: it.asked and _last_level(it), "levels are left; fail_level first"),
    "charge_again": (lambda it: it.failed, "no charge failed"),
    "reach_suspension_end": (
        lambda it: it.suspension is not None and it.suspension.planned_end is not None,
        "the suspension has no planned end; reactivate",
    ),
    "suspend": (lambda it: not it.asked, "a charge flow runs; pay or give_up"),
    "change_quantity": (lambda it: not it.owed and it.next_version is None, "something is owed, or a change waits"),
    "change_product": (lambda it: not it.owed and it.next_version is None, "something is owed, or a change waits"),
    "schedule_termination": (lambda it: not it.owed and it.next_version is None, "something is owed; terminate_now"),
    "reach_termination": (
        lambda it: not it.asked and it.ends is not None and (it.due is None or it.ends <= it.due),
        "a charge flow runs, or periods are left: pay, give_up or renew",
    ),
}


def allow(act: str, it: Standing, now: int) -> None:
    """Raises IllegalAct with the reason when the act cannot happen to the subscription at that second."""
    subscription = it.subscription
    if subscription.state not in LEGAL[act]:
        states = ", ".join(sorted(LEGAL[act]))
        raise IllegalAct(f"{act}: {subscription.id} is {subscription.state}, it would have to be one of {states}")
    condition, remedy = _CONDITIONS.get(act, (lambda _: True, ""))
    if not condition(it):
        raise IllegalAct(f"{act}: {subscription.id}: {remedy}")
    late = it.due is not None and now > it.due and subscription.state in RUNNING and not it.owed
    if late and act not in AT_PERIOD_END:
        raise IllegalAct(f"{act}: the period of {subscription.id} is over; settle it first (renew, fail_charge, …)")


def legal_acts(it: Standing, now: int) -> list[str]:
    """The acts that `allow` lets pass, in the table's order."""
    acts = []
    for act in LEGAL:
        try:
            allow(act, it, now)
        except IllegalAct:
            continue
        acts.append(act)
    return acts
