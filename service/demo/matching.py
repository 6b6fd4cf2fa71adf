"""Whether a LicenseSpring sandbox holds exactly the licenses that are desired."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.receipts import AppliedLicense, Fields
from projections.queries import LicenseView
from projections.targets.licensespring.express import address, express, express_dates

Held = dict[str, Any]


def licenses_in(holdings: dict[str, Any]) -> list[Held]:
    """The licenses among what the sandbox says it holds."""
    return [license_ for order in holdings["orders"] for license_ in order["licenses"]]


def differences(desired: Sequence[LicenseView], held: Sequence[Held]) -> list[str]:
    """How licenses held differ from those desired; empty when they are right, with none twice."""
    wrong = []
    unclaimed = {_name(each): each for each in held}
    if len(unclaimed) != len(held):
        wrong.append("a key is held twice")
    by_id = {str(each["id"]): each for each in held}
    for view in desired:
        applied = view.applied or AppliedLicense()
        there = unclaimed.pop(view.key or applied.remote, None)
        if there is not None:
            wrong += _differences(view, there)
        elif view.desired.enabled:
            wrong.append(f"{view.id} is missing")
        for remote in applied.companions:
            beside = unclaimed.pop(_name(by_id[remote]), None) if remote in by_id else None
            wrong += _companion_differences(view, remote, beside)
    return wrong + [f"{name} is held and nothing wants it" for name in unclaimed]


def _name(held: Held) -> str:
    """A license's key, or where its product is licensed by user its id."""
    return held["license_key"] or str(held["id"])


def _differences(view: LicenseView, there: Held) -> Iterator[str]:
    desired = view.desired
    if there["enabled"] != desired.enabled:
        yield f"{view.id}: enabled is {there['enabled']}, desired {desired.enabled}"
    if not desired.enabled:
        if desired.free_devices and there["times_activated"]:
            yield f"{view.id}: its devices are not freed"
        return
    user_based = not there["license_key"]
    yield from _fields(view.id, express(desired, user_based=user_based), there)
    yield from _lacking(view.id, "feature", set(desired.features), set(there["features"]))
    for name, value in desired.custom_fields.items():
        if there["custom_fields"].get(name) != value:
            yield f"{view.id}: custom field {name} is {there['custom_fields'].get(name)!r}, desired {value!r}"
    users = {address(user.email) for user in desired.users} if user_based else set()
    yield from _lacking(view.id, "user", users, {address(user) for user in there["users"]})
    if desired.managed_by_customer:
        managers = {address(manager) for manager in there["managers"]}
        yield from _lacking(view.id, "manager", {address(desired.customer.email)} - {""}, managers)


def _companion_differences(view: LicenseView, remote: str, beside: Held | None) -> Iterator[str]:
    if beside is None:
        yield f"{remote} of the bundle {view.id} is missing"
    elif beside["enabled"] != view.desired.enabled:
        yield f"{remote} of the bundle {view.id}: enabled is {beside['enabled']}, desired {view.desired.enabled}"
    elif view.desired.enabled:
        yield from _fields(
            f"{remote} of the bundle {view.id}", express_dates(view.desired, beside["license_type"]), beside
        )


def _fields(name: str, wanted: Fields, there: Mapping[str, Any]) -> Iterator[str]:
    for field, value in wanted.items():
        if str(there[field])[:10] != str(value)[:10]:
            yield f"{name}: {field} is {there[field]!r}, desired {value!r}"


def _lacking(name: str, what: str, wanted: set[str], there: set[str]) -> Iterator[str]:
    for each in sorted(wanted - there):
        yield f"{name}: {what} {each} is missing"
