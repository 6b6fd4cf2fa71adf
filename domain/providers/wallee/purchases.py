"""A transaction that is of no subscription: something bought once, licensed by the attributes of its line items."""

from domain import facts as f
from domain.providers.wallee.lines import purchased_lines
from domain.providers.wallee.shapes import Address, first_told
from domain.providers.wallee.transaction_shapes import FAILED, PAID, Purchase, Transaction

_UNDECIDED = frozenset({"CREATE", "PENDING", None})
"""States in which the customer has not confirmed anything yet; what is in the cart may change."""


def read_transaction(purchase: Purchase) -> list[f.Fact]:
    """The facts of a transaction in its own stream. Raises ValueError."""
    it = purchase.transaction
    if purchase.charges:
        about = "pays for a subscription"
        return [_version(it), f.PurchaseBecameSubscriptions(), f.Noted(about=about)]
    if it.state in _UNDECIDED:
        return [f.Noted(about="not confirmed yet")]
    return [
        _version(it),
        f.SubscriptionBegan(at=first_told(it.confirmed_on, it.created_on)),
        *_customer(it),
        f.LinesDescribed(lines=purchased_lines(it), complete=bool(it.line_items)),
        f.TestDescribed(test=it.is_test),
        _standing(it),
        *_refunded(it),
    ]


def _version(it: Transaction) -> f.VersionShown:
    return f.VersionShown(of="transaction", number=it.id, version=it.version or 0)


def _customer(it: Transaction) -> list[f.Fact]:
    address = it.billing_address or Address()
    told = f.CustomerDescribed(
        reference=it.customer_id or "",
        email=it.customer_email_address or "",
        name=address.name,
        company=address.organization_name or "",
    )
    return [] if told == f.CustomerDescribed() else [told]


def _standing(it: Transaction) -> f.Fact:
    if it.state in FAILED:
        return f.PurchaseFailed()
    return f.PurchaseCompleted(paid=it.state == PAID)


def _refunded(it: Transaction) -> list[f.Fact]:
    if not it.refunded:
        return []
    return [f.PaymentRefunded(payment=str(it.id), amount=it.amount, refunded=it.refunded, currency=it.currency or "")]
