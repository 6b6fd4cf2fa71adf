"""What a wallee space holds, without the shape of any payload.

Times are seconds since 1970 in UTC, money is in the currency's smallest unit. Every value is frozen: an act replaces
it, and its `version` rises by one.
"""

from typing import Literal

import msgspec

from service.sandbox.wallee.calendar import Cycle

Kind = Literal[
    "subscriber",
    "product",
    "product-version",
    "component",
    "component-reference",
    "subscription",
    "version",
    "charge",
    "period-bill",
    "suspension",
    "level",
    "transaction",
    "refund",
]
State = Literal[
    "PENDING", "INITIALIZING", "FAILED", "ACTIVE", "SUSPENDED", "TERMINATION_SCHEDULED", "TERMINATING", "TERMINATED"
]
VersionState = Literal["PENDING", "INITIALIZING", "FAILED", "ACTIVE", "TERMINATING", "TERMINATED"]
ChargeState = Literal["SCHEDULED", "PROCESSING", "SUCCESSFUL", "FAILED", "DISCARDED"]
TransactionState = Literal[
    "CREATE",
    "PENDING",
    "CONFIRMED",
    "PROCESSING",
    "FAILED",
    "AUTHORIZED",
    "VOIDED",
    "COMPLETED",
    "FULFILL",
    "DECLINE",
]
LevelState = Literal["PENDING", "FAILED", "SUCCESSFUL"]
RefundState = Literal["PENDING", "FAILED", "SUCCESSFUL"]
Reason = Literal["FAILED_CHARGE", "SUBSCRIBER_INITIATED_REFUND", "MANUAL"]
EndAction = Literal["TERMINATE", "REACTIVATE"]


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """`version` is wallee's own: it rises whenever the entity is changed."""

    id: int
    version: int = 1


# --- what is sold -------------------------------------------------------------------------------------------


class ComponentReference(Entity, frozen=True, kw_only=True):
    sku: str
    name: str


class Component(Entity, frozen=True, kw_only=True):
    """A part of a product that has a quantity and a price of its own."""

    reference: ComponentReference
    price: int
    default: bool = True


class Product(Entity, frozen=True, kw_only=True):
    """`reference` is its SKU. `suspended_for`: how long a failed payment suspends before it ends."""

    reference: str
    name: str
    suspended_for: Cycle = "P14D"


class ProductVersion(Entity, frozen=True, kw_only=True):
    """A product as it was at one time; terms stand in `comment`, which subscribers do not see."""

    product: Product
    components: tuple[Component, ...]
    cycle: Cycle
    comment: str = ""
    increment: int = 1
    activated: int


class LineItem(msgspec.Struct, frozen=True, kw_only=True):
    """One position of a transaction."""

    sku: str
    name: str
    quantity: float
    amount: int
    kind: Literal["PRODUCT", "FEE", "SHIPPING", "DISCOUNT", "TIP"] = "PRODUCT"
    attributes: dict[str, str] = {}


# --- who buys, and what becomes of it -----------------------------------------------------------------------


class Subscriber(Entity, frozen=True, kw_only=True):
    name: str
    email: str
    company: str | None = None
    reference: str | None = None
    external_id: str | None = None
    language: str = "en-US"
    metadata: dict[str, str] = {}


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a component was chosen; quantities may have a fraction."""

    id: int
    component: Component
    quantity: float


class Subscription(Entity, frozen=True, kw_only=True):
    subscriber: int
    state: State
    product_version: ProductVersion
    reference: str
    created: int
    initialized: int | None = None
    activated: int | None = None
    termination_scheduled: int | None = None
    planned_termination: int | None = None
    terminating: int | None = None
    terminated: int | None = None


class Version(Entity, frozen=True, kw_only=True):
    """What is subscribed to: another one begins when the product or a quantity changes."""

    subscription: int
    state: VersionState
    product_version: ProductVersion
    configured: tuple[Configured, ...]
    created: int
    activated: int | None = None
    failed: int | None = None
    termination_issued: int | None = None
    planned_termination: int | None = None
    terminating: int | None = None
    terminated: int | None = None
    last_period_end: int | None = None

    @property
    def price(self) -> int:
        """What one period costs."""
        return round(sum(each.component.price * each.quantity for each in self.configured))


class PeriodBill(Entity, frozen=True, kw_only=True):
    """One period of a version, on which its fees stand. `ended` is set when it is closed."""

    of: int
    """The id of the version."""
    subscription: int
    state: Literal["PENDING", "BILLED"]
    starts: int
    planned_end: int
    anchor: int
    """The periods' ends are counted from here."""
    ended: int | None = None
    created: int


class Charge(Entity, frozen=True, kw_only=True):
    subscription: int
    state: ChargeState
    transaction: int | None
    kind: Literal["AUTOMATIC", "MANUAL"]
    flow: bool
    """Paid by a charge flow, which asks level by level."""
    reference: str
    amount: int
    planned: int
    created: int
    succeeded: int | None = None
    failed: int | None = None
    discarded: int | None = None


class Level(Entity, frozen=True, kw_only=True):
    """One attempt of a charge flow to get the money: by the token, then by mail."""

    transaction: int
    number: int
    state: LevelState
    created: int
    timeout: int


class Suspension(Entity, frozen=True, kw_only=True):
    subscription: int
    state: Literal["RUNNING", "ENDED"]
    reason: Reason
    end_action: EndAction
    created: int
    planned_end: int | None = None
    ended: int | None = None
    bill: int | None = None
    note: str | None = None


class Transaction(Entity, frozen=True, kw_only=True):
    """`refunded` is what was given back so far. `charge` says that a subscription is paid with it."""

    state: TransactionState
    items: tuple[LineItem, ...]
    customer: Subscriber
    reference: str
    created: int
    charge: bool = False
    confirmed: int | None = None
    processing: int | None = None
    authorized: int | None = None
    completed: int | None = None
    failed: int | None = None
    decided: int | None = None
    refunded: int = 0
    currency: str = "EUR"

    @property
    def amount(self) -> int:
        return sum(item.amount for item in self.items)


class Refund(Entity, frozen=True, kw_only=True):
    transaction: int
    state: RefundState
    amount: int
    reference: str
    created: int
    succeeded: int | None = None


Anything = (
    Subscriber
    | Product
    | ProductVersion
    | Component
    | ComponentReference
    | Subscription
    | Version
    | Charge
    | PeriodBill
    | Suspension
    | Level
    | Transaction
    | Refund
)

KINDS: dict[type, Kind] = {
    Subscriber: "subscriber",
    Product: "product",
    ProductVersion: "product-version",
    Component: "component",
    ComponentReference: "component-reference",
    Subscription: "subscription",
    Version: "version",
    Charge: "charge",
    PeriodBill: "period-bill",
    Suspension: "suspension",
    Level: "level",
    Transaction: "transaction",
    Refund: "refund",
}


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one entity. `place` counts the happenings of a space from 1, `act` the acts that made them.

    `changed` tells a change of the state from one that leaves it as it is.
    """

    id: int
    kind: Kind
    entity: int
    state: str
    changed: bool
    created: int
    place: int
    act: int
