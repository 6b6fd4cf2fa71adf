"""What is done to licenses besides PATCH, alone and in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from service.sandbox.licensespring import custom_fields, errors, fields, issue
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.patch import set_enabled
from service.sandbox.licensespring.records import Device, License, Product

Act = Callable[[Change, License], object]

ENABLED = {"message": "License enabled."}
DISABLED = {"message": "License disabled."}
DISABLED_BULK = {"message": "Licenses disabled."}
RESET = {"message": "License and all devices reset."}
RESET_BULK = {"message": "Licenses and related devices reset."}
CUSTOM_RESET = {"message": "Licenses reset successfully."}
CONSUMPTION_RESET = {"message": "License consumption reset."}
ASSIGNED = "License assigned."
UNASSIGNED = {"message": "License unassigned."}
ACTIVATIONS_SET = {"message": "License users updated."}
DEVICE_RESET = {"message": "Device reset and license updated."}


def switch(change: Change, license_: License, *, enabled: bool) -> None:
    """Enables or disables; what a repeat answers is a setting."""
    if license_.enabled == enabled and change.settings.repeat_of_enable_disable == "refused":
        raise errors.detail(400, errors.ALREADY_ENABLED if enabled else errors.ALREADY_DISABLED)
    change.put(set_enabled(change, license_, enabled=enabled))


def disable(change: Change, license_: License) -> None:
    change.put(set_enabled(change, license_, enabled=False))


def reset(change: Change, license_: License) -> None:
    """Frees all devices and sets activations and consumption to 0; the license stays as enabled as it was."""
    for device in change.rows.find(Device, "license", license_.id):
        if device.active:
            change.put(_freed(change, device))
    terms = msgspec.structs.replace(license_.terms, total_consumptions=0)
    change.put(
        msgspec.structs.replace(license_, terms=terms, times_activated=0, time_activated=None, updated_at=change.now)
    )


def reset_consumption(change: Change, license_: License) -> None:
    terms = msgspec.structs.replace(license_.terms, total_consumptions=0)
    change.put(msgspec.structs.replace(license_, terms=terms, updated_at=change.now))


def custom_reset(change: Change, license_: License, sent: Mapping[str, Any]) -> None:
    """Resets only what the booleans of the request name."""
    wanted = {name for name in CUSTOM_RESETS if fields.one(name, fields.flag, sent.get(name, False))}
    for name in CUSTOM_RESETS:
        if name in wanted:
            license_ = CUSTOM_RESETS[name](license_)
    if fields.one("reset_custom_fields", fields.flag, sent.get("reset_custom_fields", False)):
        custom_fields.clear(change, license_)
    change.put(msgspec.structs.replace(license_, updated_at=change.now))


def reset_device(change: Change, device: Device) -> None:
    """Frees one device and lowers its license's counter."""
    if not device.active:
        return
    change.put(_freed(change, device))
    license_ = change.rows.the(License, device.license)
    left = max(0, license_.times_activated - 1)
    change.put(msgspec.structs.replace(license_, times_activated=left, updated_at=change.now))


def update_features(change: Change, license_: License, sent: Mapping[str, Any]) -> License:
    """Replaces the whole set of features; a feature that stays keeps its id and what it has consumed."""
    product = change.rows.the(Product, license_.product)
    held = {feature.feature: feature for feature in license_.features}
    made = issue.features(change, product, sent.get("product_features"), "product_feature")
    kept = []
    for entry, feature in zip(sent["product_features"], made, strict=True):
        if (before := held.get(feature.feature)) is not None and change.settings.feature_values_not_sent == "reset":
            kept.append(msgspec.structs.replace(feature, id=before.id))
        elif before is not None:
            named = {name: getattr(feature, name) for name in fields.FEATURE if name in entry}
            kept.append(msgspec.structs.replace(before, **named))
        else:
            kept.append(feature)
    updated = msgspec.structs.replace(license_, features=tuple(kept), updated_at=change.now)
    change.put(updated)
    return updated


def in_bulk(change: Change, acts: Iterable[tuple[int, Act]]) -> errors.ApiError | None:
    """Acts on each license by its id; what an unknown id does to the others is a setting.

    Returns the error to answer with although changes were made. Raises ApiError when nothing is to be changed.
    """
    for key, act in acts:
        license_ = change.rows.get(License, key)
        if license_ is not None:
            act(change, license_)
        elif change.settings.bulk_with_unknown_id == "all_or_nothing":
            raise errors.not_found()
        elif change.settings.bulk_with_unknown_id == "stops_there":
            return errors.not_found()
    return None


def _freed(change: Change, device: Device) -> Device:
    return msgspec.structs.replace(device, active=False, time_deactivated=change.now, updated_at=change.now)


def _terms(**cleared: Any) -> Callable[[License], License]:
    return lambda license_: msgspec.structs.replace(license_, terms=msgspec.structs.replace(license_.terms, **cleared))


CUSTOM_RESETS: Mapping[str, Callable[[License], License]] = {
    "reset_validity_period": _terms(validity_period=None),
    "reset_consumptions": _terms(total_consumptions=0),
    "reset_maintenance_period": _terms(maintenance_period=None),
    "reset_product_features": lambda license_: msgspec.structs.replace(license_, features=()),
    "reset_metadata": _terms(metadata={}),
}
