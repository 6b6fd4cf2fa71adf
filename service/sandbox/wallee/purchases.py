"""What is bought once: a transaction by itself. And money that goes back."""

from collections.abc import Sequence

from service.sandbox.wallee.billing import Billing
from service.sandbox.wallee.legality import IllegalAct
from service.sandbox.wallee.model import LineItem, Refund, Transaction, TransactionState


class Purchases(Billing):
    def buy(self, customer: int, items: Sequence[LineItem]) -> int:
        """Bought and paid at once; gives the transaction's id."""
        transaction = self.check_out(customer, items)
        self.fulfill(transaction)
        return transaction

    def check_out(self, customer: int, items: Sequence[LineItem]) -> int:
        """A transaction that is confirmed and not paid; gives its id."""
        book = self.book
        with book.act():
            reference = f"order-{book.ids.new()}"
            return self.begin_transaction(tuple(items), book.subscribers[customer], reference, charge=False).id

    def authorize(self, transaction: int) -> None:
        """The money is reserved, and the delivery not decided on."""
        before = self._in("authorize", transaction, "CONFIRMED")
        with self.book.act():
            self.book.change(self.process(before), state="AUTHORIZED", authorized=self.book.now)

    def fulfill(self, transaction: int) -> None:
        """Paid and to be delivered."""
        self._decide("fulfill", transaction, "FULFILL")

    def refuse(self, transaction: int) -> None:
        """Paid, but the vendor decides against the delivery."""
        self._decide("refuse", transaction, "DECLINE")

    def void(self, transaction: int) -> None:
        """The reserved money is let go."""
        before = self._in("void", transaction, "AUTHORIZED")
        with self.book.act():
            self.book.change(before, state="VOIDED")

    def fail_payment(self, transaction: int) -> None:
        before = self._in("fail_payment", transaction, "CONFIRMED")
        with self.book.act():
            self.book.change(self.process(before), state="FAILED", failed=self.book.now)

    # --- money goes back ------------------------------------------------------------------------------------

    def refundable(self, identifier: int) -> int:
        """How much of a transaction, or of a subscription's last paid charge, has not been given back."""
        paid = self._paid(identifier)
        return 0 if paid is None else paid.amount - paid.refunded

    def refund(self, identifier: int, amount: int | None = None) -> int:
        """Gives money back, all that is left by default; gives the refund's id.

        `identifier` is a transaction, or a subscription: then the transaction of its last paid charge.
        """
        paid, left = self._paid(identifier), self.refundable(identifier)
        returning = left if amount is None else amount
        if paid is None or not 0 < returning <= left:
            raise IllegalAct(f"refund: {identifier} has {left} to give back, not {returning}")
        book = self.book
        with book.act():
            refund = Refund(
                id=book.ids.new(),
                transaction=paid.id,
                state="PENDING",
                amount=returning,
                reference=f"refund-{book.ids.new()}",
                created=book.now,
            )
            pending = book.add(refund)
            book.change(paid, refunded=paid.refunded + returning)
            return book.change(pending, state="SUCCESSFUL", succeeded=book.now).id

    def fail_refund(self, identifier: int, amount: int | None = None) -> int:
        """A refund that does not succeed, so that nothing went back; gives its id."""
        paid, left = self._paid(identifier), self.refundable(identifier)
        if paid is None or left <= 0:
            raise IllegalAct(f"fail_refund: {identifier} has nothing to give back")
        book = self.book
        with book.act():
            refund = Refund(
                id=book.ids.new(),
                transaction=paid.id,
                state="PENDING",
                amount=amount or left,
                reference=f"refund-{book.ids.new()}",
                created=book.now,
            )
            return book.change(book.add(refund), state="FAILED").id

    def _paid(self, identifier: int) -> Transaction | None:
        found = self.book.transactions.get(identifier)
        if found is None:
            charges = [each for each in self.book.charges_of(identifier) if each.state == "SUCCESSFUL"]
            found = self.book.transactions[charges[-1].transaction or 0] if charges else None
        return found if found is not None and found.state == "FULFILL" else None

    def _decide(self, act: str, transaction: int, last: TransactionState) -> None:
        before = self._in(act, transaction, "CONFIRMED", "AUTHORIZED")
        with self.book.act():
            if before.state == "AUTHORIZED":
                completed = self.book.change(before, state="COMPLETED", completed=self.book.now)
                self.book.change(completed, state=last, decided=self.book.now)
            else:
                self.fulfill_transaction(self.process(before).id, last)

    def _in(self, act: str, transaction: int, *states: TransactionState) -> Transaction:
        found = self.book.transactions[transaction]
        if found.charge or found.state not in states:
            raise IllegalAct(f"{act}: {transaction} is {found.state}, it would have to be {' or '.join(states)}")
        return found
