"""Product features and custom fields of one license.

Facts: docs.licensespring.com/management-api/license/update-features; license-custom-fields in LicenseSpring's Postman
collection. Each looks at what is there first, so it may be repeated when an answer was lost.
"""

from collections.abc import Collection

import msgspec

from projections.targets.errors import NotFound, Refused
from projections.targets.licensespring.answers import id_in
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.licensespring.lists import matching


async def change_features(
    client: LicenseSpring, license_id: int, added: Collection[str], removed: Collection[str]
) -> None:
    """Adds and removes features by their codes. The call replaces all of them, so the others are sent as they are."""
    call = "update_features"
    held = (await client.license(license_id)).product_features
    if held is None:
        raise Refused(call, text="the features of the license are not told, and would be lost")
    there = {feature.code: feature.values for feature in held}
    wanted = {code: values for code, values in there.items() if code not in removed}
    wanted |= {code: {} for code in added if code not in there}
    if wanted.keys() != there.keys():
        features = [{**values, "product_feature": code} for code, values in wanted.items()]
        await client.exchange.post(call, f"licenses/{license_id}/update_features/", {"product_features": features})


class CustomField(msgspec.Struct, frozen=True, kw_only=True):
    """A custom field as one license has it; `product_custom_field` is the field's id in the catalog."""

    id: int
    license: int
    product_custom_field: int
    value: str = ""


async def custom_fields_of(client: LicenseSpring, license_id: int) -> list[CustomField]:
    """The custom fields that are set on the license."""
    return await matching(
        client.exchange,
        "license_custom_fields",
        "license-custom-fields/",
        {"license": str(license_id)},
        _field_in,
        lambda row: row.license == license_id,
    )


async def set_custom_field(
    client: LicenseSpring, license_id: int, product_code: str, name: str, value: str | None
) -> None:
    """Sets the custom field with this name, or with None takes it away."""
    call = "set_custom_field"
    product = await client.catalog.product(product_code)
    field = await client.catalog.custom_field(product.id, name) if product else None
    if field is None and value is None:
        return
    if field is None:
        raise Refused(call, text=f"product {product_code} has no custom field {name!r}: make it there first")
    there = [row for row in await custom_fields_of(client, license_id) if row.product_custom_field == field]
    if value is None:
        for row in there:
            await _delete(client, row.id)
    elif not there:
        body = {"value": value, "license": license_id, "product_custom_field": field}
        await client.exchange.post(call, "license-custom-fields/", body)
    elif there[0].value != value:
        await client.exchange.patch(call, f"license-custom-fields/{there[0].id}/", {"value": value})


async def _delete(client: LicenseSpring, field_id: int) -> None:
    try:
        await client.exchange.delete("delete_custom_field", f"license-custom-fields/{field_id}/")
    except NotFound:
        return


def _field_in(row: object) -> CustomField | None:
    if not isinstance(row, dict):
        return None
    related = {name: id_in(row.get(name)) for name in ("license", "product_custom_field")}
    value = row.get("value")
    try:
        return msgspec.convert(
            {**row, **related, "value": "" if value is None else str(value)}, CustomField, strict=False
        )
    except msgspec.ValidationError:
        return None
