"""FastSpring's subscriptions, as far as Tenure reads them."""

from msgspec import Struct

from domain.providers.fastspring.shapes import (
    Account,
    Attributes,
    Count,
    Milliseconds,
    Money,
    NamedSubscription,
    Product,
    Text,
    Whole,
)


class Interval(Struct, frozen=True, kw_only=True, rename="camel"):
    """A length of time; `adhoc` and null are none."""

    interval_unit: Text | None = None
    interval_length: Whole | None = None


class Overdue(Interval, frozen=True, kw_only=True, rename="camel"):
    """How many notices of an overdue payment there will be, and how many there were."""

    total: Whole | None = None
    sent: Whole | None = None


class CancellationSetting(Interval, frozen=True, kw_only=True, rename="camel"):
    """When a subscription that is not paid ends."""

    cancellation: Text | None = None


class Instruction(Struct, frozen=True, kw_only=True, rename="camel"):
    """One phase of the price."""

    type: Text | None = None
    period_end_date: Milliseconds | None = None
    unit_price: Money | None = None


class AddOn(Struct, frozen=True, kw_only=True):
    product: Text | Product | None = None
    quantity: Count | None = None
    attributes: Attributes | None = None


class Subscription(NamedSubscription, frozen=True, kw_only=True, rename="camel"):
    """`active` says whether there is access, whatever `state` says: a canceled one is active until its day comes.

    `next` is the day of the next charge, so what was paid for ends there. `adhoc`: the vendor charges when they like.
    """

    active: bool | None = None
    state: Text | None = None
    account: Text | Account | None = None
    product: Text | Product | None = None
    attributes: Attributes | None = None
    addons: list[Text | AddOn] | None = None
    quantity: Count | None = None
    currency: Text | None = None
    subtotal: Money | None = None
    adhoc: bool | None = None
    changed: Milliseconds | None = None
    begin: Milliseconds | None = None
    next: Milliseconds | None = None
    end: Milliseconds | None = None
    canceled_date: Milliseconds | None = None
    deactivation_date: Milliseconds | None = None
    sequence: Count | None = None
    interval_unit: Text | None = None
    interval_length: Whole | None = None
    instructions: list[Instruction] | None = None
    payment_overdue: Overdue | None = None
    cancellation_setting: CancellationSetting | None = None
    initial_order_id: Text | None = None
    initial_order_reference: Text | None = None

    @property
    def interval(self) -> Interval:
        return Interval(interval_unit=self.interval_unit, interval_length=self.interval_length)

    @property
    def is_expanded(self) -> bool:
        """Whether the webhook is set to send objects: then the order of this subscription comes whole, too."""
        return isinstance(self.product, Product) or isinstance(self.account, Account)
