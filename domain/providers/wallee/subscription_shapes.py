"""A subscription as it is read whole: the object itself, and all that says how it stands."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from domain.providers.wallee.shapes import Address, Ref, Text, Versioned, id_of
from domain.providers.wallee.transaction_shapes import Transaction

State = Literal[
    "PENDING",
    "INITIALIZING",
    "FAILED",
    "ACTIVE",
    "SUSPENDED",
    "TERMINATION_SCHEDULED",
    "TERMINATING",
    "TERMINATED",
]


class Subscriber(Versioned, frozen=True, kw_only=True, rename="camel"):
    reference: Text | None = None
    external_id: Text | None = None
    email_address: Text | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None


class Product(Versioned, frozen=True, kw_only=True, rename="camel"):
    reference: Text | None = None
    """The SKU."""
    name: Text | None = None


class ProductVersion(Versioned, frozen=True, kw_only=True, rename="camel"):
    """`comment` holds the license terms (see `comment.py`)."""

    product: Product | None = None
    comment: Text | None = None
    state: Text | None = None

    @property
    def is_expanded(self) -> bool:
        return self.state is not None or self.product is not None or self.comment is not None


class Subscription(Versioned, frozen=True, kw_only=True, rename="camel"):
    state: State
    subscriber: Subscriber | None = None
    current_product_version: ProductVersion | None = None
    created_on: Text | None = None
    initialized_on: Text | None = None
    activated_on: Text | None = None
    planned_termination_date: Text | None = None


class Configuration(Struct, frozen=True, kw_only=True):
    """How much of a component was chosen."""

    component: Ref = None
    quantity: Decimal | None = None


class Version(Versioned, frozen=True, kw_only=True, rename="camel"):
    """One of the forms that the subscription has had: a product version with its configured components."""

    state: Text | None = None
    product_version: ProductVersion | None = None
    component_configurations: list[Configuration] | None = None


class Charge(Versioned, frozen=True, kw_only=True, rename="camel"):
    """`transaction` without a state is only named."""

    state: Text | None = None
    transaction: Transaction | None = None
    planned_execution_date: Text | None = None
    created_on: Text | None = None
    succeed_on: Text | None = None


class Suspension(Versioned, frozen=True, kw_only=True, rename="camel"):
    state: Text | None = None
    reason: Text | None = None
    end_action: Text | None = None
    created_on: Text | None = None
    planned_end_date: Text | None = None
    effective_end_date: Text | None = None


class PeriodBill(Versioned, frozen=True, kw_only=True, rename="camel"):
    period_start_date: Text | None = None
    planned_period_end_date: Text | None = None
    effective_period_end_date: Text | None = None


class Reference(Struct, frozen=True):
    sku: Text | None = None


class Component(Versioned, frozen=True, kw_only=True, rename="camel"):
    reference: Reference | None = None


class Level(Versioned, frozen=True, kw_only=True, rename="camel"):
    """A step of asking for new payment data, after a charge of that transaction did not succeed."""

    state: Text | None = None
    transaction: Ref = None
    linked_transaction: Ref = None

    @property
    def payments(self) -> set[int | None]:
        """The transactions that it names as the one of its charge."""
        return {id_of(self.transaction), id_of(self.linked_transaction)}


class Whole(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a question about a subscription is answered with."""

    subscription: Subscription
    versions: list[Version] = []
    charges: list[Charge] = []
    suspensions: list[Suspension] = []
    period_bills: list[PeriodBill] = []
    components: list[Component] = []
    levels: list[Level] = []
