"""From a subscription to the licenses it should have: a pure function of the fold, the terms and the policy.

A license is identified by source, subscription, line, unit and what it is a license of; so a key survives renewals,
pauses and quantity changes, and a change to another product makes another license and disables the old one.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NewType

import msgspec

from domain.events import Stream, identifier_of, partition_of
from domain.facts import DisputeOutcome, Line, PaidPeriod
from domain.lifecycle import LICENSED, State
from domain.policy import Policy
from domain.subscription import Customer, EventRef, PaidInvoice, Subscription
from domain.terms import Reading, Terms, TermsError, read_terms

LicenseId = NewType("LicenseId", str)

MOST_UNITS = 10_000
"""Licenses of one line; buyers can choose quantities, and one of them must not exhaust the process."""


class Because(msgspec.Struct, frozen=True):
    """Why a field has its value: the rule, and the event that set it (None where only a default did)."""

    rule: str
    event: EventRef | None = None


class User(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is to use a license of a product that is licensed by user."""

    email: str
    name: str = ""
    manager: bool = False


class License(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a license server should hold for one unit of one line.

    `expiry` is the paid-through instant, exactly as the provider says it; `margin_hours` is how long beyond it the
    license keeps working by itself. Where a number is None, the license server's own default for the product counts.
    `because` explains every field.
    """

    id: LicenseId
    stream: Stream
    subscription: str
    line: str
    unit: int
    product_code: str
    license_type: str
    enabled: bool
    trial: bool = False
    expiry: datetime | None = None
    margin_hours: int = 0
    policy_code: str = ""
    """The license server's own template for licenses of this product; empty: the product's default."""
    max_activations: int | None = None
    floating_users: int | None = None
    """How many may use it at the same time, in the cloud; None: it does not float."""
    max_license_users: int | None = None
    max_consumptions: int | None = None
    consumption_period: str = ""
    """Names the billing interval whose consumption is counted: when it changes, the total starts again from 0."""
    valid_duration: str | None = None
    maintenance: bool | None = None
    maintenance_duration: str | None = None
    features: tuple[str, ...] = ()
    """Codes of product features, sorted."""
    custom_fields: dict[str, str] = {}
    users: tuple[User, ...] = ()
    """Who uses it, where the product is licensed by user; nobody else loses access by not standing here."""
    managed_by_customer: bool = False
    """The customer may manage the licenses of the order."""
    note: str = ""
    free_devices: bool = False
    """The devices that use it are to be freed, now that it is over."""
    is_bundle: bool = False
    """The product is a bundle: the license server makes a license of each product in it, too, that share its fate."""
    fulfillment: str = ""
    """`{reference}/{product}` under which the provider's license generator may ask for this license's key."""
    customer: Customer = Customer()
    because: dict[str, Because] = {}


class Entitlement(msgspec.Struct, frozen=True):
    """The desired licenses of one subscription, with what keeps others from being derived."""

    licenses: tuple[License, ...]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def license_id(stream: Stream, line: str, unit: int, terms: Terms) -> LicenseId:
    """A deterministic id that also names its partition, so that a license is found without asking all of them."""
    identity = "\n".join((stream, line, str(unit), terms.product_code, terms.license_type))
    return LicenseId(f"lic_{partition_of(stream):02x}{hashlib.sha256(identity.encode()).hexdigest()[:18]}")


def entitle(stream: Stream, subscription: Subscription, policy: Policy) -> Entitlement:
    """Derives the desired licenses, sorted by line, product, type and unit."""
    former = _former_claims(subscription)
    claims, problems, warnings = _current_claims(subscription, former)
    licenses: dict[LicenseId, License] = {}
    for claim in (*claims, *former):
        for each in _units(stream, subscription, policy, claim):
            licenses.setdefault(each.id, each)
    return Entitlement(in_order(licenses.values()), tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(warnings)))


def in_order(licenses: Iterable[License]) -> tuple[License, ...]:
    """The licenses by line, product, type and unit: of those that are made together the first one never changes."""
    return tuple(sorted(licenses, key=lambda each: (each.line, each.product_code, each.license_type, each.unit)))


class _Claim(msgspec.Struct, frozen=True):
    """One form of a line, as it was understood; unless `current` its licenses only remain to be disabled."""

    line: Line
    units: int
    terms: Terms
    since: EventRef
    current: bool


def _former_claims(s: Subscription) -> list[_Claim]:
    """Every form in which a line was ever licensed, the latest first. What was never understood made no licenses."""
    claims = []
    for sold in reversed(s.sold):
        try:
            terms = _read(sold.line).terms
        except TermsError:
            continue
        if terms is not None:
            claims.append(_Claim(sold.line, sold.most, terms, sold.since, current=False))
    return claims


def _current_claims(s: Subscription, former: list[_Claim]) -> tuple[list[_Claim], list[str], list[str]]:
    """The lines as they are, with problems and warnings.

    A line whose attributes cannot be used stays as it was understood last: a vendor's slip locks nobody out.
    """
    claims: list[_Claim] = []
    problems: list[str] = []
    warnings: list[str] = []
    for held in s.lines.values():
        line = held.line
        try:
            reading = _read(line)
        except TermsError as error:
            problems.append(f"line {line.id}: {error}")
            understood = next((claim for claim in former if claim.line.id == line.id), None)
            if understood is not None:
                claims.append(_still(understood, line))
            continue
        warnings += reading.warnings
        if reading.terms is not None and line.quantity > MOST_UNITS:
            problems.append(
                f"line {line.id}: quantity {line.quantity} is more than Tenure licenses for one line; "
                f"the first {MOST_UNITS} units are licensed"
            )
        if reading.terms is not None:
            claims.append(_Claim(line, line.quantity, reading.terms, held.since, current=True))
        elif (lost := next((claim for claim in former if _same_price(claim.line, line)), None)) is not None:
            # The same price was licensed before: its code was lost by a slip, not by a choice of the customer.
            problems.append(f"line {line.id}: price {line.price} lost its product code {lost.terms.product_code!r}")
            claims.append(_still(lost, line))
    return claims, problems, warnings


def _same_price(before: Line, now: Line) -> bool:
    return (before.id, before.price, before.product) == (now.id, now.price, now.product)


def _read(line: Line) -> Reading:
    return read_terms(line.attributes, product=line.product, recurring=line.recurring)


def _still(understood: _Claim, now: Line) -> _Claim:
    """What was understood last, with the quantity and period of now."""
    replace = msgspec.structs.replace
    line = replace(understood.line, quantity=now.quantity, period_start=now.period_start, period_end=now.period_end)
    return replace(understood, line=line, units=now.quantity, current=True)


def _units(stream: Stream, s: Subscription, policy: Policy, claim: _Claim) -> Iterator[License]:
    if claim.current and s.state is State.PENDING:
        return
    line, terms = claim.line, claim.terms
    enabled, enabled_because = _access(s, policy, line) if claim.current else _no_longer_sold(s, line)
    expiry, expiry_because = _expiry(s, line)
    margin, margin_because = _margin(s, policy, line, expiry)
    trial = s.state is State.TRIALING and line.recurring
    attributes = Because("the attributes of the price", claim.since)
    because = {
        "enabled": enabled_because,
        "trial": Because("the provider counts it as a trial" if trial else "not a trial", s.state_since),
        "expiry": expiry_because,
        "margin_hours": margin_because,
        "product_code": attributes,
        "license_type": attributes if "license_type" in line.attributes else Because("the default", claim.since),
        "max_activations": attributes,
        "valid_duration": attributes,
        "customer": Because("the customer as last described", s.customer_since),
    }
    for unit in range(1, min(claim.units, MOST_UNITS) + 1):
        yield License(
            id=license_id(stream, line.id, unit, terms),
            stream=stream,
            subscription=identifier_of(stream),
            line=line.id,
            unit=unit,
            product_code=terms.product_code,
            license_type=terms.license_type,
            enabled=enabled,
            trial=trial,
            expiry=expiry,
            margin_hours=margin,
            max_activations=terms.max_activations,
            valid_duration=terms.valid_duration,
            customer=s.customer,
            because=because,
        )


def _no_longer_sold(s: Subscription, line: Line) -> tuple[bool, Because]:
    """Units beyond the quantity, lines that were removed, forms that another product replaced."""
    if s.state is State.TERMINATED:
        return False, Because("the subscription was terminated", s.state_since)
    if line.id not in s.lines:
        return False, Because("the line was removed", s.lines_since)
    return False, Because("the line was lowered or replaced", s.lines[line.id].since)


def _access(s: Subscription, policy: Policy, line: Line) -> tuple[bool, Because]:
    refunded = s.purchase and s.state is State.TERMINATED and _any_full_refund(s)
    if s.state not in LICENSED and not (refunded and policy.on_refund == "keep"):
        return False, Because(f"the subscription is {s.state}", s.state_since)
    governing = None if s.purchase else _governing_period(s, line)
    for dispute in s.disputes.values():
        # A payment of unknown invoice may be the current one.
        concerned = governing is None or s.payments.get(dispute.payment) in {governing[0], None}
        if concerned and dispute.outcome is None and policy.on_dispute == "disable":
            return False, Because("policy on_dispute: a payment is disputed", dispute.since)
    if s.purchase or governing is not None:
        taken_back = _taken_back(s, policy, governing[0] if governing else None)
        if taken_back is not None:
            return False, taken_back
    return True, Because(f"the subscription is {s.state}", s.state_since)


def _any_full_refund(s: Subscription) -> bool:
    return any(refund.refunded >= refund.amount for refund in s.refunds.values())


def _taken_back(s: Subscription, policy: Policy, invoice: str | None) -> Because | None:
    """Why the money of that invoice, or (None) all that was paid for a purchase, no longer counts, if so."""
    bill = "purchase" if invoice is None else "current period"
    for dispute in s.disputes.values():
        concerned = invoice is None or s.payments.get(dispute.payment) in {invoice, None}
        if concerned and dispute.outcome is DisputeOutcome.LOST and policy.on_dispute == "disable":
            return Because(f"policy on_dispute: the dispute of the {bill}'s payment was lost", dispute.since)
    refunds = [
        refund
        for payment, refund in s.refunds.items()
        if invoice is None or (refund.invoice or s.payments.get(payment)) == invoice
    ]
    if not refunds:
        return None
    back = sum(refund.refunded for refund in refunds)
    price = sum(refund.amount for refund in refunds) if invoice is None else s.invoices[invoice].amount
    latest = max(refunds, key=lambda refund: (refund.since.at, refund.since.event_id)).since
    if back >= price:
        full = Because(f"policy on_refund: the {bill} was refunded", latest)
        return full if policy.on_refund == "disable" else None
    if policy.on_partial_refund == "disable":
        return Because(f"policy on_partial_refund: the {bill} was refunded in part", latest)
    return None


def _governing_period(s: Subscription, line: Line) -> tuple[str, PaidInvoice, PaidPeriod] | None:
    """The paid period that counts for a line.

    That is its own latest; for a line that was added later and whose first bill is a proration or still to come, the
    proration's, then the latest of any line.
    """
    periods = [(invoice, paid, period) for invoice, paid in s.invoices.items() for period in paid.periods]
    own = [each for each in periods if each[2].line == line.id]
    regular = [each for each in own if not each[2].proration]
    others = [each for each in periods if not each[2].proration]
    candidates = regular or own or others
    return max(candidates, key=lambda each: (each[2].start, each[2].end, each[0]), default=None)


def _expiry(s: Subscription, line: Line) -> tuple[datetime | None, Because]:
    if not line.recurring:
        return None, Because("bought once: it does not expire by itself")
    if s.state is State.TRIALING and s.trial_end is not None:
        return s.trial_end, Because("the end of the trial", s.trial_since)
    since = s.lines[line.id].since if line.id in s.lines else None
    governing = _governing_period(s, line)
    own = governing is not None and any(period.line == line.id for period in governing[1].periods)
    if not own and _joined_late(s, line):
        # Its invoice was paid before Tenure listened; the provider's word that all is well has to do.
        return line.period_end, Because("first seen amid this period, in good standing: its end", since)
    if governing is not None:
        return governing[2].end, Because(f"paid through by invoice {governing[0]}", governing[1].paid)
    return line.period_start, Because("no invoice is paid yet: the start of the current period", since)


def _joined_late(s: Subscription, line: Line) -> bool:
    """Whether we never heard of the beginning, and the subscription was in good standing amid this period."""
    if s.begun or s.state is not State.ACTIVE or s.state_since is None or line.period_start is None:
        return False
    return s.state_since.at >= line.period_start


def _margin(s: Subscription, policy: Policy, line: Line, expiry: datetime | None) -> tuple[int, Because]:
    """Whole hours beyond the expiry: of what the policy, the terms of collection and the state grant, the longest."""
    if expiry is None:
        return 0, Because("without expiry there is no margin")
    margin = timedelta(hours=policy.renewal_margin_hours)
    granted = [(expiry + margin, Because("policy renewal_margin_hours"))]
    if s.days_until_due is not None and s.state in LICENSED:
        due = expiry + timedelta(days=s.days_until_due)
        granted.append((due + margin, Because("invoices are due after days_until_due", s.lines_since)))
    if s.state is State.PAST_DUE and line.period_end is not None:
        rule = "past due: licensed while the provider tries to collect this period"
        granted.append((line.period_end + margin, Because(rule, s.state_since)))
    if line.in_arrears and s.state is State.ACTIVE and line.period_end is not None:
        rule = "billed in arrears: licensed through the period that is being used"
        granted.append((line.period_end + margin, Because(rule, s.lines_since)))
    if s.collection_paused and s.state is State.ACTIVE and line.period_end is not None:
        rule = "billing is paused: licensed while the provider counts it as active"
        granted.append((line.period_end + margin, Because(rule, s.lines_since)))
    if s.state is State.ACTIVE and s.state_since is not None:
        # A recovery is told by two deliveries, and the paid invoice may be the later one.
        rule = "in good standing since this event: the invoice may be told later"
        granted.append((s.state_since.at + margin, Because(rule, s.state_since)))
    reach, because = max(granted, key=lambda each: each[0])
    return -(-int((reach - expiry).total_seconds()) // 3600), because
