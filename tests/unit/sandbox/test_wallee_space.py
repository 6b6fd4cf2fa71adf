"""What the simulated space does by itself, what it refuses, and what it remembers."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.sandbox.wallee import LIFECYCLES, START, IllegalAct, Space, catalog, demo_customers, legal_acts
from service.sandbox.wallee.calendar import following, seconds, shifted
from service.sandbox.wallee.legality import LEGAL
from service.sandbox.wallee.model import KINDS
from tests.expectations_wallee import expected
from tests.unit.sandbox.wallee_stories import every_life, lived

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
QUANTITIES = st.sampled_from([1, 2, 2.5, 7])

Act = Callable[[Space, int, st.DataObject], object]
DRAWN: Mapping[str, Act] = {
    "change_quantity": lambda space, it, data: space.change_quantity(
        it, _another(space, it, data), at_period_end=data.draw(st.booleans())
    ),
    "change_product": lambda space, it, data: space.change_product(
        it,
        data.draw(st.sampled_from([each for each in catalog.RECURRING if each != _version(space, it)])),
        at_period_end=data.draw(st.booleans()),
    ),
    "change_reference": lambda space, it, _: space.change_reference(it, "another"),
    "suspend": lambda space, it, data: space.suspend(
        it, until=data.draw(st.sampled_from([None, space.now + 40 * DAY])), end_action="TERMINATE"
    ),
    "schedule_termination": lambda space, it, data: space.schedule_termination(
        it, periods=data.draw(st.integers(0, 2))
    ),
    "terminate_now": lambda space, it, data: space.terminate_now(it, lingers=data.draw(st.booleans())),
}


def _version(space: Space, subscription: int) -> object:
    return space.standing(subscription).version.product_version


def _another(space: Space, subscription: int, data: st.DataObject) -> float:
    """Another quantity than now, of the first component alone."""
    version = space.standing(subscription).version
    now = sum(each.quantity for each in version.configured)
    return data.draw(QUANTITIES.filter(lambda each: each != now))


def a_space() -> tuple[Space, int]:
    space = Space("unit", start=START)
    return space, space.begin(space.subscriber("Ada Marlow", "ada@example.com"), catalog.TEAM, 2)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_legal_can_be_done_and_nothing_else(data: st.DataObject) -> None:
    space = Space(f"drawn-{data.draw(st.integers(0, 999))}", start=START, lag=data.draw(st.sampled_from([0, 1])))
    subscription = space.subscribe(space.subscriber("Ada", "ada@example.com"), catalog.TEAM, 2)
    for _ in range(data.draw(st.integers(1, 14))):
        acts = legal_acts(space.standing(subscription), space.book.now)
        if not acts:
            break
        act = data.draw(st.sampled_from(acts))
        if act in DRAWN:
            DRAWN[act](space, subscription, data)
        else:
            getattr(space, act)(subscription)
        refused = data.draw(st.sampled_from([each for each in LEGAL if each not in DRAWN]))
        if refused not in legal_acts(space.standing(subscription), space.book.now):
            before = len(space.happenings)
            with pytest.raises(IllegalAct, match=refused):
                getattr(space, refused)(subscription)
            assert len(space.happenings) == before
        space.advance(data.draw(st.sampled_from([timedelta(), DAY, 9 * DAY])))
    expected(space)
    _check_order(space)


def _check_order(space: Space) -> None:
    """Time and numbers rise, and every change of an entity is its next version."""
    told = space.happenings
    assert [it.created for it in told] == sorted(it.created for it in told)
    assert len({it.id for it in told}) == len(told)
    assert [it.place for it in told] == list(range(1, len(told) + 1))
    known: dict[int, int] = {}
    for it in told:
        shown = space.object(it.kind, it.entity, after=it.place)
        assert shown is not None
        assert shown["state"] == it.state
        if not space.habits.touches:
            assert shown["version"] == known.get(it.entity, 0) + 1
        known[it.entity] = shown["version"]


@every_life
def test_every_change_is_the_next_version_and_every_moment_can_be_looked_at(name: str) -> None:
    _check_order(LIFECYCLES[name].space())


@every_life
def test_the_last_moment_is_the_present(name: str) -> None:
    space = LIFECYCLES[name].space()
    for kind in KINDS.values():
        last = space.search(kind, limit=100, after=len(space.happenings))
        assert last == space.search(kind, limit=100)


def test_before_the_first_happening_there_is_only_what_is_sold() -> None:
    space, subscription = a_space()
    assert space.object("subscription", subscription, after=0) is None
    assert space.object("product-version", catalog.TEAM.id, after=0) is not None


def test_the_31st_is_billed_on_the_last_day_of_shorter_months_and_on_the_31st_again() -> None:
    anchor = seconds(datetime(2026, 1, 31, tzinfo=UTC))
    assert shifted(anchor, "P1M") == seconds(datetime(2026, 2, 28, tzinfo=UTC))
    assert following(anchor, "P1M", shifted(anchor, "P1M")) == seconds(datetime(2026, 3, 31, tzinfo=UTC))
    assert following(anchor, "P14D", anchor) == anchor + 14 * 86_400


def test_a_change_without_a_difference_of_state_still_raises_the_version() -> None:
    space, subscription = a_space()
    before = space.book.subscriptions[subscription]
    space.change_quantity(subscription, 5)
    after = space.book.subscriptions[subscription]
    assert (after.state, after.version) == (before.state, before.version + 1)


def test_a_charge_leaves_the_subscriptions_version_alone_unless_that_is_its_habit() -> None:
    space, subscription = lived("renewed")
    assert space.book.subscriptions[subscription].version == 3
    touched = LIFECYCLES["renewed"].space(habits=type(space.habits)(touches=True))
    assert next(iter(touched.book.subscriptions.values())).version > 3


def test_a_period_that_is_over_has_to_be_settled_first() -> None:
    space, subscription = a_space()
    space.advance(40 * DAY)
    with pytest.raises(IllegalAct, match="is over; settle it first"):
        space.suspend(subscription)
    space.renew(subscription)
    space.suspend(subscription)


def test_acts_that_mean_nothing_are_refused_with_what_would() -> None:
    space, subscription = a_space()
    with pytest.raises(IllegalAct, match="has these quantities already"):
        space.change_quantity(subscription, 2)
    with pytest.raises(IllegalAct, match="is of falcon-team-monthly already"):
        space.change_product(subscription, catalog.TEAM)
    with pytest.raises(IllegalAct, match="has team-seat; choose some"):
        space.change_quantity(subscription, {"nothing": 1})
    with pytest.raises(IllegalAct, match="has 3000 to give back, not 9999"):
        space.refund(subscription, 99_99)
    transaction = space.buy(next(iter(space.book.subscribers)), [catalog.PERPETUAL])
    with pytest.raises(IllegalAct, match="is FULFILL"):
        space.fulfill(transaction)


def test_what_the_demonstration_shows_reaches_up_to_its_moment() -> None:
    ends = {each.name: [it.state for it in expected(each.space).values()] for each in demo_customers(NOW)}
    assert ends == {"Livia Brunner": ["terminated"], "Nora Frei": ["active"]}
    for person in demo_customers(NOW):
        assert person.space.now <= NOW
        assert person.deliveries
    with pytest.raises((ValueError, TypeError)):
        demo_customers(NOW.replace(tzinfo=None))
