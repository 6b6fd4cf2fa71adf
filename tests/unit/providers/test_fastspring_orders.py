"""Given orders at FastSpring, then what is known of the purchase: what is bought, waited for, given away."""

from typing import Any

import pytest

from domain import facts as f
from domain.licensing import entitle
from domain.lifecycle import State
from domain.policy import Policy
from domain.providers.fastspring import PROVIDER
from tests.fastspring_orders import APP, IN_ORDER, IN_SUBSCRIPTION, ONCE, Told, after, facts_in
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import ACCOUNT, BOUGHT, DAY, ORDER, REFERENCE

WAITING = {**ONCE, "completed": False}


class TestPurchase:
    def test_what_is_bought_once_is_active_with_its_lines(self) -> None:
        purchase = after(("order.completed", ONCE, BOUGHT))
        assert (purchase.state, purchase.purchase) == (State.ACTIVE, True)
        assert purchase.lines["app"].line == f.Line(
            id="app", product="app", price="app", quantity=3, attributes=fs.TERMS, recurring=False
        )
        assert (purchase.customer.email, purchase.fulfillment) == ("ada@example.com", REFERENCE)

    def test_a_product_that_stands_there_twice_makes_two_lines(self) -> None:
        order = fs.order(items=[APP, fs.item("other"), APP])
        assert set(after(("order.completed", order, BOUGHT)).lines) == {"app", "other", "app#2"}

    def test_it_is_not_linked_to_itself(self) -> None:
        links = after(("order.completed", ONCE, BOUGHT)).links
        assert list(links) == [f"account/{ACCOUNT}", f"fulfillment/{REFERENCE}"]

    def test_without_expansion_the_buyer_is_whoever_paid(self) -> None:
        customer = after(("order.completed", fs.unexpanded(ONCE), BOUGHT)).customer
        assert (customer.reference, customer.email) == (ACCOUNT, "ada@example.com")

    def test_a_payment_under_way_gives_nothing_yet(self) -> None:
        pending = ("order.payment.pending", WAITING, BOUGHT)
        assert after(pending).state is State.PENDING
        assert after(pending, ("order.completed", ONCE, BOUGHT + DAY)).state is State.ACTIVE

    @pytest.mark.parametrize("type_", ["order.failed", "order.canceled"])
    def test_an_order_that_comes_to_nothing(self, type_: str) -> None:
        none = fs.order(items=[APP], reference=None, completed=False)
        pending = ("order.payment.pending", WAITING, BOUGHT)
        assert after(pending, (type_, none, BOUGHT + DAY)).state is State.TERMINATED
        assert after(("order.completed", ONCE, BOUGHT), (type_, none, BOUGHT + DAY)).state is State.ACTIVE

    def test_an_order_that_waits_for_approval_is_noted(self) -> None:
        waiting = after(("order.approval.pending", ONCE, BOUGHT))
        assert (waiting.state, waiting.lines) == (State.PENDING, {})


class TestOrdersThatWaited:
    """Until it is paid, an order names none of the subscriptions that it begins."""

    UNPAID = fs.TERMS | {"unpaid_active_license_period": "30d", "license_type": "perpetual"}
    PENDING: Told = ("order.payment.pending", fs.order(items=[fs.item(attributes=UNPAID)], completed=False), BOUGHT)
    COMPLETED: Told = ("order.completed", fs.order(), BOUGHT + 4 * DAY)

    def test_one_that_began_only_subscriptions_waits_no_longer(self) -> None:
        assert after(self.PENDING).state is State.PENDING
        assert after(self.PENDING, self.COMPLETED).state is State.TERMINATED

    def test_its_licenses_are_those_of_its_subscriptions_alone(self) -> None:
        def enabled(*told: Told) -> list[bool]:
            return [each.enabled for each in entitle(IN_ORDER, after(*told), Policy()).licenses]

        assert enabled(self.PENDING) == [True, True]
        assert enabled(self.PENDING, self.COMPLETED) == [False, False]

    @pytest.mark.parametrize("form", [lambda data: data, fs.unexpanded], ids=["expanded", "unexpanded"])
    def test_one_that_never_waited_says_nothing_in_its_own_stream(self, form: Any) -> None:
        order = after(("order.completed", form(fs.order()), BOUGHT))
        assert (order.identified, order.state, order.anomalies) == (False, State.PENDING, 0)

    def test_what_was_bought_once_beside_them_stays(self) -> None:
        mixed = fs.order(items=[fs.item(subscription=fs.embedded()), APP])
        both = fs.order(items=[fs.item(), APP], completed=False)
        pending = ("order.payment.pending", both, BOUGHT)
        purchase = after(pending, ("order.completed", mixed, BOUGHT + DAY))
        assert (purchase.state, set(purchase.lines)) == (State.ACTIVE, {"app"})

    def test_a_waiting_that_is_told_again_after_it_is_over_is_not_odd(self) -> None:
        again = ("order.payment.pending", fs.order(), BOUGHT + DAY)
        subscription = after(("order.completed", fs.order(), BOUGHT), again, stream=IN_SUBSCRIPTION)
        assert (subscription.state, subscription.anomalies) == (State.ACTIVE, 0)

    def test_an_order_that_came_to_nothing_asks_for_nothing(self) -> None:
        named = fs.order(items=[fs.item("app", attributes={})], completed=False)
        pending: Told = ("order.payment.pending", named, BOUGHT)
        assert PROVIDER.wants(IN_ORDER, after(pending))
        assert not PROVIDER.wants(IN_ORDER, after(pending, ("order.canceled", named, BOUGHT + DAY)))
        assert not PROVIDER.wants(IN_ORDER, after(pending, self.COMPLETED))


class TestRecipients:
    def test_a_gift_is_used_by_whom_it_is_for(self) -> None:
        order = fs.order(items=[APP], recipients=[fs.recipient("eve@example.com", "Eve", "Else")])
        assert after(("order.completed", order, BOUGHT)).users == (f.NamedUser("eve@example.com", "Eve Else"),)

    def test_everybody_is_named_once_the_buyer_too(self) -> None:
        people = [fs.recipient("Ada@example.com"), fs.recipient("eve@example.com"), fs.recipient("EVE@example.com")]
        users = after(("order.completed", fs.order(recipients=people), BOUGHT), stream=IN_SUBSCRIPTION).users
        assert [user.email.lower() for user in users] == ["ada@example.com", "eve@example.com"]

    @pytest.mark.parametrize("people", [[], [fs.recipient("ADA@example.com")], [{"recipient": None}], None])
    def test_a_buyer_who_buys_for_themselves_is_not_named(self, people: Any) -> None:
        assert facts_in(IN_ORDER, "order.completed", fs.order(items=[APP], recipients=people), f.UsersNamed) == []


def test_keys_that_did_not_reach_the_buyer_are_noted_with_what_to_do() -> None:
    [noted] = fs.facts_of("fulfillment.failed", {"product": "app", "order": ORDER, "reason": "timeout"})
    assert isinstance(noted, f.Noted)
    assert "for app" in noted.about
    assert "send the buyer the key" in noted.about
