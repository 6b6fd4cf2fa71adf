"""Checkout sessions as API version 2026-01-28.clover writes them. What was bought is not among the fields."""

from typing import Any

from service.sandbox.stripe.calendar import DAY
from service.sandbox.stripe.clover_payments import NO_ADDRESS
from service.sandbox.stripe.model import Merchant, Session

Json = dict[str, Any]


def session(it: Session, merchant: Merchant) -> Json:
    return {
        "id": it.id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": True},
        "after_expiration": None,
        "allow_promotion_codes": False,
        "amount_subtotal": it.amount_total,
        "amount_total": it.amount_total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": "auto",
        "cancel_url": "https://falcon.example/cancel",
        "client_reference_id": it.client_reference_id,
        "client_secret": None,
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "consent": None,
        "consent_collection": None,
        "created": it.created,
        "currency": it.currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": it.customer,
        "customer_account": None,
        "customer_creation": "if_required",
        "customer_details": {
            "address": {**NO_ADDRESS, "country": "US"},
            "business_name": None,
            "email": it.email,
            "individual_name": None,
            "name": it.name,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "customer_email": None,
        "discounts": [],
        "expires_at": it.created + DAY,
        "invoice": it.invoice,
        "invoice_creation": _invoice_creation(it),
        "livemode": merchant.livemode,
        "locale": "auto",
        "metadata": dict(it.metadata),
        "mode": it.mode,
        "origin_context": None,
        # In subscription mode the payment belongs to the invoice.
        "payment_intent": it.payment_intent if it.mode == "payment" else None,
        "payment_link": None,
        "payment_method_collection": "always" if it.mode == "subscription" else "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", "link"],
        "payment_status": it.payment_status,
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "complete",
        "submit_type": "auto",
        "subscription": it.subscription,
        "success_url": "https://falcon.example/thanks",
        "tax_id_collection": {"enabled": False, "required": "never"},
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": None,
        "wallet_options": None,
    }


def _invoice_creation(it: Session) -> Json | None:
    if it.mode == "subscription":
        return None
    nothing = dict.fromkeys(
        ("account_tax_ids", "custom_fields", "description", "footer", "issuer", "rendering_options")
    )
    return {"enabled": it.invoice_creation, "invoice_data": {**nothing, "metadata": {}}}
