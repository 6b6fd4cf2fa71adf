"""What a FastSpring store holds, without the shape of any payload.

Times are milliseconds since 1970 in UTC, money is in the currency's smallest unit. Every value is frozen: an act
replaces it, so an event keeps what was true when it happened.
"""

from typing import Literal

import msgspec

from service.sandbox.fastspring.calendar import Interval

State = Literal["active", "trial", "overdue", "canceled", "paused", "deactivated"]
Language = Literal["en", "de"]
Currency = Literal["USD", "EUR"]
Generator = Literal["quantity", "single"]
OrderState = Literal["open", "pending", "completed", "failed", "canceled"]


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product of the catalog. `interval` is None for one that is bought once.

    `generator`: its keys are asked from the vendor's server during checkout, one per unit or a single one; with
    `asks_again` before each later period of a subscription too ("rebills").
    `fee` is the path of a set-up fee that is sold along with it.
    """

    path: str
    display: str
    price: int
    interval: Interval | None = None
    interval_length: int = 1
    trial_days: int = 0
    attributes: dict[str, str] = {}
    generator: Generator | None = None
    asks_again: bool = False
    fee: str | None = None

    @property
    def every(self) -> Interval:
        if self.interval is None:
            raise ValueError(f"{self.path} is bought once; subscribe to a product with an interval")
        return self.interval


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    first: str
    last: str
    email: str
    company: str | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """`lookup` is the id for the vendor's own use, another one than `id`."""

    id: str
    lookup: str
    contact: Contact
    country: str
    language: Language
    currency: Currency


class AddOn(msgspec.Struct, frozen=True, kw_only=True):
    product: Product
    quantity: int


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The days a trial lasts, both at midnight."""

    start: int
    end: int


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is None for a managed (`adhoc`) subscription, which has no rhythm of its own.

    `owed`: a charge failed and was not made up for. `changed` is FastSpring's own: it does not move with every change.
    """

    id: str
    account: str
    product: Product
    quantity: int
    state: State
    begin: int
    anchor: int
    next: int | None
    changed: int
    sequence: int = 1
    managed: bool = False
    addons: tuple[AddOn, ...] = ()
    trial: Trial | None = None
    owed: bool = False
    notices: int = 0
    notices_total: int = 4
    pause_scheduled: bool = False
    canceled: int | None = None
    deactivation: int | None = None
    end: int | None = None
    order: str = ""
    reference: str = ""
    card: int = 4242

    @property
    def active(self) -> bool:
        return self.state not in {"deactivated", "paused"}

    @property
    def price(self) -> int:
        return self.product.price

    @property
    def period_price(self) -> int:
        """What one period costs, add-ons included."""
        return self.price * self.quantity + sum(each.product.price * each.quantity for each in self.addons)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One position of an order. `belongs_to` is the path of the product it was sold along with."""

    product: Product
    quantity: int
    subtotal: int
    subscription: str | None = None
    belongs_to: str | None = None
    addon: bool = False
    proration: bool = False


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`returned` is what was given back so far. Empty `recipients`: bought for oneself.

    `managed`: the subscriptions it begins have no rhythm of their own.
    """

    id: str
    reference: str
    account: str
    items: tuple[Item, ...]
    total: int
    changed: int
    state: OrderState = "open"
    recipients: tuple[Contact, ...] = ()
    managed: bool = False
    tags: dict[str, str] = {}
    card: int = 4242
    reason: str | None = None
    payment_due: int | None = None
    returned: int = 0
    taken: tuple[int, ...] = ()
    """Places of the items of which all units were taken back."""


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """Money given back for an order; `full` when it is all of it, `item` where it is for that place's item alone."""

    id: str
    reference: str
    order: Order
    amount: int
    full: bool
    reason: str
    changed: int
    item: int | None = None


# --- what events tell of ------------------------------------------------------------------------------------


class SubscriptionTold(msgspec.Struct, frozen=True, kw_only=True):
    subscription: Subscription
    account: Account
    new_card: bool = False


class OrderTold(msgspec.Struct, frozen=True, kw_only=True):
    """An order, with its subscriptions as they were at that moment."""

    order: Order
    account: Account
    subscriptions: tuple[Subscription, ...] = ()


class ChargeTold(msgspec.Struct, frozen=True, kw_only=True):
    """A charge for a subscription that exists already."""

    order: Order
    subscription: Subscription
    account: Account


class FailureTold(msgspec.Struct, frozen=True, kw_only=True):
    subscription: Subscription
    account: Account
    reason: str


class ReturnTold(msgspec.Struct, frozen=True, kw_only=True):
    returned: Returned
    account: Account


class PayoutTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor will be paid for an order."""

    id: str
    order: Order


class AccountTold(msgspec.Struct, frozen=True, kw_only=True):
    account: Account


Told = SubscriptionTold | OrderTold | ChargeTold | FailureTold | ReturnTold | PayoutTold | AccountTold


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """An event before it has a shape. Those of one `batch` are sent in one request."""

    id: str
    type: str
    created: int
    told: Told
    batch: int


class GeneratorCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request for the keys of one item, made while the buyer waits."""

    order: str
    reference: str
    subscription_reference: str | None
    product: Product
    quantity: int
    contact: Contact
    tags: dict[str, str] = {}
    made: int
