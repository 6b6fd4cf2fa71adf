"""The subscription: what is known of one subscription or purchase. How facts become it is in `domain/fold.py`."""

from datetime import datetime

import msgspec

from domain import facts as f
from domain.acts import Act
from domain.lifecycle import State

FIRST_PAYMENT = "first payment"
"""The invoice that pays for the beginning, while nothing has named it."""

Keys = dict[str, None]
"""A set that is stored in the order in which it came about: the same for whoever folds the same."""


class EventRef(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Points from a derived value to the event that set it.

    Of these a long history has thousands: they close no circle, so the collector of garbage need not look at them.
    """

    event_id: str
    type: str
    at: datetime


def dated(ref: EventRef, at: datetime | None) -> EventRef:
    """The event, with the instant of which it tells where it names one."""
    return ref if at is None else msgspec.structs.replace(ref, at=at)


class HeldLine(msgspec.Struct, frozen=True):
    line: f.Line
    since: EventRef
    """The event that last changed it."""


class SoldLine(msgspec.Struct, frozen=True):
    """A line as it was while the subscription was licensed, with the most units it ever had in that form."""

    line: f.Line
    most: int
    since: EventRef


class PaidInvoice(msgspec.Struct, frozen=True, array_like=True, gc=False):
    periods: tuple[f.PaidPeriod, ...]
    amount: int
    currency: str
    paid: EventRef
    first: bool = False


class Refund(msgspec.Struct, frozen=True):
    """What went back of one payment: `refunded` is all of it, `parts` the returns that make it up, where told so."""

    amount: int
    refunded: int
    since: EventRef
    invoice: str = ""
    parts: dict[str, int] = {}
    items: dict[str, tuple[f.GivenBack, ...]] = {}
    """By part what it was for, of those that say so."""

    @property
    def in_full(self) -> bool:
        """Where nothing was paid, nothing can go back."""
        return 0 < self.amount <= self.refunded

    @property
    def concerned(self) -> bool:
        """Whether any of it was for something here, not all for something else that the same payment paid."""
        told = [items for part, items in self.items.items() if part in self.parts]
        return self.refunded > 0 and (len(told) < max(1, len(self.parts)) or any(told))

    def of(self, product: str | None = None) -> list[f.GivenBack]:
        """What is told to have been given back, of one product or of all."""
        told = (item for items in self.items.values() for item in items)
        return [item for item in told if product in {item.product, None}]


class Dispute(msgspec.Struct, frozen=True):
    payment: str
    since: EventRef
    outcome: f.DisputeOutcome | None = None
    opened: datetime | None = None
    """When it was opened, as far as told: it is no younger than that."""


class Grace(msgspec.Struct, frozen=True):
    """Which grace is over: that of so many days or fewer, that of as long as the provider tried (`tried`).

    `last`: at that time no line was granted more.
    """

    since: EventRef
    days: int | None = None
    tried: bool = False
    last: bool = False


class FailedPayment(msgspec.Struct, frozen=True):
    """The payment that failed last or, while it is past due, the one that made it so; empty `invoice`: not named.

    `gave_up`: the failure after which the provider planned no further attempt.
    """

    invoice: str
    last: EventRef
    gave_up: EventRef | None = None


class Customer(msgspec.Struct, frozen=True, omit_defaults=True):
    reference: str = ""
    email: str = ""
    name: str = ""
    company: str = ""


class Subscription(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is known of one subscription or one-time purchase. Mutable only while it is being folded."""

    state: State = State.PENDING
    state_since: EventRef | None = None
    state_reason: str = ""
    opened_since: EventRef | None = None
    """The event that first said that it exists and that its payment is still open."""
    identified: bool = False
    """True once an event said what the stream is about: until then it only holds what belongs elsewhere."""
    purchase: bool = False
    test: bool | None = None
    """Whether it was paid in the provider's test environment; None where the deliveries' mode says that, or nothing."""
    begun: bool = False
    """True once its very beginning was told: then every bill of it is told too, sooner or later."""
    lines_from: str = ""
    """What has to be read back to know what was bought, while that is not known."""
    customer: Customer = Customer()
    customer_since: EventRef | None = None
    lines: dict[str, HeldLine] = {}
    lines_since: EventRef | None = None
    sold: list[SoldLine] = []
    prices: dict[str, f.PriceDescribed] = {}
    """What was read back of prices (or products) that payloads only named."""
    users: tuple[f.NamedUser, ...] = ()
    users_since: EventRef | None = None
    fulfillment: str = ""
    """The reference under which the provider may ask for keys of this purchase."""
    activations: Keys = {}
    """Keys of events that may reopen; a key that comes again does not."""
    shown: Keys = {}
    """Keys of versions of the provider's objects that events have shown."""
    past_due_since: EventRef | None = None
    """Since when it is past due, while it is; also while it is suspended because grace ended."""
    past_due_told: datetime | None = None
    """When that was told, which may be later."""
    grace: Grace | None = None
    failed: FailedPayment | None = None
    """The failed payment that is still open."""
    days_until_due: int | None = None
    trial_end: datetime | None = None
    trial_since: EventRef | None = None
    charged: bool = False
    """True once more than the beginning was paid since it was opened, or a trial was."""
    cancel_at: datetime | None = None
    cancel_since: EventRef | None = None
    ends_at: datetime | None = None
    ends_since: EventRef | None = None
    collection_paused: bool = False
    invoices: dict[str, PaidInvoice] = {}
    payments: dict[str, str] = {}
    """Payment → the invoice it paid."""
    refunds: dict[str, Refund] = {}
    disputes: dict[str, Dispute] = {}
    links: Keys = {}
    announced: str = ""
    """Names all announcements of changes together: each that is added gives another name."""
    versions: dict[str, tuple[int, int]] = {}
    """By kind of the provider's objects the newest that was shown, as its number and version."""
    answered: Keys = {}
    """What the provider's API was asked about."""
    doubtful: str = ""
    """What it was asked about last and knew nothing of, or only what was known to be older."""
    acts: dict[str, Act] = {}
    """What operators decided, by the ids of their events; also what was undone since or has lapsed."""
    lapsed: Keys = {}
    """The acts whose time is over."""
    passed: EventRef | None = None
    """The latest instant that is known to be over, of those to which licenses reached."""
    anomalies: int = 0

    @property
    def gave_up(self) -> EventRef | None:
        """The failure after which the provider said that it plans no further attempt to collect the debt."""
        return self.failed.gave_up if self.failed is not None else None


def is_given_back(s: Subscription, line: f.Line) -> bool:
    """Whether all units of a line were taken back."""
    sold = sum(held.line.quantity for held in s.lines.values() if held.line.product == line.product)
    back = sum(item.quantity for refund in s.refunds.values() for item in refund.of(line.product))
    return 0 < sold <= back


def all_given_back(s: Subscription) -> bool:
    """Whether nothing is left of a purchase: all of its money, or every one of its lines, went back."""
    lines = [held.line for held in s.lines.values() if held.line.quantity]
    return any(refund.in_full for refund in s.refunds.values()) or (
        bool(lines) and all(is_given_back(s, line) for line in lines)
    )
