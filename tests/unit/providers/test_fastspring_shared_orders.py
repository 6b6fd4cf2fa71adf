"""Given orders at FastSpring that begin several subscriptions, then what each of them is told and given back."""

import pytest

from domain import facts as f
from domain.events import identifier_of, kind_of
from domain.licensing import entitle
from domain.lifecycle import State
from domain.policy import Policy
from domain.providers.fastspring import PROVIDER
from tests.fastspring_orders import IN_SUBSCRIPTION, ONCE, Told, after, facts_in, original
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import BOUGHT, DAY, ORDER, Json


class TestSubscriptionsOfOneOrder:
    BOTH = fs.order(
        items=[
            fs.item(subscription=fs.embedded()),
            fs.item("set-up", quantity=1, subtotal=10.0),
            fs.item("other", subscription=fs.embedded(path="other", id="sub2", subscription="sub2")),
        ]
    )

    def test_each_stream_holds_its_own_part(self) -> None:
        lines = {}
        for event in fs.stored(fs.event("order.completed", self.BOTH)):
            told = [fact for fact in PROVIDER.translate(event) if isinstance(fact, f.LinesDescribed)]
            key = (kind_of(event.stream), identifier_of(event.stream))
            lines[key] = {line.id: line.product for fact in told for line in fact.lines}
        assert lines == {
            ("subscription", fs.SUBSCRIPTION): {"subscription": fs.PRO},
            ("subscription", "sub2"): {"subscription": "other"},
            ("order", ORDER): {"set-up": "set-up"},
        }

    def test_each_of_them_counts_what_it_cost(self) -> None:
        paid = [fact for fact in fs.facts_of("order.completed", self.BOTH) if isinstance(fact, f.PeriodPaid)]
        assert [fact.amount for fact in paid] == [5800, 5800]

    @pytest.mark.parametrize(
        ("returned", "enabled"),
        [
            ({"subscription": fs.SUBSCRIPTION, "quantity": 2, "subtotal": 58.0}, False),
            ({"subscription": fs.SUBSCRIPTION, "quantity": 1, "subtotal": 29.0}, True),
            ({"subscription": fs.SUBSCRIPTION, "quantity": 0, "subtotal": 58.0}, True),
            ({"subscription": "sub2", "quantity": 2, "subtotal": 58.0}, True),
        ],
        ids=["all units of it", "one unit of it", "money alone", "the other one"],
    )
    def test_taking_back_all_of_one_subscription_ends_that_one_alone(self, returned: Json, enabled: bool) -> None:
        back = fs.returned(amount=returned["subtotal"], items=[{"product": fs.PRO, **returned}])
        both = {**back, "original": {**original(126.0), "subscriptions": [fs.SUBSCRIPTION, "sub2"]}}
        told = ("order.completed", self.BOTH, BOUGHT), ("return.created", both, BOUGHT + DAY)
        licenses = entitle(IN_SUBSCRIPTION, after(*told, stream=IN_SUBSCRIPTION), Policy()).licenses
        assert {license_.enabled for license_ in licenses} == {enabled}

    def test_all_the_money_of_the_order_in_steps_is_all_of_each(self) -> None:
        def money(amount: float, first: float, id_: str) -> Told:
            shares = ((fs.SUBSCRIPTION, first), ("sub2", amount - first))
            items = [{"product": "p", "subscription": sub, "quantity": 0, "subtotal": part} for sub, part in shares]
            back = {**fs.returned(amount=amount, items=items, id_=id_), "original": original(126.0)}
            return "return.created", back, BOUGHT + DAY

        told: tuple[Told, ...] = (("order.completed", self.BOTH, BOUGHT), money(42.0, 42.0, "r1"))
        assert after(*told, stream=IN_SUBSCRIPTION).refunds[ORDER].refunded == 4200
        assert after(*told, money(84.0, 58.0, "r2"), stream=IN_SUBSCRIPTION).refunds[ORDER].in_full

    def test_all_the_money_of_the_order_is_all_of_each(self) -> None:
        items = [
            {"product": fs.PRO, "subscription": sub, "quantity": 2, "subtotal": 58.0}
            for sub in ("sub2", fs.SUBSCRIPTION)
        ]
        back = {**fs.returned(amount=126.0, items=items), "original": original(126.0)}
        told = ("order.completed", self.BOTH, BOUGHT), ("return.created", back, BOUGHT + DAY)
        licenses = entitle(IN_SUBSCRIPTION, after(*told, stream=IN_SUBSCRIPTION), Policy()).licenses
        assert not any(license_.enabled for license_ in licenses)

    def test_an_addon_in_the_order_is_a_line_of_its_subscription(self) -> None:
        addon = fs.item("extra", quantity=1, isAddon=True, subscription=fs.SUBSCRIPTION)
        for items in ([fs.item(subscription=fs.embedded()), addon], [addon, fs.item(subscription=fs.embedded())]):
            lines = after(("order.completed", fs.order(items=items), BOUGHT), stream=IN_SUBSCRIPTION).lines
            assert set(lines) == {"subscription", "addon/extra"}
            assert lines["subscription"].line.product == fs.PRO

    def test_an_addon_told_twice_is_one_line(self) -> None:
        addon = fs.item("extra", quantity=1, isAddon=True, subscription=fs.SUBSCRIPTION)
        main = fs.item(subscription=fs.embedded(addons=[{"product": "extra", "quantity": 1}, "more"]))
        lines = after(("order.completed", fs.order(items=[main, addon]), BOUGHT), stream=IN_SUBSCRIPTION).lines
        assert set(lines) == {"subscription", "addon/extra", "addon/more"}

    def test_an_order_of_something_else_that_was_relayed_says_nothing(self) -> None:
        assert facts_in(IN_SUBSCRIPTION, "order.completed", ONCE) == [f.Noted(about="an order of something else")]

    def test_a_payment_under_way_opens_the_subscription(self) -> None:
        pending = ("order.payment.pending", fs.order(completed=False), BOUGHT)
        opened = after(pending, stream=IN_SUBSCRIPTION)
        assert (opened.state, opened.opened_since is not None) == (State.PENDING, True)
        failed = ("order.failed", fs.order(), BOUGHT + DAY)
        assert after(pending, failed, stream=IN_SUBSCRIPTION).state is State.TERMINATED
