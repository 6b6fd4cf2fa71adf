"""Given returns and chargebacks at FastSpring, then which licenses of the order still work."""

from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, Stream
from domain.history import refold
from domain.licensing import entitle
from domain.lifecycle import State
from domain.policy import Policy
from domain.providers.fastspring import PROVIDER
from tests.fastspring_orders import IN_ORDER, IN_SUBSCRIPTION, ONCE, Told, after, facts_in, given_back, original
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import APRIL, BOUGHT, DAY, MARCH, ORDER, Json


class TestReturns:
    COMPLETED: Told = ("order.completed", ONCE, BOUGHT)

    def test_all_of_the_money_ends_what_was_bought_once(self) -> None:
        assert after(self.COMPLETED, ("return.created", given_back(597.0), BOUGHT + DAY)).state is State.TERMINATED

    def test_a_part_of_it_does_not_and_several_parts_add_up(self) -> None:
        first = ("return.created", given_back(500.0, quantity=0), BOUGHT + DAY)
        assert after(self.COMPLETED, first).state is State.ACTIVE
        again = (*first[:2], BOUGHT + 2 * DAY)
        assert after(self.COMPLETED, first, again).state is State.ACTIVE
        rest = ("return.created", given_back(97.0, quantity=0, id_="r2"), BOUGHT + 3 * DAY)
        assert after(self.COMPLETED, first, again, rest).state is State.TERMINATED

    def test_money_alone_stands_against_the_order_it_gives_back(self) -> None:
        items = [{"product": fs.PRO, "subscription": fs.SUBSCRIPTION, "quantity": 0, "subtotal": 29.0}]
        assert facts_in(IN_SUBSCRIPTION, "return.created", fs.returned(amount=29.0, items=items)) == [
            f.PaymentRefunded(
                payment=ORDER, invoice=ORDER, amount=5800, refunded=2900, currency="USD", part="Xr7tKMJNrdUNFLQeIGup8A",
                items=(f.GivenBack(fs.PRO, 0, 2900),),
            )
        ]  # fmt: skip

    def test_goods_taken_back_without_a_total_are_those_of_their_line(self) -> None:
        back = ("return.created", given_back(597.0, total=None), BOUGHT + DAY)
        assert after(self.COMPLETED, back).state is State.TERMINATED
        some = ("return.created", given_back(199.0, total=None, quantity=1), BOUGHT + DAY)
        assert after(self.COMPLETED, some).state is State.ACTIVE

    @pytest.mark.parametrize("form", [lambda data: data, fs.unexpanded], ids=["expanded", "unexpanded"])
    @pytest.mark.parametrize("known", [True, False], ids=["order told", "order lost"])
    def test_all_of_a_discounted_order_is_all_of_it_whatever_the_price_is(self, form: Any, known: bool) -> None:
        order = fs.order(items=[fs.item(subscription=fs.embedded())], total=29.0)
        back = fs.returned(amount=29.0, original=29.0)
        began: tuple[Told, ...] = (("subscription.activated", fs.subscription(), BOUGHT),)
        began += (("order.completed", form(order), BOUGHT + 1),) if known else ()
        told = (*began, ("return.created", form(back), BOUGHT + DAY))
        licenses = entitle(IN_SUBSCRIPTION, after(*told, stream=IN_SUBSCRIPTION), Policy()).licenses
        assert {each.enabled for each in licenses} == {False}

    def test_money_without_a_total_is_only_noted(self) -> None:
        assert facts_in(IN_ORDER, "return.created", given_back(10.0, total=None, quantity=0), f.PaymentRefunded) == []

    @pytest.mark.parametrize("changes", [{"completed": False}, {"totalReturn": None}, {"original": None}])
    def test_a_return_that_is_not_done_or_names_no_order_changes_nothing(self, changes: Json) -> None:
        [noted] = facts_in(IN_ORDER, "return.created", given_back(597.0) | changes)
        assert isinstance(noted, f.Noted)

    def test_a_refund_and_the_deactivation_it_causes_come_in_either_order(self) -> None:
        began = ("order.completed", fs.order(), BOUGHT)
        gone = ("subscription.deactivated", fs.deactivated(), BOUGHT + DAY)
        back = ("return.created", fs.returned(), BOUGHT + DAY)
        for told in ((gone, back), (back, gone)):
            subscription = after(began, *told, stream=IN_SUBSCRIPTION)
            assert (subscription.state, subscription.anomalies) == (State.TERMINATED, 0)
            assert subscription.refunds[ORDER].in_full


class TestReturnsByItem:
    """A subscription for 58 and two products that are bought once, for 100 and 50."""

    ITEMS: dict[str, Json] = {  # noqa: RUF012 - a table
        "sub": {"product": fs.PRO, "quantity": 2, "subtotal": 58.0, "subscription": fs.SUBSCRIPTION},
        "lts": {"product": "lts", "quantity": 1, "subtotal": 100.0},
        "kit": {"product": "kit", "quantity": 2, "subtotal": 50.0},
    }
    ALL = fs.order(
        items=[
            fs.item(subscription=fs.embedded()),
            fs.item("lts", quantity=1, subtotal=100.0, attributes={"product_short_code": "lts"}),
            fs.item("kit", quantity=2, subtotal=50.0, attributes={"product_short_code": "kit"}),
        ]
    )

    def back(self, *names: str, total: float | None = 208.0, **changes: Any) -> Told:
        items = [{**self.ITEMS[name], **changes} for name in names]
        data = fs.returned(amount=sum(item["subtotal"] for item in items), items=items, id_="-".join(names))
        shown: Any = ORDER if total is None else {**original(total), "subscriptions": [fs.SUBSCRIPTION]}
        return "return.created", {**data, "original": shown}, BOUGHT + DAY

    def working(self, *told: Told, policy: Policy | None = None) -> set[str]:
        """The products with enabled licenses, each event told in the streams it names alone."""
        began = ("order.completed", self.ALL, BOUGHT)
        stored: dict[Stream, list[Event]] = {IN_ORDER: [], IN_SUBSCRIPTION: []}
        for number, (type_, data, created) in enumerate((began, *told), 1):
            for event in fs.stored(fs.event(type_, data, created=created + number, id_=f"EV{number}")):
                stored[event.stream].append(msgspec.structs.replace(event, position=number))
        return {
            each.product_code
            for stream, events in stored.items()
            for each in entitle(stream, refold(events, PROVIDER).subscription, policy or Policy()).licenses
            if each.enabled
        }

    @pytest.mark.parametrize("total", [208.0, None], ids=["total told", "original named alone"])
    @pytest.mark.parametrize("partial", ["keep", "disable"])
    @pytest.mark.parametrize(
        ("returned", "left"),
        [
            (["sub"], {"lts", "kit"}),
            (["lts"], {"falcon-pro", "kit"}),
            (["sub", "lts"], {"kit"}),
            (["lts", "kit"], {"falcon-pro"}),
            (["sub", "lts", "kit"], set()),
        ],
    )
    def test_each_item_by_itself_ends_what_it_is_of(
        self, returned: list[str], left: set[str], partial: Any, total: float | None
    ) -> None:
        policy = Policy(on_partial_refund=partial)
        assert self.working(*(self.back(name, total=total) for name in returned), policy=policy) == left
        assert self.working(self.back(*returned, total=total), policy=policy) == left

    def test_one_unit_of_two_is_a_part_of_its_line_alone(self) -> None:
        back = self.back("kit", quantity=1, subtotal=25.0)
        assert self.working(back) == {"falcon-pro", "lts", "kit"}
        assert self.working(back, policy=Policy(on_partial_refund="disable")) == {"falcon-pro", "lts"}

    def test_money_of_one_line_is_a_part_of_it_alone(self) -> None:
        back = self.back("kit", quantity=0, subtotal=50.0)
        assert self.working(back) == {"falcon-pro", "lts", "kit"}
        assert self.working(back, policy=Policy(on_partial_refund="disable")) == {"falcon-pro", "lts"}

    def test_goods_and_then_the_rest_of_the_money_are_all_of_it(self) -> None:
        assert self.working(self.back("sub"), self.back("lts", "kit", quantity=0)) == set()

    def test_the_purchase_is_over_with_its_last_line(self) -> None:
        began = ("order.completed", self.ALL, BOUGHT)
        assert after(began, self.back("lts")).state is State.ACTIVE
        assert after(began, self.back("lts"), self.back("kit")).state is State.TERMINATED

    def test_what_is_refunded_may_be_kept(self) -> None:
        keep = Policy(on_refund="keep")
        assert self.working(self.back("lts"), self.back("kit"), policy=keep) == {"falcon-pro", "lts", "kit"}

    def test_what_was_given_back_for_something_else_says_so(self) -> None:
        _, noted = facts_in(IN_SUBSCRIPTION, "return.created", self.back("lts")[1])
        assert "something else" in noted.about


class TestChargebacks:
    def test_a_chargeback_disputes_the_payment_of_the_order(self) -> None:
        assert facts_in(IN_ORDER, "order.chargeback", fs.chargeback()) == [
            f.DisputeOpened(
                dispute=f"chargeback:{ORDER}", payment=ORDER, amount=5800, currency="USD", reason="chargeback"
            )
        ]

    def test_relayed_to_the_subscription_it_is_of_the_invoice_that_was_paid(self) -> None:
        told = (("order.completed", fs.order(), BOUGHT), ("order.chargeback", fs.chargeback(), BOUGHT + DAY))
        subscription = after(*told, stream=IN_SUBSCRIPTION)
        [dispute] = subscription.disputes.values()
        assert subscription.payments[dispute.payment] in subscription.invoices

    @pytest.mark.parametrize("told", ["subscription.updated", "order.completed"])
    def test_one_of_a_first_order_that_nobody_heard_of_leaves_what_was_paid_since(self, told: str) -> None:
        charged = ("subscription.charge.completed", fs.charge(), MARCH + DAY)
        shown = {"subscription.updated": fs.subscription(next=APRIL), "order.completed": fs.order()}
        back = ("order.chargeback", fs.chargeback(), MARCH + 2 * DAY)
        since = after((told, shown[told], MARCH), charged, back, stream=IN_SUBSCRIPTION)
        assert {each.enabled for each in entitle(IN_SUBSCRIPTION, since, Policy()).licenses} == {True}
        first = after(("subscription.activated", fs.subscription(), BOUGHT), back, stream=IN_SUBSCRIPTION)
        assert {each.enabled for each in entitle(IN_SUBSCRIPTION, first, Policy()).licenses} == {False}

    def test_one_that_holds_no_more_than_an_id_is_understood(self) -> None:
        [dispute] = facts_in(IN_ORDER, "order.chargeback", {"order": ORDER})
        assert (dispute.payment, dispute.amount) == (ORDER, 0)
