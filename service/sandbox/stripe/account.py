"""A Stripe account in which people subscribe, change their minds, pay, fail to pay and leave.

Time stands still between acts: `advance` moves it. What Stripe does by itself at the end of a period (`renew`,
`fail_payment`, `reach_period_end`, `pause`, …) moves it there. An act that the state does not allow raises IllegalAct.
"""

from msgspec.structs import replace

from service.sandbox.stripe.changes import Changes
from service.sandbox.stripe.checkout import Checkout
from service.sandbox.stripe.endings import Endings
from service.sandbox.stripe.legality import IllegalAct
from service.sandbox.stripe.model import Customer
from service.sandbox.stripe.payments import Payments
from service.sandbox.stripe.periods import Periods


class Account(Checkout, Periods, Changes, Endings, Payments):
    """All acts at one desk: one book, one clock."""

    def customer(self, name: str, email: str) -> str:
        """A new customer; gives the id."""
        now = self.book.now
        customer = Customer(id=self.book.ids.new("cus"), name=name, email=email, created=now)
        with self.book.request():
            self.book.happened("customer.created", now, customer)
        return customer.id

    def change_email(self, customer: str, email: str) -> None:
        before = self.book.customers[customer]
        if before.email == email:
            raise IllegalAct(f"change_email: {customer} has that address already")
        with self.book.request():
            self.book.happened("customer.updated", self.book.now, replace(before, email=email), before)
