"""Subscriptions and invoices as API version 2026-01-28.clover writes them; `shapes` tells how older versions differ.

Field sets follow stripe/openapi v2160 and the resource classes of stripe-python 14.3.0. Subscriptions also carry the
legacy top-level `plan` and `quantity`, as real events do.
"""

from typing import Any

from service.sandbox.stripe.model import Invoice, Item, Line, Merchant, Price, Subscription

Json = dict[str, Any]


def price(it: Price, merchant: Merchant) -> Json:
    return {
        "id": it.id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": it.created,
        "currency": it.currency,
        "custom_unit_amount": None,
        "livemode": merchant.livemode,
        "lookup_key": it.lookup_key,
        "metadata": dict(it.metadata),
        "nickname": None,
        "product": it.product,
        "recurring": it.interval
        and {
            "interval": it.interval,
            "interval_count": it.interval_count,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if it.interval else "one_time",
        "unit_amount": it.unit_amount,
        "unit_amount_decimal": str(it.unit_amount),
    }


def plan(it: Price, merchant: Merchant) -> Json:
    """The price in the words of the older Plans API, which Stripe still sends beside it."""
    return {
        "id": it.id,
        "object": "plan",
        "active": True,
        "amount": it.unit_amount,
        "amount_decimal": str(it.unit_amount),
        "billing_scheme": "per_unit",
        "created": it.created,
        "currency": it.currency,
        "interval": it.interval,
        "interval_count": it.interval_count,
        "livemode": merchant.livemode,
        "metadata": dict(it.metadata),
        "meter": None,
        "nickname": None,
        "product": it.product,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def item(it: Item, subscription_id: str, merchant: Merchant) -> Json:
    return {
        "id": it.id,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": it.created,
        "current_period_end": it.end,
        "current_period_start": it.start,
        "discounts": [],
        "metadata": {},
        "plan": plan(it.price, merchant),
        "price": price(it.price, merchant),
        "quantity": it.quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def subscription(it: Subscription, merchant: Merchant) -> Json:
    only = it.items[0] if len(it.items) == 1 else None
    return {
        "id": it.id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": it.anchor,
        "billing_cycle_anchor_config": None,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": it.created,
        },
        "billing_thresholds": None,
        "cancel_at": it.cancel_at,
        "cancel_at_period_end": it.cancel_at_period_end,
        "canceled_at": it.canceled_at,
        "cancellation_details": {
            "comment": None,
            "feedback": it.cancellation_feedback,
            "reason": it.cancellation_reason,
        },
        "collection_method": it.collection,
        "created": it.created,
        "currency": it.items[0].price.currency,
        "customer": it.customer,
        "customer_account": None,
        "days_until_due": it.days_until_due,
        "default_payment_method": it.payment_method,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": it.ended_at,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list",
            "data": [item(each, it.id, merchant) for each in it.items],
            "has_more": False,
            "total_count": len(it.items),
            "url": f"/v1/subscription_items?subscription={it.id}",
        },
        "latest_invoice": it.latest_invoice,
        "livemode": merchant.livemode,
        "metadata": dict(it.metadata),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": it.pause and {"behavior": it.pause.behavior, "resumes_at": it.pause.resumes_at},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "plan": only and plan(only.price, merchant),
        "quantity": only and only.quantity,
        "schedule": None,
        "start_date": it.created,
        "status": it.status,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": it.trial_end,
        "trial_settings": {
            "end_behavior": {
                "missing_payment_method": "pause" if it.pauses_without_payment_method else "create_invoice"
            }
        },
        "trial_start": it.trial_start,
    }


def line(it: Line, invoice_id: str, merchant: Merchant) -> Json:
    credited = it.credits and {"invoice": it.credits[0], "invoice_line_items": list(it.credits[1])}
    details = {
        "invoice_item": it.invoice_item,
        "proration": it.proration,
        "proration_details": {"credited_items": credited},
        "subscription": it.subscription,
    }
    kind = "subscription_item_details" if it.item else "invoice_item_details"
    return {
        "id": it.id,
        "object": "line_item",
        "amount": it.amount,
        "currency": it.price.currency,
        "description": describe(it),
        "discount_amounts": [],
        "discountable": not it.proration,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": merchant.livemode,
        "metadata": {},
        "parent": {
            "invoice_item_details": None if it.item else details,
            "subscription_item_details": {**details, "subscription_item": it.item} if it.item else None,
            "type": kind,
        },
        "period": {"end": it.end, "start": it.start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": it.price.id, "product": it.price.product},
            "type": "price_details",
            "unit_amount_decimal": str(it.price.unit_amount),
        },
        "quantity": it.quantity,
        "subtotal": it.amount,
        "taxes": [],
    }


def describe(it: Line) -> str:
    what = f"{it.quantity} \N{MULTIPLICATION SIGN} {it.price.product_name}"
    if it.proration:
        return f"{'Unused' if it.amount < 0 else 'Remaining'} time on {what}"
    return f"{what} (at ${it.price.unit_amount / 100:.2f} / {it.price.interval})" if it.price.interval else what


def invoice(it: Invoice, merchant: Merchant) -> Json:
    page = f"/i/{merchant.account}/{it.id}"
    return {
        "id": it.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": merchant.name,
        "account_tax_ids": None,
        "amount_due": it.amount_due,
        "amount_overpaid": 0,
        "amount_paid": it.amount_paid,
        "amount_remaining": it.amount_due - it.amount_paid,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": it.attempt_count,
        "attempted": it.attempt_count > 0,
        "auto_advance": it.status in {"draft", "open"},
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": it.billing_reason,
        "collection_method": it.collection,
        "created": it.created,
        "currency": it.currency,
        "custom_fields": None,
        "customer": it.customer.id,
        "customer_account": None,
        "customer_address": None,
        "customer_email": it.customer.email,
        "customer_name": it.customer.name,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": it.due_date,
        "effective_at": it.finalized_at,
        "ending_balance": it.ending_balance,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": f"https://invoice.stripe.com{page}" if it.finalized_at else None,
        "invoice_pdf": f"https://pay.stripe.com{page}/pdf" if it.finalized_at else None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {
            "object": "list",
            "data": [line(each, it.id, merchant) for each in it.lines],
            "has_more": False,
            "total_count": len(it.lines),
            "url": f"/v1/invoices/{it.id}/lines",
        },
        "livemode": merchant.livemode,
        "metadata": {},
        "next_payment_attempt": it.next_payment_attempt,
        "number": it.number if it.finalized_at else None,
        "on_behalf_of": None,
        "parent": it.subscription
        and {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(it.subscription_metadata),
                "subscription": it.subscription,
            },
            "type": "subscription_details",
        },
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": it.created,
        "period_start": it.created,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": it.starting_balance,
        "statement_descriptor": None,
        "status": it.status,
        "status_transitions": {
            "finalized_at": it.finalized_at,
            "marked_uncollectible_at": it.marked_uncollectible_at,
            "paid_at": it.paid_at,
            "voided_at": it.voided_at,
        },
        "subtotal": it.total,
        "subtotal_excluding_tax": it.total,
        "test_clock": None,
        "total": it.total,
        "total_discount_amounts": [],
        "total_excluding_tax": it.total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": it.created,
    }
