"""The table of NetLicensing's own guide to subscription services: which event leads to what.

Customer created: a licensee. Subscription created: a license. Renewed: a longer validity. Cancelled: deactivated, at
the date when that takes effect. Updated: updated. Invoice overdue: deactivated, by default.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import facts as f
from domain.events import Event
from domain.policy import Policy
from service.targets.netlicensing import SERVING
from tests.netlicensing import Account, Held, Holding, account, days
from tests.stories import (
    FEBRUARY,
    JANUARY,
    MARCH,
    Story,
    activated,
    described,
    given,
    happened,
    line,
    paid,
    period,
)

pytestmark = pytest.mark.anyio

ADA = f.CustomerDescribed(reference="cus_ada", email="ada@example.com", name="Ada Example")
SUBSCRIBED = happened(
    JANUARY, f.SubscriptionBegan(), ADA, described(line(start=JANUARY, end=FEBRUARY)), activated(), named="created"
)
PAID = happened(JANUARY, paid("in_1", period(JANUARY, FEBRUARY)), named="paid")
RENEWED = happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)), named="renewed")
OVERDUE = happened(
    FEBRUARY, described(line(start=FEBRUARY, end=MARCH)), f.PaymentFellOverdue(since=FEBRUARY), named="overdue"
)
CANCELLED = happened(FEBRUARY - timedelta(days=9), f.CancellationScheduled(at=FEBRUARY), named="cancelled")
ENDED = happened(FEBRUARY, f.SubscriptionTerminated(), named="ended")
SEATS = {"product_short_code": "FLOAT", "max_activations": "20"}


def on_floating(seats: int) -> f.LinesDescribed:
    return described(line(start=JANUARY, end=FEBRUARY, attributes={**SEATS, "floating_cloud": str(seats)}))


def default_policy(**changed: Any) -> Policy:
    """That of a source which feeds NetLicensing, with these decisions of the vendor's."""
    return Policy(**{**SERVING.policy, **changed})


def the_license(at: Account) -> Held:
    (only,) = at.licenses().values()
    return only


def the_licensee(at: Account) -> Held:
    (only,) = at.licensees().values()
    return only


def is_licensee_of_the_customer(at: Account) -> None:
    assert the_licensee(at)["name"] == "Ada Example"
    assert the_licensee(at)["active"] == "true"


def is_one_license(at: Account) -> None:
    there = the_license(at)
    assert (there["active"], there["licenseTemplateNumber"]) == ("true", "app-month")
    assert there["startDate"].startswith("2026-01-01")
    assert JANUARY + days(there) >= FEBRUARY + timedelta(hours=48)


def works_longer(at: Account) -> None:
    there = the_license(at)
    assert there["active"] == "true"
    assert there["startDate"].startswith("2026-01-01")
    # Set, not added: the whole of both months and the margin, rounded up to days.
    assert days(there) == timedelta(days=31 + 28 + 2)


def works_still(at: Account) -> None:
    assert the_license(at)["active"] == "true"


def is_deactivated(at: Account) -> None:
    assert the_license(at)["active"] == "false"
    assert the_licensee(at)["active"] == "true"


def allows_twelve(at: Account) -> None:
    assert the_license(at)["maxSessions"] == "12"


def has_the_new_name(at: Account) -> None:
    assert the_licensee(at)["name"] == "Ada Other"


ROWS: dict[str, tuple[Story, Event | None, datetime, Policy, Callable[[Account], None]]] = {
    "customer created -> licensee": (
        given(SUBSCRIBED, PAID),
        None,
        JANUARY,
        default_policy(),
        is_licensee_of_the_customer,
    ),
    "subscription created -> license": (given(SUBSCRIBED, PAID), None, JANUARY, default_policy(), is_one_license),
    "subscription renewed -> longer validity": (
        given(SUBSCRIBED, PAID),
        RENEWED,
        FEBRUARY,
        default_policy(),
        works_longer,
    ),
    "subscription cancelled -> works until it takes effect": (
        given(SUBSCRIBED, PAID),
        CANCELLED,
        FEBRUARY - timedelta(days=1),
        default_policy(),
        works_still,
    ),
    "cancellation effective -> deactivated": (
        given(SUBSCRIBED, PAID, CANCELLED),
        ENDED,
        FEBRUARY,
        default_policy(),
        is_deactivated,
    ),
    "subscription updated -> updated": (
        given(happened(JANUARY, f.SubscriptionBegan(), ADA, on_floating(3), activated(), named="created"), PAID),
        happened(JANUARY + timedelta(days=3), on_floating(12), named="updated"),
        JANUARY + timedelta(days=3),
        default_policy(),
        allows_twelve,
    ),
    "customer updated -> updated": (
        given(SUBSCRIBED, PAID),
        happened(
            JANUARY + timedelta(days=3),
            f.CustomerDescribed(reference="cus_ada", email="ada@example.com", name="Ada Other"),
            named="customer",
        ),
        JANUARY + timedelta(days=3),
        default_policy(),
        has_the_new_name,
    ),
    "invoice overdue -> deactivated": (
        given(SUBSCRIBED, PAID),
        OVERDUE,
        FEBRUARY + timedelta(hours=1),
        default_policy(),
        is_deactivated,
    ),
    "invoice overdue, past_due_days set -> kept": (
        given(SUBSCRIBED, PAID),
        OVERDUE,
        FEBRUARY + timedelta(days=6),
        default_policy(past_due_days=7),
        works_still,
    ),
    "invoice overdue, past_due_days over -> deactivated": (
        given(SUBSCRIBED, PAID),
        OVERDUE,
        FEBRUARY + timedelta(days=8),
        default_policy(past_due_days=7),
        is_deactivated,
    ),
}


@pytest.mark.parametrize("row", ROWS)
async def test_each_row_of_the_vendors_guide_holds(row: str) -> None:
    before, event, now, policy, holds = ROWS[row]
    async with account() as at:
        holding = Holding(at)
        first = before.under(policy)
        await holding.settle(*first.licenses)
        numbers = set(at.licenses())
        if event is not None:
            calls = len(at.control.calls())
            await holding.settle(*first.when(event).at(now).licenses)
            assert len(at.control.calls()) <= calls + 1
            assert set(at.licenses()) == numbers, "the same license, changed"
        assert holding.refused == []
        holds(at)


async def test_a_payment_after_the_overdue_invoice_brings_the_same_license_back() -> None:
    overdue = given(SUBSCRIBED, PAID, OVERDUE, policy=default_policy())
    paid_late = happened(
        FEBRUARY + timedelta(days=2), paid("in_2", period(FEBRUARY, MARCH)), activated(), named="recovered"
    )
    async with account() as at:
        holding = Holding(at)
        await holding.settle(*given(SUBSCRIBED, PAID, policy=default_policy()).licenses)
        await holding.settle(*overdue.at(FEBRUARY + timedelta(days=1)).licenses)
        is_deactivated(at)
        await holding.settle(*overdue.at(FEBRUARY + timedelta(days=1)).when(paid_late).licenses)
        works_longer(at)
