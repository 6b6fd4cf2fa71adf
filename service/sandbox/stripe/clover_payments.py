"""Customers and payments as API version 2026-01-28.clover writes them."""

from typing import Any

from service.sandbox.stripe.model import (
    Charge,
    Customer,
    Dispute,
    InvoicePayment,
    Merchant,
    PaymentIntent,
    Refund,
)

Json = dict[str, Any]

NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def customer(it: Customer, merchant: Merchant) -> Json:
    return {
        "id": it.id,
        "object": "customer",
        "address": None,
        "balance": it.balance,
        "created": it.created,
        "currency": "usd",
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": it.email,
        "invoice_prefix": it.id[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": merchant.livemode,
        "metadata": {},
        "name": it.name,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": ["en"],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def payment_intent(it: PaymentIntent, merchant: Merchant) -> Json:
    succeeded = it.status == "succeeded"
    return {
        "id": it.id,
        "object": "payment_intent",
        "amount": it.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": it.amount if succeeded else 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "created": it.created,
        "currency": it.currency,
        "customer": it.customer,
        "customer_account": None,
        "description": "Subscription creation" if it.invoice else None,
        "last_payment_error": {"code": "card_declined", "decline_code": "insufficient_funds", "type": "card_error"}
        if it.declined
        else None,
        "latest_charge": it.latest_charge,
        "livemode": merchant.livemode,
        "metadata": {},
        "next_action": {"type": "use_stripe_sdk"} if it.status == "requires_action" else None,
        "on_behalf_of": None,
        "payment_method": it.payment_method,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": "off_session" if it.invoice else None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": it.status,
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(it: Charge, merchant: Merchant) -> Json:
    return {
        "id": it.id,
        "object": "charge",
        "amount": it.amount,
        "amount_captured": it.amount if it.paid else 0,
        "amount_refunded": it.amount_refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": dict(NO_ADDRESS),
            "email": it.email,
            "name": it.name,
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "FALCON SOFTWARE",
        "captured": it.paid,
        "created": it.created,
        "currency": it.currency,
        "customer": it.customer,
        "description": None,
        "disputed": it.disputed,
        "failure_balance_transaction": None,
        "failure_code": None if it.paid else "card_declined",
        "failure_message": None if it.paid else "Your card has insufficient funds.",
        "fraud_details": {},
        "livemode": merchant.livemode,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": None,
        "paid": it.paid,
        "payment_intent": it.payment_intent,
        "payment_method": it.payment_method,
        "payment_method_details": {
            "card": {"brand": "visa", "country": "US", "exp_month": 4, "exp_year": 2032, "last4": "4242"},
            "type": "card",
        },
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": it.amount_refunded == it.amount,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if it.paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def refund(it: Refund, _merchant: Merchant) -> Json:
    return {
        "id": it.id,
        "object": "refund",
        "amount": it.amount,
        "balance_transaction": it.transaction,
        "charge": it.charge,
        "created": it.created,
        "currency": it.currency,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": {},
        "payment_intent": it.payment_intent,
        "reason": "requested_by_customer",
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def dispute(it: Dispute, merchant: Merchant) -> Json:
    return {
        "id": it.id,
        "object": "dispute",
        "amount": it.amount,
        "balance_transactions": [],
        "charge": it.charge,
        "created": it.created,
        "currency": it.currency,
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": it.created + 7 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": it.status != "needs_response",
            "past_due": False,
            "submission_count": int(it.status != "needs_response"),
        },
        "is_charge_refundable": False,
        "livemode": merchant.livemode,
        "metadata": {},
        "payment_intent": it.payment_intent,
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": it.reason,
        "status": it.status,
    }


def invoice_payment(it: InvoicePayment, merchant: Merchant) -> Json:
    return {
        "id": it.id,
        "object": "invoice_payment",
        "amount_paid": it.amount,
        "amount_requested": it.amount,
        "created": it.created,
        "currency": it.currency,
        "invoice": it.invoice,
        "is_default": True,
        "livemode": merchant.livemode,
        "payment": {"payment_intent": it.payment_intent, "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": it.paid_at},
    }
