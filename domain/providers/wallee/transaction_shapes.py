"""A transaction: the payment of a subscription's charge, or a purchase of its own."""

from decimal import Decimal

from msgspec import Struct

from domain.currencies import in_smallest_unit
from domain.providers.wallee.shapes import Address, Ref, Text, Versioned

FAILED = frozenset({"FAILED", "VOIDED", "DECLINE"})
"""States in which nothing will be paid any more."""
PAID = "FULFILL"
"""Paid, and safe to deliver; what is authorized is a reservation only."""


class ItemAttribute(Struct, frozen=True):
    value: Text | None = None


class LineItem(Struct, frozen=True, kw_only=True, rename="camel"):
    type: Text | None = None
    unique_id: Text | None = None
    sku: Text | None = None
    quantity: Decimal | None = None
    attributes: dict[Text, ItemAttribute | None] | None = None


class Transaction(Versioned, frozen=True, kw_only=True, rename="camel"):
    state: Text | None = None
    environment: Text | None = None
    authorization_environment: Text | None = None
    currency: Text | None = None
    authorization_amount: Decimal | None = None
    completed_amount: Decimal | None = None
    refunded_amount: Decimal | None = None
    created_on: Text | None = None
    confirmed_on: Text | None = None
    completed_on: Text | None = None
    customer_id: Text | None = None
    customer_email_address: Text | None = None
    billing_address: Address | None = None
    line_items: list[LineItem] | None = None

    @property
    def is_test(self) -> bool:
        """Whether no real money is in it (SDK 6.4.0: `Environment`, `ChargeAttemptEnvironment`); untold, there is."""
        return self.environment == "PREVIEW" and self.authorization_environment != "PRODUCTION"

    @property
    def amount(self) -> int:
        """What is to be paid, in the currency's smallest unit. Raises ValueError."""
        return self._in_smallest_unit(self.completed_amount or self.authorization_amount)

    @property
    def refunded(self) -> int:
        """What went back so far, in the currency's smallest unit. Raises ValueError."""
        return self._in_smallest_unit(self.refunded_amount)

    def _in_smallest_unit(self, amount: Decimal | None) -> int:
        return 0 if amount is None else in_smallest_unit(amount, self.currency or "")


class Owner(Struct, frozen=True):
    """A charge, as far as it says whose it is."""

    subscription: Ref = None


class Purchase(Struct, frozen=True):
    """What a question about a transaction is answered with; without charges it is of no subscription."""

    transaction: Transaction
    charges: list[Owner] = []
