"""FastSpring's orders and returns, as far as Tenure reads them."""

from msgspec import Struct, field

from domain.providers.fastspring.shapes import (
    Account,
    Attributes,
    Contact,
    Count,
    Identified,
    Money,
    NamedOrder,
    NamedSubscription,
    Product,
    Text,
    id_of,
)
from domain.providers.fastspring.subscription_shapes import Subscription


class Item(Struct, frozen=True, kw_only=True, rename="camel"):
    """One product of an order. The four amounts at the end have a value where a change was charged in mid-period."""

    product: Text | Product | None = None
    quantity: Count | None = None
    attributes: Attributes | None = None
    subscription: Text | Subscription | None = None
    subtotal: Money | None = None
    is_addon: bool | None = None
    prorated_item_change_amount: Money | None = None
    prorated_item_prorated_charge: Money | None = None
    prorated_item_credit_amount: Money | None = None
    prorated_item_total: Money | None = None

    @property
    def is_prorated(self) -> bool:
        return any(
            (
                self.prorated_item_change_amount,
                self.prorated_item_prorated_charge,
                self.prorated_item_credit_amount,
                self.prorated_item_total,
            )
        )


class Recipient(Struct, frozen=True):
    recipient: Contact | None = None


class Order(NamedOrder, frozen=True, kw_only=True, rename="camel"):
    """`reference` is what the customer is told; the account's contact may be another person than `customer`."""

    completed: bool | None = None
    reference: Text | None = None
    account: Text | Account | None = None
    customer: Contact | None = None
    currency: Text | None = None
    total: Money | None = None
    recipients: list[Recipient] | None = None
    items: list[Item] | None = None


class ReturnedItem(Struct, frozen=True):
    """`quantity` is 0 where only money was given back."""

    product: Text | Product | None = None
    subscription: Text | NamedSubscription | None = None
    quantity: Count | None = None
    subtotal: Money | None = None


class ReturnedOrder(NamedOrder, frozen=True, kw_only=True, rename="camel"):
    total: Money | None = None
    subscriptions: list[Text | NamedSubscription] | None = None


class Return(Identified, frozen=True, kw_only=True, rename="camel"):
    return_: Text | None = field(default=None, name="return")
    completed: bool | None = None
    currency: Text | None = None
    total_return: Money | None = None
    original: Text | ReturnedOrder | None = None
    items: list[ReturnedItem] | None = None

    @property
    def identifier(self) -> str:
        return self.id or self.return_ or ""

    @property
    def original_order(self) -> str:
        return id_of(self.original)

    @property
    def subscriptions(self) -> list[str]:
        """The subscriptions it names, each once."""
        original = self.original.subscriptions if isinstance(self.original, ReturnedOrder) else None
        named = [item.subscription for item in self.items or ()] + list(original or ())
        return list(dict.fromkeys(found for ref in named if (found := id_of(ref))))
