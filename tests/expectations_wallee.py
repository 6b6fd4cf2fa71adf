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
    periods = _periods(space, identifier)
    paid = [each for each in periods if each.paid]
    works = state in {"active", "past_due"} and bool(paid) and not paid[-1].taken_back
    through = instant(max(each.end for each in paid)) if paid else None
    return Expected(state, _units(it.version) if works else 0, through)


def _purchase(it: Transaction) -> Expected:
    state = PURCHASES.get(it.state, "pending")
    if state == "active" and it.refunded == it.amount > 0:
        state = "terminated"
    licensed = [each for each in it.items if each.kind == "PRODUCT" and "product_short_code" in each.attributes]
    return Expected(state, sum(ceil(each.quantity) for each in licensed) if state == "active" else 0)


# --- what is paid -------------------------------------------------------------------------------------------


class Period(NamedTuple):
    """A period with what was charged for it; a change amid it ends its bill and writes another for the rest."""

    bills: list[PeriodBill]
    charges: list[tuple[Charge, Transaction]]

    @property
    def end(self) -> int:
        return self.bills[-1].ended or self.bills[-1].planned_end

    @property
    def paid(self) -> bool:
        """By the charge that was made last, or as nothing is claimed."""
        return not self.charges or self.charges[-1][0].state == "SUCCESSFUL"

    @property
    def taken_back(self) -> bool:
        """Whether all that was paid went back: of several payments the largest counts that did not."""
        paid = [with_what for charge, with_what in self.charges if charge.state == "SUCCESSFUL"]
        return bool(paid) and all(each.refunded == each.amount > 0 for each in paid)


def _periods(space: Space, identifier: int) -> list[Period]:
    book = space.book
    periods: list[Period] = []
    for bill in book.bills_of(identifier):
        if periods and periods[-1].bills[-1].planned_end == bill.planned_end:
            periods[-1].bills.append(bill)
        else:
            periods.append(Period([bill], []))
    for charge in space.claimed(identifier) if periods else ():
        begun = [each for each in periods if each.bills[0].starts <= charge.planned]
        # The first payment comes before the first period.
        paid = begun[-1] if begun else periods[0]
        paid.charges.append((charge, book.transactions[charge.transaction or 0]))
    return periods


# --- what is licensed ---------------------------------------------------------------------------------------


def quantity_of(version: Version, sku: str) -> float:
    """How much of the component is chosen; 0 when it is none of the chosen ones."""
    return sum(each.quantity for each in version.configured if each.component.reference.sku == sku)


def _units(version: Version) -> int:
    """Licenses of the product and of the components that have terms of their own."""
    terms = _terms(version.product_version)
    units = 0
    if "product_short_code" in terms and terms.get("max_activations", "1").isdigit():
        counted = ceil(quantity_of(version, terms["quantity"])) if "quantity" in terms else 1
        units += 1 if terms.get("single_license") == "true" else counted
    for each in version.configured:
        if f"{each.component.reference.sku}.product_short_code" in terms:
            units += ceil(each.quantity)
    return units


def _terms(product: ProductVersion) -> dict[str, str]:
    lines = (line.partition(" = ") for line in product.comment.splitlines())
    return {name: value for name, equals, value in lines if equals}
