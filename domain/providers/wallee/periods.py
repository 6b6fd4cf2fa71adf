"""Which bills are paid, by which charges, and since when something is owed.

A charge does not name the bill that it pays: it is the one in which it was to be executed, with some slack around its
beginning. All of it follows from the one answer, and nothing from the time at which it was asked.
"""

from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct, structs

from domain.providers.wallee.shapes import by_id, first_told, instant_or_none
from domain.providers.wallee.subscription_shapes import Charge, PeriodBill, Whole
from domain.providers.wallee.transaction_shapes import FAILED, PAID

_SLACK = timedelta(days=1)
_NEVER_BEGUN = frozenset({"PENDING", "INITIALIZING", "FAILED"})
Status = Literal["paid", "failed", "open"]


class Bill(Struct, frozen=True):
    """A period that is to be paid; the last one is running."""

    id: int
    start: datetime
    end: datetime
    planned: datetime

    @property
    def slack(self) -> timedelta:
        return min(_SLACK, (self.end - self.start) / 4)


class Billed(Struct, frozen=True):
    """A charge that counts: how it stands, the bill it is for (None: one to come), and since when it is due."""

    charge: Charge
    status: Status
    bill: Bill | None
    due: datetime


def bills_of(whole: Whole) -> list[Bill]:
    """The bills with their periods, the one that began last at the end.

    A change amid a period ends its bill and writes another for the rest: together they are one period, as it was
    planned, so that neither a change nor one that nobody paid for takes away what had been paid before. One that is
    planned to end at another time, as when a year is changed for months, is a period of its own.
    """
    bills: list[Bill] = []
    planned: datetime | None = None
    for bill in sorted(filter(None, map(_bill, whole.period_bills)), key=lambda each: (each.start, each.id)):
        before = bills[-1] if bills else None
        if before is None or planned is None or bill.start >= planned or bill.planned != planned:
            bills.append(bill)
            planned = bill.planned
        else:
            bills[-1] = structs.replace(before, end=max(before.end, bill.end))
    return bills


def _bill(it: PeriodBill) -> Bill | None:
    """None for one without a period."""
    start, planned = instant_or_none(it.period_start_date), instant_or_none(it.planned_period_end_date)
    end = instant_or_none(it.effective_period_end_date) or planned
    return None if start is None or end is None or end < start else Bill(it.id, start, end, planned or end)


def billed(whole: Whole, bills: Sequence[Bill]) -> list[Billed]:
    """The charges that count, in the order in which they were made.

    Not those that were discarded, nor those that had failed when a suspension ended: the vendor brought the
    subscription back and claims no more.
    """
    returned = max((at for each in whole.suspensions if (at := first_told(each.effective_end_date))), default=None)
    found = []
    for charge in by_id(whole.charges):
        at = first_told(charge.planned_execution_date, charge.created_on)
        status = _status(whole, charge)
        if at is None or status is None or (status == "failed" and returned is not None and at < returned):
            continue
        bill = _bill_at(bills, at, unpaid=status != "paid")
        begins = bill.start if bill else bills[-1].end if bills else at
        found.append(Billed(charge, status, bill, max(at, begins)))
    return found


def _status(whole: Whole, charge: Charge) -> Status | None:
    state = charge.transaction.state if charge.transaction else None
    failed = state in FAILED
    match charge.state:
        case "DISCARDED":
            return None
        case "FAILED":
            return "failed"
        case "SUCCESSFUL" if state in {None, PAID}:
            return "paid"
        case "PROCESSING":
            return "failed" if failed or _level_failed(whole, charge) else "open"
        case _:
            return "failed" if failed else "open"


def _level_failed(whole: Whole, charge: Charge) -> bool:
    """Whether the customer was asked for other payment data already."""
    if charge.transaction is None:
        return False
    named = [level for level in whole.levels if level.state == "FAILED"]
    return any(charge.transaction.id in level.payments for level in named)


def _bill_at(bills: Sequence[Bill], at: datetime, *, unpaid: bool) -> Bill | None:
    """The bill that a charge of that time is for; what is still to be paid at the end of the last one is for the next.

    What was charged before the first bill began, as for an initial payment that took days, is for that one.
    """
    if not bills:
        return None
    bill = next((each for each in reversed(bills) if each.start - each.slack <= at), bills[0])
    return None if unpaid and bill is bills[-1] and at >= bill.end - bill.slack else bill


def paid_bills(whole: Whole, bills: Sequence[Bill], charges: Sequence[Billed]) -> dict[int, list[Billed]]:
    """Id of each bill that is paid → the charges that did, the one first whose money counts: the largest.

    No charge at all: there was nothing to pay, or nothing is claimed, unless what was to be paid before it is owed.
    """
    if whole.subscription.state in _NEVER_BEGUN:
        return {}
    found = {}
    owed = min((each.due for each in _owed(charges)), default=None)
    for bill in bills:
        own = [each for each in charges if each.bill is bill]
        paid = [each for each in own if each.status == "paid"]
        if paid or (not own and (owed is None or owed >= bill.end)):
            found[bill.id] = sorted(paid, key=lambda each: _weight(each.charge))
    return found


def _owed(charges: Sequence[Billed]) -> list[Billed]:
    """What is still to be paid, and was to be after what was paid last."""
    last = max((each.charge.id for each in charges if each.status == "paid"), default=-1)
    return [each for each in charges if each.status != "paid" and each.charge.id > last]


def reaching(bills: Sequence[Bill], paid: Container[int]) -> list[Bill]:
    """The bills, a paid one that a change cut short as long as it was planned while the change is not paid.

    Not beyond the end of what took its place: a year that was changed for months is not given anew each month.
    """
    return [
        structs.replace(bill, end=bill.planned)
        if after is not None and bill.id in paid and after.id not in paid and bill.end < bill.planned <= after.end
        else bill
        for bill, after in zip(bills, [*bills[1:], None], strict=False)
    ]


def running(bills: Sequence[Bill], paid: Container[int]) -> Bill | None:
    """The period that is being used: the last one, or while that is not paid the one that it was to cut short."""
    if len(bills) > 1 and bills[-1].id not in paid and bills[-2].id in paid and bills[-2].end > bills[-1].start:
        return bills[-2]
    return bills[-1] if bills else None


def _weight(charge: Charge) -> tuple[bool, int, int]:
    """What went back counts last, for it may have been charged anew, or for less."""
    it = charge.transaction
    return (False, 0, charge.id) if it is None else (0 < it.amount <= it.refunded, -it.amount, charge.id)


def overdue_since(bills: Sequence[Bill], paid: dict[int, list[Billed]], charges: Sequence[Billed]) -> datetime | None:
    """Since when what failed was due, None where nothing did after what was paid last.

    The day it was due and not the one it failed on: that moves while the customer is asked for other payment data.
    What failed amid a period that is paid counts only until something else is owed.
    """
    failed = sorted(each.due for each in _owed(charges) if each.status == "failed")
    through = max((bill.end for bill in bills if bill.id in paid), default=None)
    owed = (due for due in failed if through is None or due >= through)
    return next(owed, next(iter(failed), None))
