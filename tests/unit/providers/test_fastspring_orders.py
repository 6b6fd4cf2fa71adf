"""Given orders, returns and chargebacks at FastSpring, then what is known of the purchase or the subscription."""

from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, Stream, identifier_of, kind_of, stream_of
from domain.history import refold
from domain.licensing import entitle
from domain.lifecycle import State
from domain.policy import Policy
from domain.providers.fastspring import PROVIDER
from domain.subscription import Subscription
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import ACCOUNT, APRIL, BOUGHT, DAY, FEBRUARY, MARCH, ORDER, REBILL, REFERENCE, Json, at

IN_ORDER = stream_of("store", "order", ORDER)
IN_SUBSCRIPTION = stream_of("store", "subscription", fs.SUBSCRIPTION)
APP = fs.item("app", quantity=3, subtotal=597.0)
ONCE = fs.order(items=[APP])
WAITING = {**ONCE, "completed": False}
AT_WILL: Json = {"adhoc": True, "next": None, "intervalUnit": "adhoc"}
RETURNED_ONCE = {"items": [{"product": "app", "quantity": 3, "subtotal": 597.0}]}

Told = tuple[str, Json, int]


def events(*told: Told, stream: Stream = IN_ORDER) -> list[Event]:
    """All of them, as if the relay had brought the ones of other streams."""
    found = {
        (number, event.type): msgspec.structs.replace(event, stream=stream, position=number)
        for number, (type_, data, created) in enumerate(told, 1)
        for event in fs.stored(fs.event(type_, data, created=created, id_=f"EV{number:028}"))
    }
    return list(found.values())


def after(*told: Told, stream: Stream = IN_ORDER) -> Subscription:
    fold = refold(events(*told, stream=stream), PROVIDER)
    assert not fold.stopped
    return fold.subscription


def facts_in(stream: Stream, type_: str, data: Json, of: type[f.Fact] = f.Fact) -> list[Any]:
    [event] = events((type_, data, BOUGHT), stream=stream)
    return [fact for fact in PROVIDER.translate(event) if isinstance(fact, of)]


def original(total: float | None = 597.0) -> Json:
    return {"id": ORDER, "order": ORDER, "reference": REFERENCE, "total": total, "subscriptions": []}


def given_back(amount: float, *, total: float | None = 597.0, quantity: int = 3, id_: str = "r1") -> Json:
    items = [{"product": "app", "quantity": quantity, "subtotal": amount}]
    return {**fs.returned(amount=amount, id_=id_, items=items), "original": original(total)}


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
        assert after(("order.completed", ONCE, BOUGHT)).links == [f"account/{ACCOUNT}", f"fulfillment/{REFERENCE}"]

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


class TestCharges:
    def paid(self, **changes: Any) -> f.PeriodPaid:
        event = fs.event("subscription.charge.completed", fs.charge(**changes), created=MARCH + DAY)
        [stored] = fs.stored(event)
        [paid] = [fact for fact in PROVIDER.translate(stored) if isinstance(fact, f.PeriodPaid)]
        return paid

    def test_a_rebill_pays_from_its_moment_until_next(self) -> None:
        paid = self.paid()
        assert (paid.invoice, paid.amount, paid.first) == (REBILL, 5800, False)
        [period] = paid.periods
        assert (period.start, period.end, period.proration) == (at(MARCH + 32_726_105), at(APRIL), False)

    def prorated(self, *, made: int, until: int, **item: Any) -> f.PeriodPaid:
        changed = fs.item(subscription=fs.SUBSCRIPTION, proratedItemProratedCharge=12.5, **item)
        bill = fs.order(items=[changed], order="o9", id="o9")
        return self.paid(order=bill, timestamp=made, total=12.5, subscription=fs.embedded(next=until))

    def test_a_change_charged_in_mid_period_is_a_proration(self) -> None:
        [period] = self.prorated(made=FEBRUARY + 10 * DAY, until=MARCH).periods
        assert (period.end, period.proration) == (at(MARCH), True)

    def test_a_change_that_begins_a_new_period_pays_for_it(self) -> None:
        [period] = self.prorated(made=FEBRUARY + 10 * DAY, until=MARCH + 10 * DAY).periods
        assert not period.proration

    @pytest.mark.parametrize(("of", "proration"), [(None, True), (fs.SUBSCRIPTION, True), ("sub2", False)])
    def test_only_a_change_of_its_own_is_a_proration_whoever_the_item_names(self, of: Any, proration: bool) -> None:
        changed = fs.item(subscription=of, proratedItemProratedCharge=12.5)
        bill = fs.order(items=[changed], order="o9", id="o9")
        shown = fs.embedded(next=MARCH)
        [period] = self.paid(order=bill, timestamp=FEBRUARY + 10 * DAY, subscription=shown).periods
        assert period.proration is proration

    def test_amounts_of_nothing_make_no_proration(self) -> None:
        bill = fs.order(items=[fs.item(subscription=fs.SUBSCRIPTION, proratedItemTotal=0.0)], order="o9", id="o9")
        [period] = self.paid(order=bill, timestamp=MARCH + 10 * DAY).periods
        assert not period.proration

    def test_a_managed_subscription_is_paid_without_a_period(self) -> None:
        assert self.paid(subscription=fs.embedded(adhoc=True, next=None)).periods == ()

    def test_told_again_under_another_id_it_counts_once(self) -> None:
        told = ("subscription.charge.completed", fs.charge(), MARCH + DAY)
        subscription = after(told, (*told[:2], MARCH + 2 * DAY), stream=IN_SUBSCRIPTION)
        assert list(subscription.invoices) == [REBILL]

    def test_its_order_is_linked_for_refunds_and_chargebacks(self) -> None:
        subscription = after(("subscription.charge.completed", fs.charge(), MARCH + DAY), stream=IN_SUBSCRIPTION)
        assert f"order/{REBILL}" in subscription.links
        assert subscription.payments == {REBILL: REBILL}

    def test_without_expansion_it_says_who_paid_but_not_until_when(self) -> None:
        subscription = after(
            ("subscription.charge.completed", fs.unexpanded(fs.charge()), MARCH + DAY), stream=IN_SUBSCRIPTION
        )
        assert (subscription.state, subscription.invoices) == (State.ACTIVE, {})
        assert subscription.payments == {REBILL: REBILL}


class TestChargesAtWill:
    """A managed subscription: the vendor charges when they like, so no payment pays for a period."""

    BEGAN: Told = ("order.completed", fs.order(items=[fs.item(subscription=fs.embedded(**AT_WILL))]), BOUGHT)
    CHARGED: Told = (
        "subscription.charge.completed", fs.charge(subscription=fs.embedded(**AT_WILL)), MARCH + DAY,
    )  # fmt: skip
    REFUNDED: Told = ("return.created", fs.returned(), MARCH + 2 * DAY)
    CHARGED_BACK: Told = ("order.chargeback", fs.chargeback(), MARCH + 2 * DAY)

    def works(self, *told: Told) -> bool:
        [works] = {
            each.enabled for each in entitle(IN_SUBSCRIPTION, after(*told, stream=IN_SUBSCRIPTION), Policy()).licenses
        }
        return works

    @pytest.mark.parametrize("back", [REFUNDED, CHARGED_BACK], ids=["refund", "chargeback"])
    def test_the_money_of_the_last_payment_counts(self, back: Told) -> None:
        assert not self.works(self.BEGAN, back)
        assert self.works(self.BEGAN, self.CHARGED, back)

    def test_what_the_vendor_grants_again_was_paid_by_nothing_that_went_back(self) -> None:
        ended = ("subscription.deactivated", fs.deactivated(**AT_WILL), MARCH + 2 * DAY)
        shown = fs.subscription(**AT_WILL, changed=MARCH + 3 * DAY)
        again = ("subscription.activated", shown, MARCH + 3 * DAY)
        assert self.works(self.BEGAN, self.REFUNDED, ended, again)

    def test_so_it_is_with_what_is_left_of_a_trial(self) -> None:
        began = ("subscription.activated", fs.trial(), BOUGHT)
        first = ("order.completed", fs.order(items=[fs.item(subscription=fs.trial())]), BOUGHT + 1)
        back = ("order.chargeback", fs.chargeback(), BOUGHT + DAY)
        ended = ("subscription.deactivated", fs.deactivated(), BOUGHT + DAY)
        again = ("subscription.activated", fs.trial(changed=BOUGHT + 4 * DAY), BOUGHT + 4 * DAY)
        assert not self.works(began, first, back)
        assert self.works(began, first, back, ended, again)

    def test_its_first_activation_sent_again_grants_nothing(self) -> None:
        activated = ("subscription.activated", fs.subscription(**AT_WILL), MARCH + 3 * DAY)
        assert not self.works(self.BEGAN, self.REFUNDED, activated)


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


def test_keys_that_did_not_reach_the_buyer_are_noted_with_what_to_do() -> None:
    [noted] = fs.facts_of("fulfillment.failed", {"product": "app", "order": ORDER, "reason": "timeout"})
    assert isinstance(noted, f.Noted)
    assert "for app" in noted.about
    assert "send the buyer the key" in noted.about
