"""Orders: made with all their licenses or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from service.sandbox.licensespring import bundles, custom_fields, errors, fields, seats
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.customers import customer_of_order
from service.sandbox.licensespring.durations import parse_instant
from service.sandbox.licensespring.issue import NewPassword, issue
from service.sandbox.licensespring.records import Customer, Device, License, Order, OrderItem, Product

ITEM_FIELDS_OF_LICENSES = ("key", "license_policy")
TEXTS = ("campaign_params", "download_id", "language")


def create_order(change: Change, sent: Mapping[str, Any]) -> tuple[Order, list[NewPassword]]:
    """The order made or, with `append`, added to; and the passwords of users it made.

    Raises ApiError, in the form the settings choose, for an id that exists (without `append`), an unknown product
    and every broken rule of `issue`.
    """
    settings = change.settings
    try:
        known = change.rows.find(Order, "store_id", _store_id(sent))
        if known and not fields.one("append", fields.flag, sent.get("append", False)):
            duplicate = errors.fields({"id": errors.ORDER_EXISTS}, code="order_already_exists")
            raise errors.order_refused(duplicate, settings.duplicate_order)
        return _add_items(change, known[0] if known else _new_order(change, sent), sent)
    except errors.FieldsRefused as refusal:
        if refusal.code == "order_already_exists":
            raise
        raise errors.order_refused(refusal, settings.order_errors) from None


def update_order(change: Change, order: Order, sent: Mapping[str, Any]) -> Order:
    """Seen in use is `store_id`; the rest is what the vendor's pages let people edit."""
    texts = {name: fields.one(name, fields.text, sent[name]) for name in (*TEXTS, "store_id") if name in sent}
    flags = {name: fields.one(name, fields.flag, sent[name]) for name in ("is_test", "is_trial") if name in sent}
    taken = change.rows.find(Order, "store_id", texts.get("store_id", order.store_id))
    if any(other.id != order.id for other in taken):
        raise errors.fields({"store_id": errors.ORDER_EXISTS})
    metadata = {"metadata": fields.one("metadata", fields.mapping, sent["metadata"])} if "metadata" in sent else {}
    customer = order.customer
    if sent.get("customer") is not None:
        customer = fields.one("customer", fields.whole, sent["customer"])
        if change.rows.get(Customer, customer) is None:
            raise errors.fields({"customer": errors.NO_SUCH_OBJECT.format(customer)})
    updated = msgspec.structs.replace(order, **texts, **flags, **metadata, customer=customer, updated_at=change.now)
    change.put(updated)
    return updated


def delete_order(change: Change, order: Order) -> None:
    """Removes the order, its licenses and their devices."""
    for license_ in change.rows.find(License, "order", order.id):
        delete_license(change, license_)
    change.remove(order)


def delete_license(change: Change, license_: License) -> None:
    """Removes the license with its devices and custom fields."""
    custom_fields.clear(change, license_)
    for device in change.rows.find(Device, "license", license_.id):
        change.remove(device)
    change.remove(license_)


def _store_id(sent: Mapping[str, Any]) -> str:
    return fields.one("id", fields.text, sent["id"]) if sent.get("id") not in (None, "") else ""


def _new_order(change: Change, sent: Mapping[str, Any]) -> Order:
    number = change.mint.large_id()
    buyer = sent.get("customer")
    customer = (
        customer_of_order(change, fields.one("customer", fields.mapping, _company_named(buyer))) if buyer else None
    )
    created = sent.get("created")
    order = Order(
        id=number,
        store_id=_store_id(sent) or str(number),
        customer=None if customer is None else customer.id,
        items=(),
        is_test=fields.one("is_test", fields.flag, sent.get("is_test", False)),
        is_trial=False,
        is_bundle=fields.one("is_bundle", fields.flag, sent.get("is_bundle", False)),
        metadata=fields.one("metadata", _written_out, sent.get("metadata")),
        managers=(),
        created_at=fields.one("created", parse_instant, created) if isinstance(created, str) else change.now,
        updated_at=change.now,
        **{name: fields.one(name, fields.text, sent.get(name) or "") for name in TEXTS},
    )
    change.put(order)
    if buyer and fields.one("is_manager", fields.flag, buyer.get("is_manager", False)):
        seats.add_manager(change, order, buyer)
    return change.rows.the(Order, order.id)


def _add_items(change: Change, order: Order, sent: Mapping[str, Any]) -> tuple[Order, list[NewPassword]]:
    items = fields.one("items", fields.objects, sent.get("items"))
    if not items:
        raise errors.fields({"items": errors.REQUIRED})
    if order.is_bundle:
        items = bundles.unpacked(change, items)
    passwords: list[NewPassword] = []
    for entry in items:
        order, made = _add_item(change, order, entry)
        passwords += made
    return order, passwords


def _add_item(change: Change, order: Order, sent: Mapping[str, Any]) -> tuple[Order, list[NewPassword]]:
    code = sent.get("product_code")
    products = change.rows.find(Product, "short_code", code) if isinstance(code, str) else []
    if not products:
        raise errors.fields({"product_code": errors.UNKNOWN_PRODUCT.format(code)}, code="unknown_product")
    licenses = fields.one("licenses", fields.objects, sent.get("licenses"))
    if not licenses:
        raise errors.fields({"licenses": errors.REQUIRED})
    item = OrderItem(
        id=change.mint.large_id(),
        product=products[0].id,
        note=fields.one("note", fields.text, sent.get("note") or ""),
        created_at=change.now,
    )
    of_item = {name: sent[name] for name in ITEM_FIELDS_OF_LICENSES if sent.get(name)}
    passwords: list[NewPassword] = []
    trial = order.is_trial
    for entry in licenses:
        license_, made = issue(
            change, order, item, {**of_item, **entry, "subscription_id": sent.get("subscription_id")}
        )
        trial = trial or license_.terms.is_trial
        passwords += made
    grown = msgspec.structs.replace(order, items=(*order.items, item), is_trial=trial, updated_at=change.now)
    change.put(grown)
    return grown, passwords


def _company_named(buyer: Any) -> Any:
    """The page's prose says `company` where its schema and all code say `company_name`; both are taken."""
    if isinstance(buyer, dict) and "company" in buyer:
        return {"company_name": buyer["company"], **buyer}
    return buyer


def _written_out(value: Any) -> dict[str, Any]:
    """Order metadata travels as text that holds a JSON object."""
    if value in (None, ""):
        return {}
    if not isinstance(value, str):
        raise errors.FieldError("Not a valid string.")
    try:
        return fields.mapping(msgspec.json.decode(value))
    except msgspec.DecodeError:
        raise errors.FieldError("Value must be valid JSON.") from None
