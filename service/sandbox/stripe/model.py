"""What a Stripe account holds, without the shape of any API version.

Times are whole seconds since 1970 in UTC, money is in the currency's smallest unit. Every value is frozen: an act
replaces it, so an event can keep what was before and what came after.
"""

from typing import Literal

import msgspec

from service.sandbox.stripe.calendar import Interval

Status = Literal["incomplete", "incomplete_expired", "trialing", "active", "past_due", "unpaid", "paused", "canceled"]
InvoiceStatus = Literal["draft", "open", "paid", "uncollectible", "void"]
BillingReason = Literal["subscription_create", "subscription_cycle", "subscription_update", "manual"]
Collection = Literal["charge_automatically", "send_invoice"]
PauseBehavior = Literal["keep_as_draft", "mark_uncollectible", "void"]
CancellationReason = Literal["cancellation_requested", "payment_disputed", "payment_failed"]
DisputeStatus = Literal["needs_response", "under_review", "won", "lost"]
PaymentStatus = Literal["paid", "unpaid", "no_payment_required"]


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account it is; `livemode` stands on every object and event."""

    account: str
    name: str
    livemode: bool


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """A price of the catalog. `interval` is None for a one-time price."""

    id: str
    product: str
    product_name: str
    unit_amount: int
    currency: str
    interval: Interval | None
    interval_count: int = 1
    metadata: dict[str, str] = {}
    lookup_key: str | None = None
    created: int

    @property
    def every(self) -> Interval:
        if self.interval is None:
            raise ValueError(f"{self.lookup_key or self.id} is a one-time price; subscribe to a recurring one")
        return self.interval


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """`balance` is negative when the account owes the customer."""

    id: str
    name: str
    email: str
    created: int
    balance: int = 0


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a subscription, with the period it is in."""

    id: str
    price: Price
    quantity: int
    start: int
    end: int
    created: int


class PauseCollection(msgspec.Struct, frozen=True, kw_only=True):
    behavior: PauseBehavior
    resumes_at: int | None = None


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    customer: str
    items: tuple[Item, ...]
    status: Status
    created: int
    anchor: int
    collection: Collection = "charge_automatically"
    days_until_due: int | None = None
    payment_method: str | None = None
    latest_invoice: str | None = None
    trial_start: int | None = None
    trial_end: int | None = None
    pauses_without_payment_method: bool = False
    cancel_at: int | None = None
    cancel_at_period_end: bool = False
    canceled_at: int | None = None
    ended_at: int | None = None
    cancellation_reason: CancellationReason | None = None
    cancellation_feedback: str | None = None
    pause: PauseCollection | None = None
    metadata: dict[str, str] = {}

    @property
    def due(self) -> int:
        """When the next of its items has to be billed."""
        return min(item.end for item in self.items)

    def item(self, identifier: str | None) -> Item:
        """The named item, or the first. Raises LookupError."""
        for item in self.items:
            if identifier in {None, item.id}:
                return item
        raise LookupError(f"{self.id} has no item {identifier}; its items are {[item.id for item in self.items]}")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an invoice; `credits` names the invoice and lines that a proration gives back."""

    id: str
    price: Price
    quantity: int
    amount: int
    start: int
    end: int
    subscription: str | None = None
    item: str | None = None
    proration: bool = False
    invoice_item: str | None = None
    credits: tuple[str, tuple[str, ...]] | None = None


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    number: str
    customer: Customer
    subscription: str | None
    subscription_metadata: dict[str, str] = {}
    lines: tuple[Line, ...]
    billing_reason: BillingReason
    collection: Collection
    status: InvoiceStatus
    created: int
    starting_balance: int = 0
    ending_balance: int | None = None
    amount_due: int
    amount_paid: int = 0
    attempt_count: int = 0
    next_payment_attempt: int | None = None
    due_date: int | None = None
    finalized_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None
    marked_uncollectible_at: int | None = None
    payment_intent: str | None = None
    charge: str | None = None

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def currency(self) -> str:
        return self.lines[0].price.currency


class PaymentIntent(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    customer: str | None
    status: Literal["requires_payment_method", "requires_action", "processing", "succeeded"]
    created: int
    latest_charge: str | None = None
    invoice: str | None = None
    payment_method: str | None = None
    declined: bool = False


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    customer: str | None
    email: str
    name: str
    created: int
    payment_intent: str
    payment_method: str
    invoice: str | None = None
    paid: bool = True
    amount_refunded: int = 0
    disputed: bool = False


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    charge: str
    payment_intent: str
    amount: int
    currency: str
    created: int
    transaction: str


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    charge: str
    payment_intent: str
    amount: int
    currency: str
    reason: str
    status: DisputeStatus
    created: int


class InvoicePayment(msgspec.Struct, frozen=True, kw_only=True):
    """Which payment paid which invoice."""

    id: str
    invoice: str
    payment_intent: str
    amount: int
    currency: str
    created: int
    paid_at: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A finished Checkout session. What was bought is never in its event; `lines` is for read-backs."""

    id: str
    mode: Literal["payment", "subscription"]
    customer: str | None
    email: str
    name: str
    created: int
    lines: tuple[tuple[Price, int], ...]
    payment_status: PaymentStatus
    amount_total: int
    currency: str
    subscription: str | None = None
    invoice: str | None = None
    payment_intent: str | None = None
    invoice_creation: bool = False
    client_reference_id: str | None = None
    metadata: dict[str, str] = {}


Thing = Customer | Subscription | Invoice | PaymentIntent | Charge | Refund | Dispute | InvoicePayment | Session


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The API call that caused an event: all its events share it."""

    id: str
    idempotency_key: str


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """An event before it has the shape of an API version. `before` is what the object was, where Stripe tells."""

    id: str
    type: str
    created: int
    object: Thing
    before: Thing | None = None
    request: Request | None = None
