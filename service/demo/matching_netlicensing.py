"""Whether a NetLicensing sandbox grants exactly what is desired: by what programs are told, and by its records."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.durations import after
from domain.licensing import License
from projections.queries import LicenseView

Properties = Mapping[str, str]
Module = Mapping[str, Any]

DAY = timedelta(days=1)
A_LIFETIME = "99y"


def differences(
    desired: Sequence[LicenseView],
    holdings: Mapping[str, Mapping[str, Properties]],
    effective: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """How it differs; empty when each license is granted as it should be, and nothing besides and nothing twice.

    `holdings` and `effective` are as the sandbox's control tells them.
    """
    return [*_granted(desired, effective), *_recorded(desired, holdings)]


def _granted(desired: Sequence[LicenseView], effective: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What validation says, licensee by licensee."""
    by_holder: dict[str, list[License]] = {holder: [] for holder in effective}
    for view in desired:
        holder = view.applied.holder if view.applied else ""
        if view.desired.enabled and holder not in effective:
            yield f"{view.id}: there is no licensee {holder}"
        elif view.desired.enabled:
            by_holder[holder].append(view.desired)
    for holder, licenses in by_holder.items():
        modules = effective[holder]["modules"]
        if {each.product_code for each in licenses} - {effective[holder]["product"]}:
            yield f"{holder} is of another product"
        for number, module in modules.items():
            for wrong in _module(licenses, module):
                yield f"{holder}, {number}: {wrong}"
        if licenses and not any(module["valid"] for module in modules.values()):
            yield f"{holder}: nothing is valid"


def _module(licenses: Sequence[License], module: Module) -> Iterator[str]:
    """How one module of a licensee differs from what its licenses should grant."""
    if not licenses and module["valid"]:
        yield "is valid, and nothing wants it"
    elif licenses and "sessions" in module:
        wanted = sum(each.floating_users or 0 for each in licenses)
        if module["sessions"] != wanted:
            yield f"{module['sessions']} sessions, desired {wanted}"
    elif licenses and module["model"] == "Subscription":
        yield from _time([each for each in licenses if each.floating_users is None], module.get("expires"))
    elif licenses and module["model"] == "MultiFeature":
        given, wanted_codes = set(module["features"]), {code for each in licenses for code in each.features}
        if given != wanted_codes:
            yield f"features {sorted(given)}, desired {sorted(wanted_codes)}"


def _time(licenses: Sequence[License], until: datetime | None) -> Iterator[str]:
    """Times there are whole days, so they may end up to a day later than desired."""
    ends = [_end(each) for each in licenses]
    if not ends:
        return
    wanted = max((each for each in ends if each), default=None)
    if None in ends or wanted is None:
        # What has no end has a far one there.
        bought = max((each.begins for each in licenses if each.begins), default=None)
        if until is None or (bought and until < after(bought, A_LIFETIME)):
            yield f"valid until {until}, desired for ever"
    elif until is None or not wanted <= until < wanted + DAY:
        yield f"valid until {until}, desired {wanted}"


def _end(desired: License) -> datetime | None:
    if desired.expiry is not None:
        return desired.expiry + timedelta(hours=desired.margin_hours)
    if desired.valid_duration is not None and desired.begins is not None:
        return after(desired.begins, desired.valid_duration)
    return None


def _recorded(desired: Sequence[LicenseView], holdings: Mapping[str, Mapping[str, Properties]]) -> Iterator[str]:
    """Each license and licensee there has one that wants it, or wanted it once and is over."""
    licensees, unclaimed = set(holdings["licensees"]), dict(holdings["licenses"])
    for view in desired:
        for number in view.applied.parts if view.applied else ():
            there = unclaimed.pop(number, None)
            if there is None:
                yield f"{number} of {view.id} is missing, or is another one's too"
            elif (there["active"] == "true") != view.desired.enabled:
                yield f"{number}: active is {there['active']}, desired {view.desired.enabled}"
        licensees -= {view.applied.holder} if view.applied else set()
    yield from (f"license {number} is held and nothing wants it" for number in unclaimed)
    yield from (f"licensee {number} is there and nothing wants it" for number in licensees)
