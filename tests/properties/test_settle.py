"""Events of one second: the same set gives the same order, nothing is lost, and causes stand before effects."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Event
from tests.payloads import stripe
from tests.payloads.stripe import STRIPE, Json

CREATED = "customer.subscription.created"
UPDATED = "customer.subscription.updated"
WILL_END = "customer.subscription.trial_will_end"
PAUSED = "customer.subscription.paused"
RESUMED = "customer.subscription.resumed"
DELETED = "customer.subscription.deleted"
STATUSES = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused", "canceled", "incomplete_expired")
FINAL = {"canceled", "incomplete_expired"}
OWN = ("tenure.timer", "tenure.operator.disabled")
READ_BACK = ("readback.subscription", "readback.price")


def event(id_: str, type_: str, previous: Json | None = None, **changes: Any) -> Event:
    if type_.startswith("customer.subscription."):
        return stripe.stored(stripe.event(type_, stripe.subscription(**changes), id_=id_, previous=previous))
    return stripe.stored(stripe.event(type_, {"id": "x", "object": "x", **changes}, id_=id_, previous=previous))


def ids(events: Sequence[Event]) -> list[str]:
    return [each.event_id for each in events]


def settled(*events: Event) -> list[str]:
    """The settled order, after checking that every order of arrival gives it."""
    orders = {tuple(ids(STRIPE.settle(order))) for order in permutations(events)}
    assert len(orders) == 1
    return list(orders.pop())


class TestKnownTies:
    def test_a_first_purchase_has_its_own_order(self) -> None:
        assert settled(
            event("a", UPDATED, {"status": "incomplete"}, status="active"),
            event("b", "checkout.session.completed"),
            event("c", "invoice.paid"),
            event("d", CREATED, status="incomplete"),
            event("e", "invoice_payment.paid"),
        ) == ["d", "b", "c", "e", "a"]

    @pytest.mark.parametrize(("stood", "order"), [(2, ["b", "a"]), (5, ["a", "b"])])
    def test_a_change_undone_within_the_second_is_ordered_by_how_things_stood_before(
        self, stood: int, order: list[str]
    ) -> None:
        earlier = [event("z", CREATED, quantity=stood), event("y", "invoice.paid")]
        circle = [event("a", UPDATED, {"quantity": 5}, quantity=2), event("b", UPDATED, {"quantity": 2}, quantity=5)]
        assert ids(STRIPE.settle(circle, earlier)) == ids(STRIPE.settle(circle[::-1], earlier)) == order

    def test_a_final_status_comes_last_whatever_the_type(self) -> None:
        assert settled(
            event("a", UPDATED, {"status": "incomplete"}, status="incomplete_expired"),
            event("b", "invoice.paid"),
            event("c", PAUSED, status="paused"),
            event("d", UPDATED, {"metadata": {"crm": None}}),
        ) == ["b", "d", "c", "a"]

    def test_deleted_is_the_very_last_of_stripes(self) -> None:
        assert settled(
            event("a", DELETED, status="canceled"),
            event("b", UPDATED, {"status": "active"}, status="canceled"),
            event("c", "charge.refunded"),
            event("d", RESUMED),
        ) == ["c", "d", "b", "a"]

    def test_a_deleted_event_that_cannot_be_read_is_last_too(self) -> None:
        broken = stripe.stored({"id": "a", "type": DELETED, "created": 1, "livemode": False, "data": {"object": 5}})
        ended = event("b", UPDATED, {"status": "active"}, status="canceled")
        assert settled(broken, ended, event("c", UPDATED, {"status": "trialing"})) == ["c", "b", "a"]

    def test_what_tenure_adds_comes_after_stripes(self) -> None:
        assert settled(
            event("a", "tenure.timer"), event("b", DELETED, status="canceled"), event("c", UPDATED, {"x": 1})
        ) == ["c", "b", "a"]

    def test_a_swapped_trial_is_announced_before_it_is_updated(self) -> None:
        assert settled(event("a", UPDATED, {"trial_end": 1}, status="trialing"), event("b", WILL_END)) == ["b", "a"]

    def test_updates_follow_the_values_they_found(self) -> None:
        assert settled(
            event("a", UPDATED, {"status": "past_due"}, status="unpaid"),
            event("b", UPDATED, {"status": "active"}, status="past_due"),
            event("c", UPDATED, {"status": "trialing"}, status="active"),
        ) == ["c", "b", "a"]

    def test_items_are_compared_by_their_ids(self) -> None:
        def items(*quantities: int) -> list[Json]:
            return [stripe.item(id_=f"si_{index}", quantity=each) for index, each in enumerate(quantities)]

        def before(index: int, quantity: int) -> Json:
            return {"items": {"data": [stripe.item(id_=f"si_{index}", quantity=quantity)]}}

        assert settled(
            event("a", UPDATED, before(1, 7), items=items(3, 8)),
            event("b", UPDATED, before(0, 2), items=items(3, 7)),
            event("c", UPDATED, before(1, 6), items=items(2, 7)),
        ) == ["c", "b", "a"]

    def test_an_empty_list_is_not_found_in_a_full_one(self) -> None:
        assert settled(
            event("a", UPDATED, {"discounts": ["di_1"]}, discounts=["di_2"]),
            event("b", UPDATED, {"discounts": []}, discounts=["di_1"]),
        ) == ["b", "a"]

    def test_a_key_that_was_added_was_missing_before(self) -> None:
        assert settled(
            event("a", UPDATED, {"metadata": {"crm": None}}, metadata={"crm": "1", "tier": "b"}),
            event("b", UPDATED, {"metadata": {"tier": "a"}}, metadata={"tier": "b"}),
        ) == ["b", "a"]

    def test_there_and_back_is_told_by_the_event_that_created_it(self) -> None:
        there = event("b", UPDATED, {"status": "active"}, status="past_due")
        back = event("a", UPDATED, {"status": "past_due"}, status="active")
        assert settled(event("c", CREATED, status="active"), there, back) == ["c", "b", "a"]

    def test_there_and_back_alone_has_an_order_all_the_same(self) -> None:
        there = event("b", UPDATED, {"status": "active"}, status="past_due")
        back = event("a", UPDATED, {"status": "past_due"}, status="active")
        assert settled(there, back) == ["a", "b"]

    @pytest.mark.parametrize("previous", [{}, None])
    def test_an_update_that_tells_nothing_of_before_goes_by_its_id(self, previous: Json | None) -> None:
        telling = event("c", UPDATED, {"status": "past_due"})
        assert settled(telling, event("a", UPDATED, previous), event("b", UPDATED, previous)) == ["a", "b", "c"]

    def test_depth_does_not_matter(self) -> None:
        deep: Json = {}
        for _ in range(400):
            deep = {"deeper": deep}
        assert sorted(settled(event("a", UPDATED, deep, **deep), event("b", UPDATED, deep, **deep))) == ["a", "b"]


values = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"])
nested = st.recursive(
    values,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
        | st.lists(st.fixed_dictionaries({"id": st.sampled_from("ab"), "x": inner}), max_size=2)
    ),
    max_leaves=6,
)
attributes = st.dictionaries(st.sampled_from(["status", "quantity", "items", "metadata"]), nested, max_size=3)
types = st.sampled_from(
    [CREATED, UPDATED, UPDATED, UPDATED, WILL_END, PAUSED, RESUMED, DELETED, "invoice.paid", *OWN, *READ_BACK]
)


@st.composite
def ties(draw: st.DrawFn) -> list[Event]:
    """Events of one second, with whatever values: they may contradict each other and close circles."""
    names = draw(st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True, max_size=8))
    return [
        event(
            name,
            draw(types),
            draw(st.none() | attributes),
            **{"status": draw(st.sampled_from(STATUSES)), **draw(attributes)},
        )
        for name in names
    ]


@given(ties(), st.randoms(use_true_random=False))
def test_the_order_depends_on_the_set_alone(tied: list[Event], random: Any) -> None:
    shuffled = tied.copy()
    random.shuffle(shuffled)
    assert ids(STRIPE.settle(shuffled)) == ids(STRIPE.settle(tied))


@given(ties())
def test_nothing_is_lost_and_nothing_doubled(tied: list[Event]) -> None:
    assert sorted(ids(STRIPE.settle(tied))) == sorted(ids(tied))


@given(ties())
def test_settling_again_changes_nothing(tied: list[Event]) -> None:
    once = STRIPE.settle(tied)
    assert ids(STRIPE.settle(once)) == ids(once)


@given(ties())
def test_what_was_read_back_comes_first_then_stripes_events_of_which_a_final_one_is_last(tied: list[Event]) -> None:
    order = STRIPE.settle(tied)
    ranks = [0 if each.type in READ_BACK else 2 if each.type in OWN else 1 for each in order]
    assert ranks == sorted(ranks)
    final = [_is_final(each) for each in order if each.type not in {*OWN, *READ_BACK}]
    assert final == sorted(final)


def _is_final(each: Event) -> bool:
    if each.type == DELETED:
        return True
    shown = stripe.object_of(each)
    return each.type.startswith("customer.subscription.") and shown.get("status") in [*FINAL]


KEYS = ("quantity", "default_payment_method", "description", "latest_invoice")


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """What really happened within one second: every update changes some fields to values never seen before."""
    steps = draw(st.lists(st.sets(st.sampled_from(KEYS), min_size=1), min_size=1, max_size=7))
    names = draw(st.permutations([f"evt_{number}" for number in range(len(steps) + 1)]))
    current: Json = dict.fromkeys(KEYS, 0)
    history = [event(names[0], CREATED, **current)]
    for number, changed in enumerate(steps, 1):
        previous = {key: current[key] for key in changed}
        current = current | dict.fromkeys(changed, number)
        history.append(event(names[number], UPDATED, previous, **current))
    return history


@given(histories(), st.randoms(use_true_random=False))
def test_what_happened_within_a_second_is_told_from_the_values(history: list[Event], random: Any) -> None:
    shuffled = history.copy()
    random.shuffle(shuffled)
    assert ids(STRIPE.settle(shuffled)) == ids(history)
