"""Stripe's invoices, and what paid them, as far as Tenure reads them."""

from msgspec import Struct

from domain.providers.stripe.shapes import Amount, Count, Named, Page, Price, Ref, Seconds, Text, id_of


class SubscriptionDetails(Struct, frozen=True):
    subscription: Ref = None


class InvoiceParent(Struct, frozen=True):
    type: Text | None = None
    subscription_details: SubscriptionDetails | None = None


class Bill(Struct, frozen=True):
    """What names the subscription of an invoice: `parent` since basil, `subscription` before."""

    parent: InvoiceParent | None = None
    subscription: Ref = None

    @property
    def subscription_id(self) -> str:
        """Empty for an invoice that is not for a subscription."""
        parent = self.parent
        details = parent.subscription_details if parent and parent.type == "subscription_details" else None
        return (id_of(details.subscription) if details else "") or id_of(self.subscription)


class ItemDetails(Struct, frozen=True):
    subscription_item: Ref = None
    proration: bool | None = None


class LineParent(Struct, frozen=True):
    type: Text | None = None
    subscription_item_details: ItemDetails | None = None


class PriceDetails(Struct, frozen=True):
    price: Text | Price | None = None
    product: Ref = None


class Pricing(Struct, frozen=True):
    price_details: PriceDetails | None = None


class Period(Struct, frozen=True):
    start: Seconds
    end: Seconds


class InvoiceLine(Struct, frozen=True):
    """Item and price stand under `parent` and `pricing` since basil, on the line itself before."""

    id: Text
    period: Period
    quantity: Count | None = None
    parent: LineParent | None = None
    pricing: Pricing | None = None
    subscription_item: Ref = None
    proration: bool | None = None
    price: Text | Price | None = None

    @property
    def item(self) -> str:
        """The subscription item the line bills, empty for anything else."""
        details = self._item_details
        return (id_of(details.subscription_item) if details else "") or id_of(self.subscription_item)

    @property
    def prorated(self) -> bool:
        details = self._item_details
        return bool(self.proration if details is None or details.proration is None else details.proration)

    @property
    def sold(self) -> Price | None:
        """The price, with its metadata where the rendering embeds it; None for a line that has none."""
        details = self.pricing.price_details if self.pricing else None
        named = [price for price in (details.price if details else None, self.price) if price]
        whole = next((price for price in named if isinstance(price, Price) and price.metadata is not None), None)
        if whole is not None or not named:
            return whole
        first = named[0]
        product = details.product if details else None
        return first if isinstance(first, Price) else Price(id=first, product=product)

    @property
    def _item_details(self) -> ItemDetails | None:
        # Both kinds of details may be there; the type says which one counts.
        parent = self.parent
        return parent.subscription_item_details if parent and parent.type == "subscription_item_details" else None


class Invoice(Bill, frozen=True, kw_only=True):
    """`payment_intent` and `charge` are acacia's; since basil `invoice_payment` objects stand between."""

    id: Text
    currency: Text
    amount_paid: Amount
    lines: Page[InvoiceLine]
    customer: Ref = None
    customer_account: Ref = None
    customer_email: Text | None = None
    customer_name: Text | None = None
    billing_reason: Text | None = None
    status: Text | None = None
    collection_method: Text | None = None
    attempt_count: Count = 0
    next_payment_attempt: Seconds | None = None
    payment_intent: Ref = None
    charge: Ref = None


class Payment(Struct, frozen=True):
    """The kind that was used is the one that is there; neither for a payment made outside of Stripe."""

    payment_intent: Ref = None
    charge: Ref = None


class InvoicePayment(Struct, frozen=True):
    invoice: Text | Named
    payment: Payment
    status: Text | None = None
