"""How each call about a license that is there is made, and what is so afterwards."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.receipts import Fields
from projections.targets.licensespring.calls import (
    AssignUser,
    ChangeActivations,
    ChangeFeatures,
    ChangeLicense,
    DisableLicense,
    EnableLicense,
    FreeDevices,
    OfLicense,
    ResetConsumption,
    SetCustomField,
    UnassignUser,
)
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.licensespring.entitlements import change_features, set_custom_field
from projections.targets.licensespring.express import ACTIVATIONS, COUNTED, CUSTOM_FIELD, FEATURE, FREED, USER, address
from projections.targets.licensespring.people import assign, set_activations, unassign


async def _enable(client: LicenseSpring, call: EnableLicense) -> Fields:
    await client.enable(int(call.remote))
    return {"enabled": True}


async def _disable(client: LicenseSpring, call: DisableLicense) -> Fields:
    await client.disable(int(call.remote))
    # Of what was used since it was last freed.
    return {"enabled": False, FREED: False}


async def _free_devices(client: LicenseSpring, call: FreeDevices) -> Fields:
    await client.free_devices(int(call.remote))
    return {FREED: True}


async def _change(client: LicenseSpring, call: ChangeLicense) -> Fields:
    await client.update_license(int(call.remote), call.fields)
    return call.fields


async def _reset_consumption(client: LicenseSpring, call: ResetConsumption) -> Fields:
    await client.reset_consumption(int(call.remote))
    return {COUNTED: call.period}


async def _change_features(client: LicenseSpring, call: ChangeFeatures) -> Fields:
    await change_features(client, int(call.remote), call.added, call.removed)
    return {f"{FEATURE}{code}": code in call.added for code in (*call.added, *call.removed)}


async def _set_custom_field(client: LicenseSpring, call: SetCustomField) -> Fields:
    await set_custom_field(client, int(call.remote), call.product_code, call.field, call.value)
    return {f"{CUSTOM_FIELD}{call.field}": call.value or ""}


async def _assign(client: LicenseSpring, call: AssignUser) -> Fields:
    await assign(client, int(call.remote), call.user, call.max_activations)
    return {f"{USER}{address(call.user.email)}": True}


async def _unassign(client: LicenseSpring, call: UnassignUser) -> Fields:
    await unassign(client, int(call.remote), call.email)
    return {f"{USER}{call.email}": False, f"{ACTIVATIONS}{call.email}": None}


async def _change_activations(client: LicenseSpring, call: ChangeActivations) -> Fields:
    await set_activations(client, int(call.remote), call.activations)
    return {f"{ACTIVATIONS}{email}": most for email, most in call.activations.items()}


CHANGES: Mapping[type[OfLicense], Callable[[LicenseSpring, Any], Awaitable[Fields]]] = {
    EnableLicense: _enable,
    DisableLicense: _disable,
    FreeDevices: _free_devices,
    ChangeLicense: _change,
    ResetConsumption: _reset_consumption,
    ChangeFeatures: _change_features,
    SetCustomField: _set_custom_field,
    AssignUser: _assign,
    UnassignUser: _unassign,
    ChangeActivations: _change_activations,
}
