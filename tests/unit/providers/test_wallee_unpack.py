"""Given a webhook of wallee, then its event; given what is known, then what is asked; given an answer, whose it is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain import facts as f
from domain.events import Stream, stream_of
from domain.providers import Untranslatable, open_wants
from domain.providers.wallee import PROVIDER
from domain.providers.wallee.unpack import KINDS
from tests.payloads import wallee as w
from tests.payloads.wallee import IN, IN_TRANSACTION, JANUARY, SOURCE, SUBSCRIPTION, TRANSACTION, Json

FIXTURE = Path(__file__).parents[4] / "shared/fixtures/wallee/transaction_processing.body.json"


def unpacked(payload: Json) -> Any:
    [told] = PROVIDER.unpack(SOURCE, msgspec.json.encode(payload), None, JANUARY)
    return told


class TestUnpack:
    def test_an_event_is_named_by_space_listener_and_number(self) -> None:
        told = unpacked(w.webhook(event=35))
        assert (told.event_id, told.type, told.stream) == ("405:17:35", "Subscription.ACTIVE", IN)

    def test_the_offset_has_no_colon_and_counts(self) -> None:
        assert unpacked(w.webhook(timestamp="2026-01-01T12:00:00+0200")).occurred_at == datetime(
            2026, 1, 1, 10, tzinfo=UTC
        )

    def test_where_the_listener_does_not_sign_no_state_is_told(self) -> None:
        assert unpacked(w.webhook(state=None)).type == "Subscription"

    @pytest.mark.parametrize(("name", "kind"), KINDS.items())
    def test_each_entity_has_its_stream(self, name: str, kind: str) -> None:
        assert unpacked(w.webhook(name, 12)).stream == f"pay/{kind}/12"

    def test_an_entity_that_is_not_known_is_kept_and_noted(self) -> None:
        told = unpacked(w.webhook("ManualTask", 12, event=3))
        assert told.stream == "pay/other/405:17:3"
        assert PROVIDER.translate(w.delivered(w.webhook("ManualTask", 12))) == [f.Noted()]

    @pytest.mark.parametrize(
        "payload",
        [
            w.webhook(eventId=None),
            w.webhook(spaceId="405"),
            w.webhook(entityId=-1),
            w.webhook(timestamp="2026-01-01T10:00:00"),
            w.webhook(timestamp="9999-12-31T23:59:59-2300"),
            w.webhook(state="\x00"),
            w.webhook(listenerEntityTechnicalName=""),
            {},
        ],
    )
    def test_what_is_not_of_the_form_is_kept_as_unreadable(self, payload: Json) -> None:
        payload = payload | ({"state": ""} if payload.get("listenerEntityTechnicalName") == "" else {})
        assert unpacked(payload).type == "unreadable"

    @pytest.mark.skipif(not FIXTURE.exists(), reason="an extra check, where the published sample is at hand")
    def test_the_published_sample(self) -> None:
        [told] = PROVIDER.unpack(SOURCE, FIXTURE.read_bytes(), None, JANUARY)
        assert (told.stream, told.event_id, told.type) == ("pay/transaction/11", "1:2:35", "Transaction.PROCESSING")
        assert told.occurred_at == datetime(2023, 12, 19, 13, 43, 35, tzinfo=UTC)


def wanted(*events: Any, stream: Stream = IN) -> list[Any]:
    return open_wants(PROVIDER, stream, w.folded(*events).subscription)


def stripped(about: str) -> str:
    return about.partition("#")[0]


class TestWants:
    def test_the_state_in_a_webhook_is_never_believed(self) -> None:
        fold = w.folded(w.delivered(w.webhook(state="TERMINATED")))
        assert (fold.subscription.state.value, fold.subscription.lines) == ("pending", {})

    def test_a_subscription_is_read_at_once_and_nothing_is_licensed_before(self) -> None:
        [want] = wanted(w.delivered(w.webhook()))
        assert (stripped(want.about), want.essential, want.patient) == (f"subscriptions/{SUBSCRIPTION}", True, False)

    def test_a_burst_is_one_question(self) -> None:
        burst = [w.delivered(w.webhook(event=number)) for number in range(1, 6)]
        assert len(wanted(*burst)) == 1

    def test_whatever_is_announced_later_or_heard_of_later_asks_anew(self) -> None:
        first = w.delivered(w.webhook(event=5))
        [want] = wanted(first)
        [answer] = w.answered(want.about, w.whole())
        assert wanted(first, answer) == []
        for late in (w.webhook(event=4), w.webhook(event=6, timestamp="2025-12-31T10:00:00+0000")):
            [again] = wanted(first, answer, w.delivered(late))
            assert (again.essential, again.about != want.about) == (False, True)

    def test_what_wallee_does_not_know_takes_nothing_away_and_is_asked_again_when_it_is_announced_again(self) -> None:
        known = [w.delivered(w.webhook(event=1)), w.read(w.whole())]
        [want] = wanted(*known)
        [nothing] = w.answered(want.about)
        assert PROVIDER.translate(nothing) == [f.AnswerRead(about=want.about, found=False)]
        fold = w.folded(*known, nothing)
        assert fold.subscription.state.value == "active"
        assert wanted(*known, nothing) == []
        assert len(wanted(*known, nothing, w.delivered(w.webhook(event=2)))) == 1

    @pytest.mark.parametrize("kind", ["charge", "version", "suspension", "period-bill", "refund", "charge-flow-level"])
    def test_anything_else_is_read_until_it_is_found(self, kind: str) -> None:
        name = next(name for name, each in KINDS.items() if each == kind)
        stream, told = stream_of(SOURCE, kind, "12"), [w.delivered(w.webhook(name, 12))]
        [want] = wanted(*told, stream=stream)
        assert not want.patient
        nothing = w.answered(want.about, stream=stream)[0]
        told += [nothing, w.delivered(w.webhook(name, 12, event=2))]
        [again] = wanted(*told, stream=stream)
        found = w.answered(again.about, {"id": 12, "version": 1}, stream=stream)[0]
        assert wanted(*told, found, w.delivered(w.webhook(name, 12, event=3)), stream=stream) == []

    def test_of_what_is_not_known_nothing_is_asked(self) -> None:
        event = w.delivered(w.webhook("ManualTask", 12))
        assert wanted(event, stream=event.stream) == []


OWNED = {"id": 12, "version": 1, "subscription": {"id": SUBSCRIPTION}}
BILLED = {"id": 12, "version": 1}
LINKED = {**BILLED, "linkedTransaction": TRANSACTION}


class TestAnswerStreams:
    @pytest.mark.parametrize(
        ("name", "about", "page", "owner"),
        [
            ("SubscriptionCharge", "subscriptions/charges/12", OWNED, IN),
            ("SubscriptionVersion", "subscriptions/versions/12", OWNED, IN),
            ("SubscriptionSuspension", "subscriptions/suspensions/12", OWNED, IN),
            (
                "SubscriptionPeriodBill",
                "subscriptions/period-bills/12?expand=subscriptionVersion",
                BILLED | {"subscriptionVersion": {"id": 3, "subscription": {"id": SUBSCRIPTION}}},
                IN,
            ),
            (
                "SubscriptionPeriodBill",
                "subscriptions/period-bills/12?expand=subscriptionVersion",
                BILLED | {"subscriptionVersion": {"id": 3}},
                "pay/version/3",
            ),
            ("Refund", "payment/refunds/12", BILLED | {"transaction": {"id": TRANSACTION}}, IN_TRANSACTION),
            ("ChargeFlowLevel", "payment/charge-flow-levels/12", LINKED, IN_TRANSACTION),
        ],
    )
    def test_what_is_of_something_else_leads_there(self, name: str, about: str, page: Json, owner: Stream) -> None:
        own = w.delivered(w.webhook(name, 12)).stream
        [want] = wanted(w.delivered(w.webhook(name, 12)), stream=own)
        assert stripped(want.about) == about
        events = w.answered(want.about, page, stream=own)
        assert [event.stream for event in events] == [own, owner]
        # Relayed, the one is a copy of the other.
        assert len({(event.event_id, event.type) for event in events}) == 1
        links = [fact for fact in PROVIDER.translate(events[1]) if isinstance(fact, f.StreamsLinked)]
        assert links == [f.StreamsLinked(streams=(own.removeprefix("pay/"),))]
        assert not [fact for fact in PROVIDER.translate(events[0]) if isinstance(fact, f.StreamsLinked)]

    def test_a_transaction_leads_to_the_subscription_that_its_charge_is_of(self) -> None:
        page = {"transaction": w.transaction(), "charges": [OWNED]}
        own, theirs = w.answered(f"payment/transactions/{TRANSACTION}#1", page, stream=IN_TRANSACTION)
        assert (own.stream, theirs.stream) == (IN_TRANSACTION, IN)
        assert f.StreamsLinked(streams=(f"transaction/{TRANSACTION}",)) in PROVIDER.translate(theirs)

    @pytest.mark.parametrize("page", [[], "x", {"subscription": 5}, {"id": 1, "subscription": {"id": "x"}}])
    def test_an_answer_of_another_form_stays_with_who_asked_and_stops_there(self, page: Any) -> None:
        [event] = w.answered("subscriptions/charges/12#1", page, stream=stream_of(SOURCE, "charge", "12"))
        if page != {"id": 1, "subscription": {"id": "x"}}:
            with pytest.raises(Untranslatable, match=r"readback\.charge"):
                PROVIDER.translate(event)

    def test_an_answer_about_another_subscription_says_nothing_here(self) -> None:
        [event] = w.answered("subscriptions/1#1", w.whole(), stream=stream_of(SOURCE, "subscription", "1"))
        assert PROVIDER.translate(event) == [f.AnswerRead(about="subscriptions/1#1")]


class TestTies:
    def test_webhooks_come_before_answers_older_answers_before_newer_and_time_last(self) -> None:
        webhook = w.delivered(w.webhook(timestamp="2026-03-01T00:00:00+0000"))
        newer, older = w.read(w.whole(w.subscription(version=9))), w.read(w.whole(w.subscription(version=2)))
        timer = msgspec.structs.replace(webhook, event_id="a", origin="timer", type="tenure.grace_ended")
        ordered = [webhook, older, newer, timer]
        assert PROVIDER.settle(ordered[::-1]) == ordered

    def test_one_that_cannot_be_read_is_settled_too(self) -> None:
        [broken] = w.answered("subscriptions/7001#x", {"subscription": 5})
        good = w.read(w.whole())
        assert PROVIDER.settle([good, broken]) == [broken, good]
