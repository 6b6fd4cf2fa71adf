"""What a subscription says that was read whole: complete in itself, so that it takes the place of all earlier ones."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from domain import facts as f
from domain.licensing.access import PAUSED
from domain.providers.wallee.lines import lines_sold
from domain.providers.wallee.periods import (
    Bill,
    Billed,
    billed,
    bills_of,
    overdue_since,
    paid_bills,
    reaching,
    running,
)
from domain.providers.wallee.shapes import Address, Versioned, by_id, first_told, newest
from domain.providers.wallee.subscription_shapes import State, Subscriber, Suspension, Whole

_MOST_COUNTED = 100
"""Of a list: as many as one page of it holds."""


def read_whole(whole: Whole) -> list[f.Fact]:
    """The facts of a subscription with all that says how it stands. Raises ValueError."""
    subscription = whole.subscription
    bills = bills_of(whole)
    charges = billed(whole, bills)
    paid = paid_bills(whole, bills, charges)
    bills = reaching(bills, paid)
    sold = lines_sold(whole, running(bills, paid))
    return [
        *versions_of(whole),
        f.SubscriptionBegan(at=first_told(subscription.created_on)),
        *_customer(subscription.subscriber),
        f.LinesDescribed(lines=sold.lines, complete=not sold.missing, rest_from=sold.missing),
        *_payments(sold.named, bills, charges, paid),
        f.TestDescribed(test=_is_test(whole)),
        _STANDINGS[subscription.state](whole, overdue_since(bills, paid, charges)),
        *_ending(whole),
    ]


def versions_of(whole: Whole) -> list[f.VersionShown]:
    """The versions of what says how it stands; none of them falls, so that whatever is older is seen to be.

    Of a list the newest id, and the sum of the versions: an empty one is older than all that was shown.
    """
    it = whole.subscription
    transactions = [each.transaction for each in whole.charges if each.transaction is not None]
    # Another subscriber may have a lower number.
    alone: list[tuple[str, Versioned]] = [("subscription", it)]
    alone += [(f"subscriber/{each.id}", each) for each in (it.subscriber,) if each is not None]
    # Levels are read as long as their charge is open; once it is not, its own version tells.
    open_ = [each.transaction.id for each in whole.charges if each.state == "PROCESSING" and each.transaction]
    asked = [(f"levels of {each}", [level for level in whole.levels if each in level.payments]) for each in open_]
    lists: tuple[tuple[str, Sequence[Versioned]], ...] = (
        ("version", whole.versions),
        ("period-bill", whole.period_bills),
        ("charge", whole.charges),
        ("transaction", transactions),
        ("suspension", whole.suspensions),
        *asked,
    )
    return [
        *(f.VersionShown(of=kind, number=one.id, version=one.version or 0) for kind, one in alone),
        *(_list_shown(kind, objects) for kind, objects in lists),
    ]


def _list_shown(kind: str, objects: Sequence[Versioned]) -> f.VersionShown:
    """Of the newest ones alone: those that are the same as long as the newest is."""
    counted = by_id(objects)[-_MOST_COUNTED:]
    return f.VersionShown(
        of=kind,
        number=counted[-1].id if counted else 0,
        version=sum(each.version or 0 for each in counted),
    )


def _customer(subscriber: Subscriber | None) -> list[f.Fact]:
    if subscriber is None:
        return []
    reference = subscriber.reference or subscriber.external_id or str(subscriber.id)
    email = subscriber.email_address or ""
    address = subscriber.billing_address or subscriber.shipping_address or Address()
    company = address.organization_name or ""
    return [f.CustomerDescribed(reference=reference, email=email, name=address.name, company=company)]


def _payments(
    lines: Sequence[str], bills: Sequence[Bill], charges: Sequence[Billed], paid: dict[int, list[Billed]]
) -> Iterator[f.Fact]:
    """What was paid in all, the streams of the payments, and what went back of each."""
    bought = [each for bill in bills for each in _paid_for(bill, lines, paid.get(bill.id))]
    beside = [_paid(each, ()) for each in charges if each.status == "paid" and each.bill is None]
    transactions = [(_name(each), it) for each in charges if (it := each.charge.transaction) is not None]
    links = tuple(f.PaymentLinked(payment=str(it.id), invoice=name) for name, it in transactions)
    yield f.PaymentsDescribed(paid=(*bought, *beside), links=links)
    if links:
        yield f.StreamsLinked(streams=tuple(f"transaction/{link.payment}" for link in links))
    for name, it in transactions:
        if it.refunded:
            yield f.PaymentRefunded(
                payment=str(it.id), amount=it.amount, refunded=it.refunded, currency=it.currency or "", invoice=name
            )


def _is_test(whole: Whole) -> bool | None:
    """One payment for real, tried or made, is enough: a customer who pays is never taken for a test."""
    transactions = [each.transaction for each in whole.charges if each.transaction is not None]
    return all(each.is_test for each in transactions) if transactions else None


def _paid_for(bill: Bill, lines: Sequence[str], paid: Sequence[Billed] | None) -> Iterator[f.PeriodPaid]:
    """One charge pays for the period; what was charged beside it, as for a change in mid-period, for a part of it."""
    if paid is None:
        return
    whole = tuple(f.PaidPeriod(line=line, start=bill.start, end=bill.end) for line in lines)
    if not paid:
        yield f.PeriodPaid(invoice=f"period:{bill.id}", periods=whole, amount=0, currency="", at=bill.start)
        return
    first, *others = paid
    yield _paid(first, whole)
    for each in others:
        start = min(each.due, bill.end)
        part = tuple(f.PaidPeriod(line=line, start=start, end=bill.end, proration=True) for line in lines)
        yield _paid(each, part)


def _paid(each: Billed, periods: tuple[f.PaidPeriod, ...]) -> f.PeriodPaid:
    it = each.charge.transaction
    amount, currency = (it.amount, it.currency or "") if it is not None else (0, "")
    at = first_told(each.charge.succeed_on, it.completed_on if it is not None else None) or each.due
    return f.PeriodPaid(invoice=_name(each), periods=periods, amount=amount, currency=currency, at=at)


def _name(each: Billed) -> str:
    return f"charge:{each.charge.id}"


# --- how it stands -------------------------------------------------------------------------------------------


def _opened(_whole: Whole, _overdue: datetime | None) -> f.Fact:
    return f.SubscriptionOpened()


def _active(whole: Whole, overdue: datetime | None) -> f.Fact:
    """wallee calls one active whose charge has failed, as long as it asks the customer for other payment data."""
    if overdue is not None:
        return f.PaymentFellOverdue(since=overdue)
    back = [each.effective_end_date for each in whole.suspensions]
    times = [at for text in (whole.subscription.activated_on, *back) if (at := first_told(text)) is not None]
    return f.SubscriptionActivated(since=max(times, default=first_told(whole.subscription.created_on)))


def _suspended(whole: Whole, _overdue: datetime | None) -> f.Fact:
    running = _running(whole)
    if running is None:
        return f.SubscriptionSuspended(reason="suspended", since=first_told(whole.subscription.activated_on))
    return f.SubscriptionSuspended(reason=_reason(running), since=first_told(running.created_on))


def _reason(suspension: Suspension) -> str:
    """What the vendor suspended by hand is a pause, unless it is to end the subscription."""
    if suspension.reason == "MANUAL" and suspension.end_action != "TERMINATE":
        return PAUSED
    return (suspension.reason or "suspended").lower().replace("_", " ")


def _running(whole: Whole) -> Suspension | None:
    return newest(each for each in whole.suspensions if each.state == "RUNNING") or newest(whole.suspensions)


def _terminated(_whole: Whole, _overdue: datetime | None) -> f.Fact:
    return f.SubscriptionTerminated()


def _failed(_whole: Whole, _overdue: datetime | None) -> f.Fact:
    return f.SubscriptionTerminated(reason="it never began")


_STANDINGS: dict[State, Callable[[Whole, datetime | None], f.Fact]] = {
    "PENDING": _opened,
    "INITIALIZING": _opened,
    "ACTIVE": _active,
    "TERMINATION_SCHEDULED": _active,
    "SUSPENDED": _suspended,
    "TERMINATING": _terminated,
    "TERMINATED": _terminated,
    "FAILED": _failed,
}
"""What each `state` means."""


def _ending(whole: Whole) -> list[f.Fact]:
    """The end that is planned, if one is."""
    match whole.subscription.state:
        case "TERMINATION_SCHEDULED":
            at = first_told(whole.subscription.planned_termination_date)
            return [f.Noted(about="will end on a day that wallee does not name") if at is None else _ends(at, "")]
        case "SUSPENDED":
            return _after(_running(whole))
        case "PENDING" | "INITIALIZING" | "ACTIVE":
            return [f.CancellationWithdrawn()]
        case _:
            return []


def _after(suspension: Suspension | None) -> list[f.Fact]:
    at = first_told(suspension.planned_end_date) if suspension else None
    if suspension is None or at is None:
        return [f.CancellationWithdrawn()]
    if suspension.end_action == "TERMINATE":
        return [_ends(at, "the suspension ends it")]
    return [f.CancellationWithdrawn(), f.Noted(about=f"suspended until {at:%Y-%m-%d}")]


def _ends(at: datetime, reason: str) -> f.Fact:
    return f.CancellationScheduled(at=at, reason=reason)
