"""Customers: people and companies that orders belong to. Neither email nor reference is unique."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from service.sandbox.licensespring import errors, fields
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.records import Customer


def create_customer(change: Change, sent: Mapping[str, Any]) -> Customer:
    """Raises ApiError for a value that does not fit its field."""
    customer = Customer(id=change.mint.small_id(), **_read(change, sent))
    change.put(customer)
    return customer


def update_customer(change: Change, customer: Customer, sent: Mapping[str, Any]) -> Customer:
    updated = msgspec.structs.replace(customer, **_read(change, sent))
    change.put(updated)
    return updated


def customer_of_order(change: Change, sent: Mapping[str, Any]) -> Customer:
    """The oldest customer with the sent email, whose empty fields are filled; else a new one."""
    values = _read(change, sent)
    email = values.get("email")
    known = change.rows.find(Customer, "email", email.lower()) if email else []
    if not known or change.settings.customer_matching == "never":
        return create_customer(change, sent)
    filled = {name: value for name, value in values.items() if not getattr(known[0], name)}
    customer = msgspec.structs.replace(known[0], **filled)
    change.put(customer)
    return customer


def _read(change: Change, sent: Mapping[str, Any]) -> dict[str, Any]:
    values, wrong = fields.read_all(fields.CUSTOMER, sent, change.settings)
    if values.get("email") and "@" not in values["email"]:
        wrong["email"] = "Enter a valid email address."
    if wrong:
        raise errors.fields(wrong)
    return values
