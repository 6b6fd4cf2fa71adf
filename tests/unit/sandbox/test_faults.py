"""Faults are refused where they are placed by a simulator that does not have them, not where they are met."""

from collections.abc import Callable

import pytest

from service.sandbox import licensespring, netlicensing
from service.sandbox.fastspring.api import FastSpringApi
from service.sandbox.faults import Delay, Drop, Effect, ErrorInOk, Fault, Faults, Stale
from service.sandbox.licensespring.company import Company
from service.sandbox.netlicensing.account import Account
from service.sandbox.stripe.api import SimulatedApi
from service.sandbox.wallee.api import WalleeApi

SIMULATORS: dict[str, Callable[[], Faults]] = {
    "Stripe": lambda: SimulatedApi([]).faults,
    "FastSpring": lambda: FastSpringApi([]).faults,
    "wallee": lambda: WalleeApi([]).faults,
    "LicenseSpring": lambda: Company(licensespring.SandboxSettings()).faults,
    "NetLicensing": lambda: Account(netlicensing.SandboxSettings()).faults,
}
HAS = {
    "Stripe": "answer, throttle, html_page, drop",
    "FastSpring": "answer, throttle, html_page, drop, delay",
    "wallee": "answer, throttle, html_page, drop, delay",
    "LicenseSpring": "answer, html_page, throttle, drop, delay, stale",
    "NetLicensing": "answer, error_in_ok, html_page, throttle, drop, delay",
}


@pytest.mark.parametrize(
    ("simulator", "effect", "kind"),
    [
        ("Stripe", Stale(), "stale"),
        ("Stripe", Delay(seconds=1), "delay"),
        ("Stripe", ErrorInOk(), "error_in_ok"),
        ("FastSpring", Stale(), "stale"),
        ("wallee", Stale(), "stale"),
        ("LicenseSpring", ErrorInOk(), "error_in_ok"),
        ("NetLicensing", Stale(), "stale"),
    ],
)
def test_what_a_simulator_does_not_have_is_refused_with_what_it_has(simulator: str, effect: Effect, kind: str) -> None:
    faults = SIMULATORS[simulator]()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared whole
        faults.place(Fault(effect=effect))
    assert str(caught.value) == f"{kind} is no fault of this simulator; it has {HAS[simulator]}."
    assert faults.placed() == []


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_what_it_has_is_placed(simulator: str) -> None:
    assert SIMULATORS[simulator]().place(Fault(effect=Drop())).left == 1
