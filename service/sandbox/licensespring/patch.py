"""PATCH of a license: which fields it takes and which must travel together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import msgspec

from service.sandbox.licensespring import errors, fields, lifetime
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.durations import add_duration
from service.sandbox.licensespring.records import License, Order, OrderItem, Terms

NEED_IS_TRIAL = ("valid_duration", "validity_period", "trial_days")
NEED_MAINTENANCE = ("maintenance_duration", "maintenance_period")


def update_license(change: Change, license_: License, sent: Mapping[str, Any]) -> License:
    """The license with the sent fields in place; raises ApiError, with nothing changed, when a rule is broken."""
    sent = _coupled(change, sent)
    values, wrong = fields.read_all(fields.PATCH, sent, change.settings)
    known = {*fields.PATCH, "order", "enabled", "id"}
    if change.settings.patch_unknown_field == "refused":
        wrong |= dict.fromkeys(sorted(sent.keys() - known), errors.UNKNOWN_KEY)
    if wrong:
        raise errors.fields(wrong)
    if "metadata" in values and change.settings.metadata_patch == "merge":
        values["metadata"] = {**license_.terms.metadata, **values["metadata"]}
    terms = _dated(license_, values)
    if {"is_floating_cloud", "floating_users", "max_activations"} & values.keys():
        lifetime.check_floating(terms, change.settings)
    updated = msgspec.structs.replace(license_, terms=terms, updated_at=change.now)
    if "enabled" in sent and change.settings.patch_enabled == "accepted":
        updated = set_enabled(change, updated, enabled=fields.one("enabled", fields.flag, sent["enabled"]))
    if "order" in sent:
        updated = _moved(change, updated, fields.one("order", fields.whole, sent["order"]))
    change.put(updated)
    return updated


def set_enabled(change: Change, license_: License, *, enabled: bool) -> License:
    """Disabling touches neither entitlements nor devices, enabling does not extend anything."""
    if license_.enabled == enabled:
        return license_
    return msgspec.structs.replace(
        license_, enabled=enabled, time_disabled=None if enabled else change.now, updated_at=change.now
    )


def _coupled(change: Change, sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of a PATCH takes effect under the documented rules on fields that belong together."""
    wrong = {}
    dates = [name for name in NEED_IS_TRIAL if name in sent]
    if dates and "is_trial" not in sent:
        match change.settings.dates_without_is_trial:
            case "refused":
                wrong["is_trial"] = errors.NEEDS_IS_TRIAL.format(dates[0])
            case "not_applied":
                sent = {name: value for name, value in sent.items() if name not in NEED_IS_TRIAL}
            case "accepted":
                pass
            case _:
                assert_never(change.settings.dates_without_is_trial)
    maintenance = [name for name in NEED_MAINTENANCE if name in sent]
    if maintenance and "enable_maintenance_period" not in sent:
        wrong["enable_maintenance_period"] = errors.NEEDS_MAINTENANCE.format(maintenance[0])
    if "valid_duration" in sent and "validity_period" in sent:
        if change.settings.duration_and_date == "refused":
            wrong["non_field_errors"] = errors.DURATION_AND_DATE
        else:
            sent = {name: value for name, value in sent.items() if name != "valid_duration"}
    if wrong:
        raise errors.fields(wrong)
    return sent


def _dated(license_: License, values: Mapping[str, Any]) -> Terms:
    """The new terms; a new duration or new trial days move the expiry of a license that is in use."""
    terms = msgspec.structs.replace(license_.terms, **values)
    start = lifetime.started_at(license_)
    if start is None:
        return terms
    if values.get("valid_duration") and license_.license_type in ("time-limited", "subscription"):
        return msgspec.structs.replace(terms, validity_period=add_duration(start, values["valid_duration"]))
    return lifetime.begun(terms, license_.license_type, start) if "trial_days" in values else terms


def _moved(change: Change, license_: License, order_id: int) -> License:
    """The license in another order, within an item for its product."""
    order = change.rows.get(Order, order_id)
    if order is None:
        raise errors.fields({"order": errors.NO_SUCH_OBJECT.format(order_id)})
    if order.id == license_.order:
        return license_
    item = next((item for item in order.items if item.product == license_.product), None)
    if item is None:
        item = OrderItem(id=change.mint.large_id(), product=license_.product, note="", created_at=change.now)
        change.put(msgspec.structs.replace(order, items=(*order.items, item), updated_at=change.now))
    return msgspec.structs.replace(license_, order=order.id, order_item=item.id)
