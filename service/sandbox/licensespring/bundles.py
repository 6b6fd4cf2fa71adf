"""Bundle orders: one bundle, which brings a license of each product in it along with its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.sandbox.licensespring import catalog, errors, fields
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.records import Product

OF_ITS_LICENSE = ("key", "policy_code", "license_template_code", "license_template", "license_policy", "custom_fields")
"""What is sent for the bundle's own license and cannot be meant for the others: the product differs."""
NEEDED = ("users", "enabled")


def unpacked(change: Change, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The bundle's item, and an item for each product in it. Raises ApiError when there is not exactly one bundle."""
    if len(items) != 1:
        raise errors.fields({"items": errors.ONE_BUNDLE})
    (item,) = items
    code = item.get("product_code")
    found = change.rows.find(Product, "short_code", code) if isinstance(code, str) else []
    members = catalog.members(change.rows, found[0]) if found else []
    if found and not members:
        raise errors.fields({"is_bundle": errors.NOT_A_BUNDLE.format(code)})
    licenses = fields.one("licenses", fields.objects, item.get("licenses"))
    shared = {name: value for name, value in item.items() if name not in OF_ITS_LICENSE}
    beside = [{"product_code": one.short_code, "licenses": _of_member(change, one, licenses)} for one in members]
    return [item, *({**shared, **each} for each in beside)]


def _of_member(change: Change, member: Product, licenses: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the licenses of a product in it are made from: its policy alone, or what was sent, by setting."""
    sent = change.settings.bundle_members == "as_sent"
    offered = {feature.code for feature in member.features}
    made = []
    for license_ in licenses:
        given = {name: value for name, value in license_.items() if name not in OF_ITS_LICENSE} if sent else {}
        given |= {name: license_[name] for name in NEEDED if name in license_}
        if "product_features" in given:
            features = [each for each in given["product_features"] if each.get("code") in offered]
            given["product_features"] = features
        made.append(given)
    return made
