"""What the customer's application sees: activating a device and checking a license.

A license is valid when it is enabled, active and not expired, grace hours included.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from service.sandbox.licensespring import errors, lifetime, views
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.records import Device, License, Product
from service.sandbox.licensespring.rows import Rows
from service.sandbox.licensespring.settings import SandboxSettings

CHECK_NEEDS = ("license_key", "product", "hardware_id")


def check(rows: Rows, settings: SandboxSettings, now: datetime, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer for one device.

    Raises ApiError in the License API's form: `license_not_enabled`, `license_not_active`, `license_not_found`,
    `unknown_product`, `device_not_found`, `missing_parameters`. An expired license is answered, with `is_expired`.
    """
    if missing := [name for name in CHECK_NEEDS if not query.get(name)]:
        raise errors.coded("missing_parameters", f"Missing parameters: {', '.join(missing)}.")
    products = rows.find(Product, "short_code", query["product"])
    if not products:
        raise errors.coded("unknown_product", errors.UNKNOWN_PRODUCT.format(query["product"]))
    licenses = rows.find(License, "license_key", query["license_key"])
    if not licenses or licenses[0].product != products[0].id:
        raise errors.coded("license_not_found", "License not found.")
    license_ = licenses[0]
    if not license_.enabled:
        raise errors.coded("license_not_enabled", "License is not enabled.")
    if not license_.active:
        raise errors.coded("license_not_active", "License is not active.")
    device = _device(rows, license_, query["hardware_id"])
    if device is None and settings.check_on_unknown_device == "refused":
        raise errors.coded("device_not_found", "Device not found.")
    return views.check_view(rows, license_, now, query["hardware_id"], device)


def activate(change: Change, license_: License, hardware_id: str, hostname: str = "") -> License:
    """Binds a device as the application's first start would; a device bound already changes nothing.

    Raises ApiError in the License API's form when the license is disabled or its activations are used up.
    """
    if not license_.enabled:
        raise errors.coded("license_not_enabled", "License is not enabled.")
    device = _device(change.rows, license_, hardware_id)
    if device is not None and device.active:
        return license_
    if not license_.terms.allow_unlimited_activations and license_.times_activated >= license_.terms.max_activations:
        raise errors.coded("license_activated_max_times", "License was activated the maximum number of times.")
    if device is None:
        device = Device(
            id=change.mint.large_id(),
            license=license_.id,
            hardware_id=hardware_id,
            hostname=hostname,
            time_activated=change.now,
            created_at=change.now,
            updated_at=change.now,
        )
    change.put(
        msgspec.structs.replace(
            device, active=True, time_activated=change.now, time_deactivated=None, updated_at=change.now
        )
    )
    activated = msgspec.structs.replace(
        license_,
        terms=lifetime.begun(license_.terms, license_.license_type, change.now),
        times_activated=license_.times_activated + 1,
        time_activated=license_.time_activated or change.now,
        last_check=change.now,
        updated_at=change.now,
    )
    change.put(activated)
    return activated


def _device(rows: Rows, license_: License, hardware_id: str) -> Device | None:
    devices = rows.find(Device, "license", license_.id)
    return next((device for device in devices if device.hardware_id == hardware_id), None)
