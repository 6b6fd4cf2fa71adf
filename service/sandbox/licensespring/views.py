"""Records as answers show them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from service.sandbox.licensespring import custom_fields, lifetime
from service.sandbox.licensespring.durations import written
from service.sandbox.licensespring.issue import NewPassword
from service.sandbox.licensespring.records import (
    Customer,
    Device,
    License,
    LicenseFeature,
    LicenseUser,
    Order,
    Product,
    Seat,
    Terms,
)
from service.sandbox.licensespring.rows import Rows
from service.sandbox.licensespring.settings import SandboxSettings

View = dict[str, Any]


def customer_view(settings: SandboxSettings, customer: Customer) -> View:
    return {
        **msgspec.structs.asdict(customer),
        "labels": [],
        "clabels": [],
        "clabels_all": "",
        "company": settings.company_id,
        "license_user": None,
        "cognito_user_pool_id": None,
    }


def counted_customer_view(rows: Rows, settings: SandboxSettings, customer: Customer) -> View:
    orders = rows.find(Order, "customer", customer.id)
    return {
        **customer_view(settings, customer),
        "total_orders": len(orders),
        "total_licenses": sum(rows.count(License, "order", order.id) for order in orders),
    }


def order_view(rows: Rows, settings: SandboxSettings, order: Order) -> View:
    customer = rows.get(Customer, order.customer)
    licenses = rows.find(License, "order", order.id)
    return {
        "id": order.id,
        "store_id": order.store_id,
        "client_order_id": order.store_id,
        "customer": None if customer is None else customer_view(settings, customer),
        "order_items": [
            {
                "id": item.id,
                "order": order.id,
                "product": item.product,
                "product_id": item.product,
                "note": item.note,
                "licenses": [license_view(rows, settings, one) for one in licenses if one.order_item == item.id],
                "created_at": written(item.created_at),
                "updated_at": written(item.created_at),
            }
            for item in order.items
        ],
        "has_active_licenses": any(license_.active and license_.enabled for license_ in licenses),
        "type": "normal",
        "is_test": order.is_test,
        "is_bundle": order.is_bundle,
        "is_trial": order.is_trial,
        "download_id": order.download_id,
        "language": order.language,
        "campaign_params": order.campaign_params,
        "metadata": order.metadata,
        "company": settings.company_id,
        "created_at": written(order.created_at),
        "updated_at": written(order.updated_at),
    }


def created_order_view(rows: Rows, settings: SandboxSettings, order: Order, passwords: list[NewPassword]) -> View:
    if settings.create_order_answer == "order_id":
        return {"order_id": order.id, "new_passwords": passwords}
    return {**order_view(rows, settings, order), **({"new_passwords": passwords} if passwords else {})}


def status_text(settings: SandboxSettings, license_: License) -> str:
    if not license_.enabled:
        return "Disabled"
    return "Active" if license_.active else settings.inactive_status


def license_view(rows: Rows, settings: SandboxSettings, license_: License) -> View:
    order = rows.the(Order, license_.order)
    customer = rows.get(Customer, order.customer)
    product = rows.the(Product, license_.product)
    devices = sum(device.active for device in rows.find(Device, "license", license_.id))
    users = [seat_view(rows.the(LicenseUser, seat.user), seat) for seat in license_.seats]
    return {
        **terms_view(license_.terms),
        "id": license_.id,
        "status": status_text(settings, license_),
        "license_key": license_.license_key,
        "license_type": license_.license_type,
        "active": license_.active,
        "enabled": license_.enabled,
        "times_activated": license_.times_activated,
        "transfer_count": license_.transfer_count,
        "floating_in_use_devices": 0,
        "subscription_id": license_.subscription_id,
        "order": order.id,
        "order_item": license_.order_item,
        "order_store_id": order.store_id,
        "customer": None if customer is None else customer_view(settings, customer),
        "product": {
            "id": product.id,
            "product_name": product.product_name,
            "short_code": product.short_code,
            "authorization_method": product.authorization_method,
        },
        "product_features": [_feature_view(product, feature) for feature in license_.features],
        "product_custom_fields": custom_fields.by_name(rows, license_),
        "license_users": users,
        "license_user": users[0] if users else None,
        "license_template": license_.template,
        "time_activated": written(license_.time_activated),
        "time_disabled": written(license_.time_disabled),
        "disabled_user": None,
        "last_check": written(license_.last_check),
        "active_up_to_date_devices": devices,
        "total_active_devices": devices,
        "created_at": written(license_.created_at),
        "updated_at": written(license_.updated_at),
    }


def user_view(user: LicenseUser) -> View:
    """The real address is `true_email`; `email` has an internal suffix, and the password stands in clear text."""
    return {
        "id": user.id,
        "last_login": None,
        "email": f"{user.true_email}|{user.id}",
        "true_email": user.true_email,
        "is_active": True,
        "is_staff": False,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone_number": user.phone_number,
        "subscribed_to_email": False,
        "acquired_consent": False,
        "initial_password": user.initial_password,
        "is_initial_password": True,
        "created_at": written(user.created_at),
        "updated_at": written(user.updated_at),
    }


def seat_view(user: LicenseUser, seat: Seat) -> View:
    return {
        **user_view(user),
        "is_manager": seat.is_manager,
        "max_activations": seat.max_activations,
        "total_activations": seat.total_activations,
    }


def device_view(rows: Rows, device: Device) -> View:
    license_ = rows.the(License, device.license)
    users = [seat_view(rows.the(LicenseUser, seat.user), seat) for seat in license_.seats]
    return {
        "id": device.id,
        "hardware_id": device.hardware_id,
        "hostname": device.hostname,
        "license": {"id": license_.id, "license_key": license_.license_key, "license_users": users},
        "device_active": device.active,
        "blacklisted": False,
        "validity_period": written(license_.terms.validity_period),
        "time_activated": written(device.time_activated),
        "time_deactivated": written(device.time_deactivated),
        "last_check": written(device.last_check),
        "device_variables": [],
        "created_at": written(device.created_at),
        "updated_at": written(device.updated_at),
    }


def check_view(rows: Rows, license_: License, now: datetime, hardware_id: str, device: Device | None) -> View:
    """The License API's answer; signatures are left empty, because only LicenseSpring can make them."""
    product = rows.the(Product, license_.product)
    order = rows.the(Order, license_.order)
    customer = rows.get(Customer, order.customer)
    terms = terms_view(license_.terms)
    return {
        **{name: value for name, value in terms.items() if name not in ("note", "installation_file")},
        "id": license_.id,
        "order_store_id": order.store_id,
        "license_active": license_.active,
        "license_enabled": license_.enabled,
        "is_expired": lifetime.is_expired(license_, now),
        "license_type": license_.license_type,
        "license_key": license_.license_key,
        "times_activated": license_.times_activated,
        "transfer_count": license_.transfer_count,
        "is_borrowed": False,
        "borrowed_until": None,
        "custom_fields": custom_fields.by_name(rows, license_),
        "product_features": [_feature_view(product, feature) for feature in license_.features],
        "customer": None if customer is None else msgspec.structs.asdict(customer),
        "product_details": {
            "product_id": product.id,
            "product_name": product.product_name,
            "short_code": product.short_code,
            "authorization_method": product.authorization_method,
            "metadata": {},
        },
        "device_id": None if device is None else device.id,
        "hardware_id": hardware_id,
        "date": written(now),
        "license_signature": "",
        "license_signature_v2": "",
        "offline_signature": "",
    }


def terms_view(terms: Terms) -> View:
    return {name: _plain(value) for name, value in msgspec.structs.asdict(terms).items()}


def _feature_view(product: Product, held: LicenseFeature) -> View:
    feature = next(feature for feature in product.features if feature.id == held.feature)
    values = {name: _plain(value) for name, value in msgspec.structs.asdict(held).items() if name != "feature"}
    return {**values, "product_feature": {**msgspec.to_builtins(feature), "is_deleted": False}}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return written(value)
    return value.isoformat() if isinstance(value, date) else value
