"""Whether a LicenseSpring sandbox holds exactly the licenses that are desired."""

from collections.abc import Sequence
from typing import Any

from projections.queries import LicenseView
from projections.targets.licensespring.plan import express


def licenses_in(holdings: dict[str, Any]) -> list[dict[str, Any]]:
    """The licenses among what the sandbox says it holds."""
    return [license_ for order in holdings["orders"] for license_ in order["licenses"]]


def differences(desired: Sequence[LicenseView], held: Sequence[dict[str, Any]]) -> list[str]:
    """How licenses held differ from those desired; empty when they are right, with none twice."""
    wrong = []
    by_key = {each["license_key"]: each for each in held}
    if len(by_key) != len(held):
        wrong.append("a key is held twice")
    for view in desired:
        there = by_key.pop(view.key, None)
        if there is not None:
            wrong += _differences(view, there)
        elif view.desired.enabled:
            wrong.append(f"{view.id} is missing")
    return wrong + [f"{key} is held and nothing wants it" for key in by_key]


def _differences(view: LicenseView, there: dict[str, Any]) -> list[str]:
    desired = view.desired
    if there["enabled"] != desired.enabled:
        return [f"{view.id}: enabled is {there['enabled']}, desired {desired.enabled}"]
    if not desired.enabled:
        return []
    return [
        f"{view.id}: {name} is {there[name]!r}, desired {value!r}"
        for name, value in express(desired).items()
        if str(there[name])[:10] != str(value)
    ]
