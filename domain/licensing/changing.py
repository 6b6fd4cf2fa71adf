"""What would change a field of a license: one small function for each, in words that name what somebody can do."""

from collections.abc import Callable, Collection, Iterator

from domain.acts import Deed, LicenseEnabled, LicenseExtended
from domain.attributes import ATTRIBUTES
from domain.facts import Line
from domain.licensing.access import PAUSED, in_grace, money_taken_back
from domain.licensing.claims import claims_of
from domain.licensing.license import License
from domain.licensing.settable import is_settable
from domain.lifecycle import State
from domain.policy import Policy
from domain.subscription import Subscription

IDENTITY = ("id", "stream", "subscription", "line", "unit")
"""What says which license it is: another one of these is another license."""

_STORE = "in the store, once a webhook tells it"


Possible = Collection[type[Deed]]
"""The acts on access and the end to which there is no objection now (`objections.possible_acts`)."""


def would_change(field: str, license_: License, s: Subscription, policy: Policy, possible: Possible) -> tuple[str, ...]:
    """What would give a field another value now, by the policy of the license's product; the likeliest first."""
    if field in IDENTITY:
        return ("nothing: it says which license this is",)
    return tuple(_CHANGES.get(field, _attributes(field))(license_, s, policy, possible))


Changes = Callable[[License, Subscription, Policy, Possible], Iterator[str]]


def _enabled(license_: License, s: Subscription, policy: Policy, possible: Possible) -> Iterator[str]:
    if license_.enabled:
        yield from _stops(license_, s, policy)
        yield f"tenure license disable {license_.id}"
        return
    yield from _returns(license_, s, policy)
    if LicenseEnabled in possible:
        yield f"tenure license enable {license_.id}"
    if LicenseExtended in possible:
        yield f"for a while: tenure license extend {license_.id} --by 7d"


def _stops(license_: License, s: Subscription, policy: Policy) -> Iterator[str]:
    """What would end a license that works."""
    match s.state:
        case State.PENDING:
            yield "the first payment: it stays, and runs as long as is paid for"
            yield "a failed or expired first payment: it stops"
        case State.TRIALING | State.ACTIVE if not s.purchase:
            yield "an end of the subscription or a suspension by the provider: it stops"
            yield f"an overdue payment: it stops {_grace(policy)}"
        case State.PAST_DUE | State.SUSPENDED if in_grace(s):
            yield "the open payment made: all is well again"
            yield f"no payment: it stops {_grace(policy)}"
        case State.SUSPENDED:
            yield f'policy on_pause (now "{policy.on_pause}")'
        case _:
            pass
    if policy.at_expiry == "disable" and license_.expiry is not None:
        yield "nothing heard of a renewal a day after the provider was asked at the end of its margin: it stops"
    yield f'a refund (policy on_refund, now "{policy.on_refund}"; in part: on_partial_refund, "{_partial(policy)}")'
    yield f'a dispute (policy on_dispute, now "{policy.on_dispute}")'
    yield "fewer units, or another product: the newest of what is no longer sold stops"


def _returns(license_: License, s: Subscription, policy: Policy) -> Iterator[str]:
    """What would bring back a license that does not work."""
    line = _sold_line(license_, s)
    if line is None and s.state is not State.TERMINATED:
        yield (
            "more units, or the product that it was before, in the store: it works again"
            if license_.line in s.lines
            else "the line in the store again, as it was: it works again"
        )
        return
    yield from _back_by_state(s, policy)
    if line is not None and money_taken_back(s, policy, line) is not None:
        yield from _back_by_money(s, policy)
    elif s.state in {State.TRIALING, State.ACTIVE}:
        yield f'a renewal paid, or policy at_expiry (now "{policy.at_expiry}")'


def _back_by_state(s: Subscription, policy: Policy) -> Iterator[str]:
    match s.state:
        case State.PENDING:
            yield "the first payment: it works, and runs as long as is paid for"
        case State.PAST_DUE | State.SUSPENDED if in_grace(s):
            yield "the open payment made: all is well again"
            yield f'policy past_due_days (now "{policy.past_due_days}")'
        case State.PAST_DUE | State.SUSPENDED:
            yield "the provider resumes the subscription: it works again"
            if s.state_reason == PAUSED:
                yield f'policy on_pause (now "{policy.on_pause}")'
        case State.TERMINATED:
            yield "a reactivation by the provider, where it has one; else a new purchase, which is a new license"
        case State.TRIALING | State.ACTIVE:
            pass


def _back_by_money(s: Subscription, policy: Policy) -> Iterator[str]:
    if any(dispute.outcome is None for dispute in s.disputes.values()):
        yield f'the dispute won, or policy on_dispute (now "{policy.on_dispute}")'
    if s.refunds:
        yield f'policy on_refund (now "{policy.on_refund}"; in part: on_partial_refund, "{_partial(policy)}")'
        if not s.purchase:
            yield "a payment for a later period"


def _sold_line(license_: License, s: Subscription) -> Line | None:
    """The line by which the license is sold now; None where it is not any more."""
    form = license_.line, license_.product_code, license_.license_type
    for claim in claims_of(s).current:
        if (claim.line.id, claim.terms.product_code, claim.terms.license_type) == form:
            return claim.line if license_.unit <= claim.units else None
    return None


def _partial(policy: Policy) -> str:
    return policy.on_partial_refund


def _grace(policy: Policy) -> str:
    days = policy.past_due_days
    when = "when the provider gives up" if days == "provider" else f"after {days} days"
    return f'{when} (policy past_due_days, now "{days}")'


def _expiry(license_: License, s: Subscription, policy: Policy, possible: Possible) -> Iterator[str]:
    if license_.expiry is None:
        yield "nothing: what is bought once does not expire by itself; another price in the store would"
        return
    if s.state is State.TRIALING:
        yield "the provider moves the end of the trial, or the first payment: it moves to the end of what is paid"
    elif s.state is State.TERMINATED:
        yield "a payment for a later period, if the provider can reactivate it"
    else:
        yield "a renewal paid: it moves to the end of the period that is paid"
    yield f"attribute added_days {_STORE}"
    if LicenseExtended in possible:
        yield f"tenure license extend {license_.id} --by 7d"


def _margin(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield f"policy renewal_margin_hours (now {policy.renewal_margin_hours}), unless the attribute grace_period is set"
    yield f"attribute grace_period {_STORE}"
    if in_grace(s):
        yield f'policy past_due_days (now "{policy.past_due_days}"), while it is past due'


def _trial(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    ends = f" (it ends on {s.trial_end:%Y-%m-%d})" if s.trial_end is not None and license_.trial else ""
    yield f"the provider says that the trial is over{ends}" if license_.trial else "the provider counts it as in trial"


def _code(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield f"attribute short_code or license_type {_STORE}: that makes another license, and this one stops"


def _target(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield f"attribute license_target {_STORE}; where a license works already it stays"


def _users(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield "the customer's address changes at the provider" if not s.users else "the order names others"


def _customer(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield "the provider describes the customer otherwise"


def _features(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield "an add-on with feature_code beside it is bought or given up"
    yield f"attribute feature_code {_STORE}"
    yield _by_hand("features", license_)


def _note(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield "the provider gives the subscription another end by its terms"
    yield _by_hand("note", license_)


def _consumption(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    if license_.license_type == "consumption":
        yield "a renewal paid: consumption is counted anew"
    else:
        yield "nothing: only licenses of type consumption count by interval"


def _devices(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield f'policy devices_at_end (now "{policy.devices_at_end}"), at the end of the subscription'


def _fulfillment(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield "an order whose product has a license generator at the provider"


def _begins(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
    yield "an earlier payment becomes known; it never moves later"


def _attributes(field: str) -> Changes:
    """Of a field that the catalog sets."""

    def changes(license_: License, s: Subscription, policy: Policy, _: Possible) -> Iterator[str]:
        names = [row.name for row in ATTRIBUTES.values() if field in row.license]
        yield f"attribute {' or '.join(names)} {_STORE}" if names else "nothing"
        if is_settable(field, license_.license_type):
            yield _by_hand(field, license_)

    return changes


def _by_hand(field: str, license_: License) -> str:
    return f"tenure license set {license_.id} {field} VALUE"


_CHANGES: dict[str, Changes] = {
    "enabled": _enabled,
    "expiry": _expiry,
    "margin_hours": _margin,
    "trial": _trial,
    "product_code": _code,
    "license_type": _code,
    "target": _target,
    "users": _users,
    "customer": _customer,
    "features": _features,
    "note": _note,
    "consumption_period": _consumption,
    "free_devices": _devices,
    "fulfillment": _fulfillment,
    "begins": _begins,
}
