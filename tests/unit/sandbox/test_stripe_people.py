"""The people of the demonstration, and the border of the sandbox."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from service.sandbox.stripe import (
    Account,
    Delivery,
    catalog,
    deliveries,
    demo_customers,
)
from service.sandbox.stripe.calendar import seconds

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def test_the_people_of_the_demonstration_live_up_to_now_and_who_pays_is_covered_today() -> None:
    people = demo_customers(NOW)
    assert 12 <= len(people) <= 16
    assert len({person.email for person in people}) == len(people)
    covered = 0
    for person in people:
        assert person.email.endswith("@example.com")
        assert all(NOW - timedelta(days=150) < moment <= NOW for moment in map(_moment, person.deliveries))
        for subscription in person.account.book.subscriptions.values():
            if subscription.status in {"active", "trialing"}:
                assert subscription.due > seconds(NOW)
                covered += 1
    assert covered >= 8
    codes = {
        item.price.metadata.get("short_code")
        for person in people
        for subscription in person.account.book.subscriptions.values()
        for item in subscription.items
    }
    assert {"falcon-pro", "falcon-team", "falcon-studio"} <= codes


@settings(max_examples=30, deadline=None)
@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_demonstration_can_be_given_on_any_day(now: datetime) -> None:
    for person in demo_customers(now):
        assert all(moment <= now for moment in map(_moment, person.deliveries))


def _moment(delivery: Delivery) -> datetime:
    return datetime.fromtimestamp(delivery.created, UTC)


def test_a_life_can_be_rendered_by_hand_from_an_account() -> None:
    account = Account("by-hand", start=NOW)
    account.check_out_subscription("A", "a@example.com", [(catalog.PRO_YEARLY, 1)])
    made = deliveries(account.happenings, account.merchant, types={"checkout.session.completed"})
    assert [it.type for it in made] == ["checkout.session.completed"]


def test_the_other_side_of_the_wire_knows_nothing_of_how_events_are_read() -> None:
    package = Path(__file__).parents[3] / "service" / "sandbox" / "stripe"
    modules = sorted(package.glob("*.py"))
    assert modules
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.split(".")[0] in {"domain", "projections"}], module.name
