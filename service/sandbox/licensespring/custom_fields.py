"""Custom fields of licenses: set by name when an order is made, later one by one by the id of the product's field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from service.sandbox.licensespring import errors, fields
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.records import CustomField, License, LicenseCustomField, Product
from service.sandbox.licensespring.rows import Rows


def set_by_name(change: Change, license_: License, sent: Any) -> None:
    """Sets the fields of an order's license; what an unknown name does is a setting."""
    product = change.rows.the(Product, license_.product)
    offered = {field.name: field for field in product.custom_fields}
    for entry in fields.one("custom_fields", fields.objects, sent):
        field = offered.get(str(entry.get("name")))
        if field is not None:
            _put(change, license_, field, entry)
        elif change.settings.unknown_custom_field == "refused":
            text = errors.UNKNOWN_CUSTOM_FIELD.format(entry.get("name"), product.short_code)
            raise errors.fields({"custom_fields": text})


def create(change: Change, sent: Mapping[str, Any]) -> LicenseCustomField:
    """Sets a field that the license does not have yet; what one that it has does is a setting."""
    number = fields.one("license", fields.whole, sent.get("license"))
    license_ = change.rows.get(License, number)
    if license_ is None:
        raise errors.fields({"license": errors.NO_SUCH_OBJECT.format(number)})
    wanted = fields.one("product_custom_field", fields.whole, sent.get("product_custom_field"))
    field = offered_by(change.rows, license_).get(wanted)
    if field is None:
        raise errors.fields({"product_custom_field": errors.NO_SUCH_OBJECT.format(wanted)})
    held = [row for row in of(change.rows, license_) if row.product_custom_field == field.id]
    if held and change.settings.custom_field_twice == "refused":
        raise errors.fields({"non_field_errors": errors.CUSTOM_FIELD_EXISTS})
    return update(change, held[0], sent) if held else _put(change, license_, field, sent)


def update(change: Change, row: LicenseCustomField, sent: Mapping[str, Any]) -> LicenseCustomField:
    updated = msgspec.structs.replace(row, value=_value(sent))
    change.put(updated)
    return updated


def clear(change: Change, license_: License) -> None:
    for row in of(change.rows, license_):
        change.remove(row)


def of(rows: Rows, license_: License) -> list[LicenseCustomField]:
    """The fields that are set on the license."""
    return rows.find(LicenseCustomField, "license", license_.id)


def offered_by(rows: Rows, license_: License) -> dict[int, CustomField]:
    """The fields that the license may have, by id."""
    return {field.id: field for field in rows.the(Product, license_.product).custom_fields}


def by_name(rows: Rows, license_: License) -> list[dict[str, Any]]:
    """The fields that are set, as an application sees them."""
    offered = offered_by(rows, license_)
    named = ((offered[row.product_custom_field], row.value) for row in of(rows, license_))
    return [{"name": field.name, "data_type": field.data_type, "value": value} for field, value in named]


def _put(change: Change, license_: License, field: CustomField, sent: Mapping[str, Any]) -> LicenseCustomField:
    row = LicenseCustomField(
        id=change.mint.small_id(), license=license_.id, product_custom_field=field.id, value=_value(sent)
    )
    change.put(row)
    return row


def _value(sent: Mapping[str, Any]) -> str:
    return fields.one("value", fields.text, sent.get("value"))
