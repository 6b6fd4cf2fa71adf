"""Given what is known of a stream, then what is asked from FastSpring's API; given its answer, then its facts."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Event, Stream, partition_of, stream_of
from domain.history import refold
from domain.licensing.billing import governing_period
from domain.lifecycle import State
from domain.providers import Untranslatable, open_wants
from domain.providers.fastspring import PROVIDER
from domain.readback import Answer, Want
from domain.subscription import Subscription
from tests.payloads import fastspring as fs
from tests.payloads.fastspring import ACCOUNT, APRIL, BOUGHT, DAY, MARCH, ORDER, PRO, REBILL, SUBSCRIPTION, Json, at

IN_SUBSCRIPTION = stream_of("store", "subscription", SUBSCRIPTION)
IN_ORDER = stream_of("store", "order", ORDER)
ASKED = BOUGHT + 3_600_000


def told(type_: str, data: Json, created: int = BOUGHT, *, id_: str = "EV1") -> list[Event]:
    return fs.stored(fs.event(type_, data, created=created, id_=id_))


def unexpanded(type_: str, data: Json, created: int = BOUGHT, *, id_: str = "EV1") -> list[Event]:
    bare = {name: value for name, value in fs.unexpanded(data).items() if name not in {"attributes", "customer"}}
    if "items" in bare:
        bare["items"] = [{**item, "attributes": {}} for item in bare["items"]]
    return told(type_, bare, created, id_=id_)


def answered(about: str, *pages: Any, asked: int = ASKED, stream: Stream = IN_SUBSCRIPTION) -> list[Event]:
    body = msgspec.json.encode(
        Answer(about=about, pages=tuple(msgspec.Raw(msgspec.json.encode(page)) for page in pages))
    )
    return [
        Event(
            stream=stream,
            event_id=f"readback:{about}",
            type=type_,
            origin="readback",
            occurred_at=at(asked),
            received_at=at(asked),
            body=body,
            partition=partition_of(stream),
            position=1,
            recorded_at=at(asked),
            digest=sha256(body).digest(),
        )
        for stream, type_ in PROVIDER.unpack_answer(stream, about, body)
    ]


def after(*told: list[Event], stream: Stream = IN_SUBSCRIPTION) -> Subscription:
    events = [event for some in told for event in some if event.stream == stream]
    numbered = [msgspec.structs.replace(event, position=number) for number, event in enumerate(events, 1)]
    fold = refold(numbered, PROVIDER)
    assert not fold.stopped
    return fold.subscription


def wanted(*told: list[Event], stream: Stream = IN_SUBSCRIPTION) -> list[Want]:
    return open_wants(PROVIDER, stream, after(*told, stream=stream))


def abouts(*told: list[Event], stream: Stream = IN_SUBSCRIPTION) -> list[str]:
    return [want.about for want in wanted(*told, stream=stream)]


def facts_of(about: str, *pages: Any) -> Sequence[f.Fact]:
    [event] = answered(about, *pages)
    return PROVIDER.translate(event)


def product(path: str = PRO, **attributes: str) -> Json:
    shown = fs.product(path, attributes)
    return {"products": [{**shown, "action": "product.get", "result": "success"}]}


class TestWants:
    def test_expanded_payloads_leave_nothing_out(self) -> None:
        opening = told("subscription.activated", fs.subscription()), told("order.completed", fs.order(), id_="EV2")
        assert wanted(*opening) == []
        renewed = told("subscription.charge.completed", fs.charge(), MARCH + DAY, id_="EV3")
        assert wanted(*opening, renewed) == []
        overdue = told("subscription.payment.overdue", fs.overdue(1, next=APRIL), APRIL + 8 * DAY, id_="EV4")
        assert wanted(*opening, renewed, overdue) == []

    def test_the_attributes_of_a_product_that_is_only_named(self) -> None:
        [attributes, address] = wanted(unexpanded("subscription.activated", fs.subscription()))
        assert attributes == Want(
            about=f"products/{PRO}", why=f"the attributes of product {PRO}", essential=True, patient=False
        )
        assert (address.about, address.essential, address.patient) == (f"accounts/{ACCOUNT}", False, True)

    def test_a_product_is_asked_for_once_and_by_a_path_that_a_url_can_hold(self) -> None:
        order = fs.order(
            items=[fs.item("a b/ü", attributes={}), fs.item("a b/ü", attributes={}), fs.item("c", attributes={})]
        )
        assert abouts(told("order.completed", order), stream=IN_ORDER) == ["products/a%20b%2F%C3%BC", "products/c"]

    def test_what_was_subscribed_to_where_only_the_order_came(self) -> None:
        wants = {want.about: want for want in wanted(unexpanded("order.completed", fs.order()))}
        whole = wants[f"subscriptions/{SUBSCRIPTION}"]
        assert (whole.essential, whole.patient) == (True, True)

    def test_until_when_a_charge_pays_that_names_its_subscription_alone(self) -> None:
        opening = told("subscription.activated", fs.subscription())
        charge = told("subscription.charge.completed", fs.unexpanded(fs.charge()), MARCH + DAY, id_="EV2")
        [want] = wanted(opening, charge)
        assert (want.about, want.essential) == (f"subscriptions/{SUBSCRIPTION}#charge={REBILL}", False)

    def test_how_long_the_store_tries_where_the_failed_charge_does_not_show_it(self) -> None:
        opening = told("subscription.activated", fs.subscription())
        failed = told("subscription.charge.failed", fs.unexpanded(fs.charge_failed()), MARCH + DAY, id_="EV2")
        [want] = wanted(opening, failed)
        assert want.about == f"subscriptions/{SUBSCRIPTION}#overdue=EV2"

    def test_nothing_of_a_subscription_that_is_over(self) -> None:
        assert wanted(unexpanded("subscription.deactivated", fs.deactivated())) == []

    def test_nothing_of_other_streams(self) -> None:
        stream = stream_of("store", "account", ACCOUNT)
        assert wanted(told("account.updated", {"id": ACCOUNT}), stream=stream) == []

    def test_what_was_answered_is_not_asked_again_even_if_nothing_was_found(self) -> None:
        opening = unexpanded("subscription.activated", fs.subscription())
        assert abouts(opening, answered(f"products/{PRO}")) == [f"accounts/{ACCOUNT}"]


class TestAnswers:
    def test_a_product_describes_the_line_that_named_it(self) -> None:
        opening = unexpanded("subscription.activated", fs.subscription())
        line = after(opening, answered(f"products/{PRO}", product(**fs.TERMS))).lines["subscription"].line
        assert (line.attributes, line.described) == (fs.TERMS, True)

    def test_a_product_without_attributes_is_described_too(self) -> None:
        shown = {"product": PRO, "result": "success"}
        assert facts_of(f"products/{PRO}", {"products": [shown]})[1:] == [
            f.PriceDescribed(price=PRO, product=PRO, attributes={})
        ]

    def test_a_product_that_does_not_repeat_its_path_is_the_one_that_was_asked_for(self) -> None:
        [_, priced] = facts_of("products/a%20b", {"attributes": {"x": "1"}})
        assert priced == f.PriceDescribed(price="a b", product="a b", attributes={"x": "1"})

    def test_a_subscription_counts_as_it_stood_when_it_was_read(self) -> None:
        order = unexpanded("order.completed", fs.order())
        read = answered(f"subscriptions/{SUBSCRIPTION}", fs.embedded() | {"result": "success"})
        subscription = after(order, read)
        assert (subscription.state, subscription.lines["subscription"].line.quantity) == (State.ACTIVE, 2)
        assert after(order, answered(f"subscriptions/{SUBSCRIPTION}", fs.deactivated())).state is State.TERMINATED

    def test_the_same_in_a_list(self) -> None:
        plain = facts_of(f"subscriptions/{SUBSCRIPTION}", fs.embedded())
        assert facts_of(f"subscriptions/{SUBSCRIPTION}", {"subscriptions": [fs.embedded()]}) == plain

    def test_read_for_a_charge_it_says_until_when_that_pays(self) -> None:
        opening = told("subscription.activated", fs.subscription())
        charge = told("subscription.charge.completed", fs.unexpanded(fs.charge()), MARCH + DAY, id_="EV2")
        shown = fs.embedded(next=APRIL)
        read = answered(f"subscriptions/{SUBSCRIPTION}#charge={REBILL}", shown, asked=MARCH + DAY + 60_000)
        subscription = after(opening, charge, read)
        [period] = subscription.invoices[REBILL].periods
        assert (period.start, period.end) == (at(MARCH), at(APRIL))
        assert wanted(opening, charge, read) == []

    def test_an_answer_from_before_the_charge_is_asked_for_again_and_one_interval_assumed(self) -> None:
        opening = told("subscription.activated", fs.subscription())
        charge = told("subscription.charge.completed", fs.unexpanded(fs.charge()), MARCH + DAY, id_="EV2")
        about = f"subscriptions/{SUBSCRIPTION}#charge={REBILL}"
        stale = answered(about, fs.embedded(), asked=MARCH + DAY + 1000)
        subscription = after(opening, charge, stale)
        assert max(period.end for paid in subscription.invoices.values() for period in paid.periods) == at(APRIL)
        assert abouts(opening, charge, stale) == [f"{about}#again=2"]
        fresh = answered(f"{about}#again=2", fs.embedded(next=APRIL), asked=MARCH + DAY + 60_000)
        settled = after(opening, charge, stale, fresh)
        assert wanted(opening, charge, stale, fresh) == []
        governing = governing_period(settled, settled.lines["subscription"].line)
        assert governing is not None
        assert (governing.invoice, governing.period.end) == (REBILL, at(APRIL))

    def test_it_is_asked_for_again_a_few_times_only(self) -> None:
        opening = told("subscription.activated", fs.subscription())
        charge = told("subscription.charge.completed", fs.unexpanded(fs.charge()), MARCH + DAY, id_="EV2")
        answers: list[list[Event]] = []
        while open_ := abouts(opening, charge, *answers):
            answers.append(answered(open_[0], fs.embedded(), asked=MARCH + DAY + 1000))
        assert len(answers) == 5

    def test_an_account_says_who_bought(self) -> None:
        opening = unexpanded("subscription.activated", fs.subscription())
        read = answered(f"accounts/{ACCOUNT}", fs.account() | {"subscriptions": [SUBSCRIPTION], "orders": [ORDER]})
        assert after(opening, read).customer.email == "ada@example.com"

    def test_an_order_says_what_its_completion_says(self) -> None:
        assert f.PaymentLinked(payment=ORDER, invoice=ORDER) in facts_of(f"orders/{ORDER}", fs.order())

    @pytest.mark.parametrize(
        "pages",
        [
            (),
            ({"products": []},),
            ({"products": [{"product": PRO, "action": "product.get", "result": "error", "error": {"product": "x"}}]},),
            ({"action": "product.get", "result": "error", "error": {"product": "Not found"}},),
        ],
    )
    def test_what_is_not_found_says_so(self, pages: tuple[Json, ...]) -> None:
        assert facts_of(f"products/{PRO}", *pages) == [f.AnswerRead(about=f"products/{PRO}", found=False)]

    @pytest.mark.parametrize("page", [5, [], {"products": 5}, {"products": [5]}, {"products": [{"product": 5}]}])
    def test_an_answer_of_another_shape_is_refused(self, page: Any) -> None:
        with pytest.raises(Untranslatable, match=r"^readback.products: "):
            facts_of(f"products/{PRO}", page)

    def test_an_answer_is_an_event_of_the_stream_that_asked(self) -> None:
        [event] = answered(f"subscriptions/{SUBSCRIPTION}#charge={REBILL}")
        assert (event.stream, event.type) == (IN_SUBSCRIPTION, "readback.subscriptions")


class TestTies:
    def test_events_of_one_millisecond_stand_in_the_order_of_causes(self) -> None:
        types = ["subscription.activated", "order.completed", "subscription.updated", "subscription.canceled",
                 "subscription.uncanceled", "subscription.charge.failed", "subscription.payment.overdue",
                 "subscription.paused", "subscription.resumed", "subscription.deactivated"]  # fmt: skip
        tied = [
            event
            for number, type_ in enumerate(types)
            for event in told(type_, fs.order() if type_.startswith("order") else fs.subscription(), id_=f"{number}")[
                :1
            ]
        ]
        tied = [msgspec.structs.replace(event, stream=IN_SUBSCRIPTION) for event in tied]
        own = msgspec.structs.replace(tied[0], type="tenure.grace_ended", origin="timer", event_id="0")
        [read] = answered(f"subscriptions/{SUBSCRIPTION}", asked=BOUGHT)
        for order in ([own, *tied, read], [read, *tied[::-1], own]):
            settled = [event.type for event in PROVIDER.settle(order)]
            assert settled == ["readback.subscriptions", *types, "tenure.grace_ended"]

    def test_the_id_decides_between_equals(self) -> None:
        one, other = told("return.created", fs.returned(), id_="a")[:1], told("order.completed", fs.order(), id_="b")
        assert [each.event_id for each in PROVIDER.settle([*other[:1], *one])] == ["a", "b"]


def test_devices_are_freed_when_a_subscription_ends() -> None:
    assert PROVIDER.policy == {"devices_at_end": "free"}
