"""What a simulated wallee space should lead to, said from its books alone: no webhook, no answer, no fold."""

from datetime import datetime
from math import ceil
from typing import NamedTuple

from service.sandbox.wallee import Space
from service.sandbox.wallee.calendar import instant
from service.sandbox.wallee.model import Charge, PeriodBill, ProductVersion, Transaction, Version


class Expected(NamedTuple):
    """The state of one subscription or purchase, how many of its licenses work, and until when it is paid.

    `paid_through` is None where no period was ever paid, and of what is bought once.
    """

    state: str
    enabled: int
    paid_through: datetime | None = None


STATES = {
    "PENDING": "pending",
    "INITIALIZING": "pending",
    "FAILED": "terminated",
    "ACTIVE": "active",
    "SUSPENDED": "suspended",
    "TERMINATION_SCHEDULED": "active",
    "TERMINATING": "terminated",
    "TERMINATED": "terminated",
}
PURCHASES = {"FULFILL": "active", "FAILED": "terminated", "VOIDED": "terminated", "DECLINE": "terminated"}


def expected(space: Space) -> dict[str, Expected]:
    """By kind and id (`subscription/…`, `transaction/…`), with the policy as it is by default."""
    book = space.book
    subscriptions = {f"subscription/{key}": _subscription(space, key) for key in book.subscriptions}
    purchases = {f"transaction/{key}": _purchase(it) for key, it in book.transactions.items() if not it.charge}
    return {**subscriptions, **purchases}


def _subscription(space: Space, identifier: int) -> Expected:
    it = space.standing(identifier)
    state = STATES[it.subscription.state]
    if state == "active" and it.owed:
        state = "past_due"
    bills = space.book.bills_of(identifier)
    ends = [bill.ended or bill.planned_end for bill in bills if _paid(space, bill, bills)]
    works = state in {"active", "past_due"} and bills and not _taken_back(space, bills[-1], bills)
    return Expected(state, _units(it.version) if works else 0, instant(max(ends)) if ends else None)


def _purchase(it: Transaction) -> Expected:
    state = PURCHASES.get(it.state, "pending")
    if state == "active" and it.refunded == it.amount > 0:
        state = "terminated"
    licensed = [each for each in it.items if each.kind == "PRODUCT" and "product_short_code" in each.attributes]
    return Expected(state, sum(ceil(each.quantity) for each in licensed) if state == "active" else 0)


# --- what is paid -------------------------------------------------------------------------------------------


def _paid(space: Space, bill: PeriodBill, bills: list[PeriodBill]) -> bool:
    """A period is paid by its last charge; one that was not charged goes on with what was paid before."""
    charges = _charges_in(space, bill, bills)
    return not charges or charges[-1].state == "SUCCESSFUL"


def _taken_back(space: Space, bill: PeriodBill, bills: list[PeriodBill]) -> bool:
    """Whether all that was paid for the period went back."""
    paid = [each for each in _charges_in(space, bill, bills) if each.state == "SUCCESSFUL"]
    with_what = [space.book.transactions[each.transaction] for each in paid if each.transaction is not None]
    return bool(with_what) and all(each.refunded == each.amount for each in with_what)


def _charges_in(space: Space, bill: PeriodBill, bills: list[PeriodBill]) -> list[Charge]:
    return [each for each in space.book.charges_of(bill.subscription) if _bill_of(each, bills) == bill]


def _bill_of(charge: Charge, bills: list[PeriodBill]) -> PeriodBill:
    """The last one that had begun when the charge was due; the first payment comes before the first period."""
    begun = [bill for bill in bills if bill.starts <= charge.planned]
    return begun[-1] if begun else bills[0]


# --- what is licensed ---------------------------------------------------------------------------------------


def _units(version: Version) -> int:
    """Licenses of the product and of the components that have terms of their own."""
    terms = _terms(version.product_version)
    units = 0
    if "product_short_code" in terms and terms.get("max_activations", "1").isdigit():
        counted = ceil(version.quantity_of(terms["quantity"])) if "quantity" in terms else 1
        units += 1 if terms.get("single_license") == "true" else counted
    for each in version.configured:
        if f"{each.component.reference.sku}.product_short_code" in terms:
            units += ceil(each.quantity)
    return units


def _terms(product: ProductVersion) -> dict[str, str]:
    lines = (line.partition(" = ") for line in product.comment.splitlines())
    return {name: value for name, equals, value in lines if equals}
