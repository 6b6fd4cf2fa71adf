"""Whether NetLicensing's sandbox grants what is desired: every way in which it may not is told."""

from datetime import timedelta
from typing import Any

import pytest

from domain.durations import after
from domain.licensing import License
from domain.receipts import AppliedLicense
from projections.queries import LicenseView
from service.demo.matching_netlicensing import differences
from tests.expressing import desired
from tests.stories import FEBRUARY, JANUARY, STREAM

TIME, SEATS = "T1", "S1"
END = FEBRUARY + timedelta(hours=48)


def view(license_: License, number: str = TIME, holder: str = "ada") -> LicenseView:
    """The license as it was made under that number for that licensee."""
    return LicenseView(
        id=license_.id,
        stream=STREAM,
        target="nl",
        due=False,
        enabled=license_.enabled,
        key=holder,
        desired=license_,
        applied=AppliedLicense(order="o", key=holder, holder=holder, remote=number),
        refusal=None,
    )


def sandbox(**modules: Any) -> dict[str, Any]:
    """One licensee of the product APP, of whom programs are told this."""
    return {"ada": {"product": "APP", "active": True, "modules": modules}}


def records(*numbers: str, active: str = "true", licensees: tuple[str, ...] = ("ada",)) -> dict[str, Any]:
    return {"licensees": {name: {} for name in licensees}, "licenses": {each: {"active": active} for each in numbers}}


def until(end: Any, *, valid: bool = True) -> dict[str, Any]:
    return {"model": "Subscription", "valid": valid, "expires": end}


def seats(count: int) -> dict[str, Any]:
    return {"model": "Floating", "valid": count > 0, "sessions": count}


@pytest.mark.parametrize("end", [END, END + timedelta(hours=23)])
def test_a_license_that_works_until_the_day_it_should_is_right(end: Any) -> None:
    assert differences([view(desired())], records(TIME), sandbox(time=until(end))) == []


def test_units_of_a_floating_license_share_the_sessions_of_their_licensee() -> None:
    both = [view(desired(unit, floating_users=2), f"S{unit}") for unit in (1, 2)]
    assert differences(both, records("S1", "S2"), sandbox(seats=seats(4))) == []
    assert differences(both, records("S1", "S2"), sandbox(seats=seats(2))) == ["ada, seats: 2 sessions, desired 4"]


@pytest.mark.parametrize("end", [END - timedelta(seconds=1), END + timedelta(days=1), None])
def test_another_end_is_told(end: Any) -> None:
    [wrong] = differences([view(desired())], records(TIME), sandbox(time=until(end)))
    assert "valid until" in wrong


def test_what_was_bought_for_ever_and_ends_is_told() -> None:
    once = view(desired(expiry=None, begins=JANUARY))
    assert differences([once], records(TIME), sandbox(time=until(after(JANUARY, "100y")))) == []
    for end in (after(JANUARY, "1m"), None):
        [wrong] = differences([once], records(TIME), sandbox(time=until(end)))
        assert wrong.endswith("desired for ever")


def test_a_duration_counts_from_the_purchase() -> None:
    rented = view(desired(expiry=None, begins=JANUARY, valid_duration="30d"))
    assert differences([rented], records(TIME), sandbox(time=until(JANUARY + timedelta(days=30)))) == []
    [wrong] = differences([rented], records(TIME), sandbox(time=until(after(JANUARY, "100y"))))
    assert "desired 2026-01-31" in wrong


def test_what_is_over_and_still_granted_is_told() -> None:
    over = view(desired(enabled=False))
    assert differences([over], records(TIME, active="false"), sandbox(time=until(END, valid=False))) == []
    wrong = differences([over], records(TIME), sandbox(time=until(END)))
    assert wrong == ["ada, time: is valid, and nothing wants it", f"{TIME}: active is true, desired False"]


def test_what_is_missing_is_told() -> None:
    assert differences([view(desired())], records(licensees=()), {}) == [
        f"{desired().id}: there is no licensee ada",
        f"{TIME} of {desired().id} is missing, or is another one's too",
    ]


def test_what_is_there_twice_or_for_nobody_is_told() -> None:
    two = {**sandbox(time=until(END)), "eve": {"product": "APP", "active": True, "modules": {}}}
    assert differences([view(desired())], records(TIME, "T2", licensees=("ada", "eve")), two) == [
        "license T2 is held and nothing wants it",
        "licensee eve is there and nothing wants it",
    ]


def test_features_that_were_not_sold_are_told() -> None:
    parts = {
        "model": "MultiFeature",
        "valid": True,
        "features": {"export": {"valid": True}, "reports": {"valid": True}},
    }
    wrong = differences([view(desired(features=("export",), expiry=None))], records(TIME), sandbox(parts=parts))
    assert wrong == ["ada, parts: features ['export', 'reports'], desired ['export']"]
