"""Periods, the charges for them, and the transactions that pay."""

from service.sandbox.wallee.calendar import DAY, following
from service.sandbox.wallee.desk import Desk
from service.sandbox.wallee.legality import Standing
from service.sandbox.wallee.model import (
    Charge,
    Level,
    LineItem,
    PeriodBill,
    Subscriber,
    Transaction,
    TransactionState,
    Version,
)

TURN = 600
"""How many seconds after the end of a period the next one is charged."""


class Billing(Desk):
    """What the acts do with money; none of this is an act by itself."""

    def open_bill(self, of: Version, starts: int, *, anchor: int | None = None, ends: int | None = None) -> PeriodBill:
        """The bill of a new period; by default it lasts a cycle, counted from the anchor."""
        anchored = starts if anchor is None else anchor
        bill = PeriodBill(
            id=self.book.ids.new(),
            of=of.id,
            subscription=of.subscription,
            state="BILLED" if self.habits.bills_at_start else "PENDING",
            starts=starts,
            planned_end=following(anchored, of.product_version.cycle, starts) if ends is None else ends,
            anchor=anchored,
            created=self.book.now,
        )
        return self.book.add(bill)

    def close_bill(self, bill: PeriodBill | None, ended: int) -> None:
        """The period is over; nothing is done where there is none, or an earlier end was written."""
        if bill is not None and bill.ended is None:
            self.book.change(bill, state="BILLED", ended=min(ended, bill.planned_end))

    def next_period(self, it: Standing) -> Version:
        """A turn of the period, and of the version where another one waits for it; gives the version that counts."""
        ends = it.due or self.book.now
        self.pass_to(ends + TURN)
        self.close_bill(it.bill, ends)
        version, anchor = it.version, ends if it.bill is None else it.bill.anchor
        if it.next_version is not None:
            if it.next_version.product_version.cycle != version.product_version.cycle:
                anchor = ends
            version = self.switch(version, it.next_version)
        self.open_bill(version, ends, anchor=anchor)
        return version

    def switch(self, before: Version, after: Version) -> Version:
        """Another version counts from now on."""
        now = self.book.now
        # The new one begins first: whoever looks in between sees one that counts.
        active = self.book.change(after, state="ACTIVE", activated=now)
        ending = self.book.change(before, state="TERMINATING", terminating=now, termination_issued=now)
        self.book.change(ending, state="TERMINATED", terminated=now)
        subscription = self.book.subscriptions[before.subscription]
        # The subscription is changed even where it shows nothing of it: that is what "every change" tells.
        self.book.change(subscription, product_version=after.product_version)
        return active

    def begin_charge(
        self, of: Version, amount: int, *, manual: bool = False, flow: bool = False, planned: int | None = None
    ) -> Charge:
        """A charge that is processed, with its transaction in `PROCESSING`."""
        book, reference = self.book, f"charge-{self.book.ids.new()}"
        subscription = book.subscriptions[of.subscription]
        items = tuple(
            LineItem(
                sku=each.component.reference.sku,
                name=each.component.reference.name,
                quantity=each.quantity,
                amount=round(each.component.price * each.quantity),
                kind="FEE",
            )
            for each in of.configured
        )
        if amount != of.price:
            items = (LineItem(sku="difference", name="Difference", quantity=1, amount=amount, kind="FEE"),)
        transaction = self.begin_transaction(items, book.subscribers[subscription.subscriber], reference, charge=True)
        charge = Charge(
            id=book.ids.new(),
            subscription=subscription.id,
            state="PROCESSING",
            transaction=transaction.id,
            kind="MANUAL" if manual else "AUTOMATIC",
            flow=flow,
            reference=reference,
            amount=amount,
            planned=book.now if planned is None else planned,
            created=book.now,
        )
        book.add(charge)
        self.process(transaction)
        return charge

    def succeed(self, charge: Charge) -> Charge:
        if charge.transaction is not None:
            self.fulfill_transaction(charge.transaction)
        return self.book.change(charge, state="SUCCESSFUL", succeeded=self.book.now)

    def fail(self, charge: Charge) -> Charge:
        if charge.transaction is not None:
            transaction = self.book.transactions[charge.transaction]
            self.book.change(transaction, state="FAILED", failed=self.book.now)
        return self.book.change(charge, state="FAILED", failed=self.book.now)

    def begin_level(self, charge: Charge, number: int) -> Level:
        level = Level(
            id=self.book.ids.new(),
            transaction=charge.transaction or 0,
            number=number,
            state="PENDING",
            created=self.book.now,
            timeout=self.book.now + 3 * DAY,
        )
        return self.book.add(level)

    # --- transactions ---------------------------------------------------------------------------------------

    def begin_transaction(
        self, items: tuple[LineItem, ...], customer: Subscriber, reference: str, *, charge: bool
    ) -> Transaction:
        book = self.book
        transaction = Transaction(
            id=book.ids.new(),
            state="PENDING",
            items=items,
            customer=customer,
            reference=reference,
            created=book.now,
            charge=charge,
        )
        book.add(transaction)
        return book.change(transaction, state="CONFIRMED", confirmed=book.now)

    def process(self, transaction: Transaction) -> Transaction:
        return self.book.change(transaction, state="PROCESSING", processing=self.book.now)

    def fulfill_transaction(self, identifier: int, last: TransactionState = "FULFILL") -> None:
        """Authorized, completed, and the delivery decided on: paid for good with `FULFILL`."""
        book = self.book
        authorized = book.change(book.transactions[identifier], state="AUTHORIZED", authorized=book.now)
        completed = book.change(authorized, state="COMPLETED", completed=book.now)
        book.change(completed, state=last, decided=book.now)
