"""Faults are refused where they are placed by a simulator that does not have them, not where they are met."""

import pytest

from service.sandbox.fastspring.api import FastSpringApi
from service.sandbox.licensespring.faults import Delay, Drop, Effect, Fault, Faults, Stale
from service.sandbox.stripe.api import SimulatedApi


def faults_of(simulator: str) -> Faults:
    return SimulatedApi([]).faults if simulator == "Stripe" else FastSpringApi([]).faults


@pytest.mark.parametrize(
    ("simulator", "effect", "has"),
    [
        ("Stripe", Stale(), "stale is no fault of this simulator; it has answer, throttle, html_page, drop."),
        ("Stripe", Delay(seconds=1), "delay is no fault of this simulator; it has answer, throttle, html_page, drop."),
        (
            "FastSpring",
            Stale(),
            "stale is no fault of this simulator; it has answer, throttle, html_page, drop, delay.",
        ),
    ],
    ids=["Stripe stale", "Stripe delay", "FastSpring stale"],
)
def test_what_a_simulator_does_not_have_is_refused_with_what_it_has(simulator: str, effect: Effect, has: str) -> None:
    faults = faults_of(simulator)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared whole
        faults.place(Fault(effect=effect))
    assert str(caught.value) == has
    assert faults.placed() == []


@pytest.mark.parametrize("simulator", ["Stripe", "FastSpring"])
def test_what_it_has_is_placed(simulator: str) -> None:
    assert faults_of(simulator).place(Fault(effect=Drop())).left == 1


def test_a_simulator_that_names_none_has_all() -> None:
    faults = Faults()
    for effect in (Stale(), Delay(seconds=0), Drop()):
        faults.place(Fault(effect=effect))
    assert len(faults.placed()) == 3
