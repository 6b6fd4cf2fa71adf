"""Given answers that lag behind, are torn or deny what was there, then they take nothing back and are asked again."""

from typing import Any

import msgspec
import pytest

from domain.history import Fold
from domain.licensing import License, entitle
from domain.lifecycle import State
from domain.policy import Policy
from domain.providers import open_wants
from domain.providers.wallee import PROVIDER
from domain.readback import Want
from service.sources.wallee_api import READING
from tests.payloads import wallee as w
from tests.payloads.wallee import BILL, CHARGE, FEBRUARY, IN, IN_TRANSACTION, MARCH, TRANSACTION, Json

BILLS = [w.bill(FEBRUARY, MARCH, BILL + 1), w.bill(effectivePeriodEndDate=w.date(FEBRUARY))]
ANNOUNCED = w.delivered(w.webhook())
AGAIN = w.delivered(w.webhook(event=2, timestamp="2026-02-01T10:00:00+0000"))
ABOUT = open_wants(PROVIDER, IN, w.folded(ANNOUNCED).subscription)[0].about


def renewal(state: str = "FULFILL", version: int = 5) -> Json:
    return w.charge(number=CHARGE + 1, at=FEBRUARY, paid_by={"state": state, "version": version})


def renewed(*charges: Json, **more: Any) -> Json:
    return w.whole(charges=list(charges), periodBills=BILLS, **more)


def answered(*pages: Json | None, about: str = ABOUT, places: tuple[int, ...] = ()) -> Fold:
    """Asked one after another, in one second where `places` say at which of its microseconds."""
    events = [ANNOUNCED]
    for number, page in enumerate(pages):
        [event] = w.answered(about, *([] if page is None else [page]), asked=MARCH.replace(minute=number))
        if places:
            instant = MARCH.replace(microsecond=places[number])
            event = msgspec.structs.replace(event, occurred_at=MARCH, received_at=instant)
        events.append(event)
    return w.folded(*events)


def licenses(fold: Fold) -> tuple[License, ...]:
    return entitle(IN, fold.subscription, Policy(past_due_days=0)).licenses


def wants(fold: Fold) -> list[Want]:
    return open_wants(PROVIDER, IN, fold.subscription)


def test_that_there_is_no_such_thing_has_to_be_said_several_times() -> None:
    assert READING.sure_after >= 4


class TestDenied:
    def test_a_renewal_that_was_denied_first_is_asked_about_again_and_listed_meanwhile(self) -> None:
        told = [ANNOUNCED, *w.answered(ABOUT, w.whole(), asked=FEBRUARY), AGAIN]
        [want] = wants(w.folded(*told))
        told += w.answered(want.about, asked=FEBRUARY.replace(day=2))
        fold = w.folded(*told)
        [again] = wants(fold)
        assert (again.about, want.essential, again.essential) == (want.about, False, True)
        assert "knows nothing of it" in again.why
        assert {each.expiry for each in licenses(fold)} == {FEBRUARY}
        after = w.folded(*told, *w.answered(want.about, renewed(renewal(), w.charge()), asked=MARCH))
        assert {each.expiry for each in licenses(after)} == {MARCH}
        assert wants(after) == []

    def test_what_was_never_there_is_an_answer(self) -> None:
        assert wants(answered(None)) == []

    def test_a_purchase_that_was_there_is_asked_about_again(self) -> None:
        bought = {"transaction": w.transaction(lineItems=[w.item(product_short_code="falcon")])}
        told = [w.delivered(w.webhook("Transaction", TRANSACTION), stream=IN_TRANSACTION)]
        [want] = open_wants(PROVIDER, IN_TRANSACTION, w.folded(*told).subscription)
        told += w.answered(want.about, bought, stream=IN_TRANSACTION, asked=FEBRUARY)
        told.append(w.delivered(w.webhook("Transaction", TRANSACTION, event=2), stream=IN_TRANSACTION))
        [want] = open_wants(PROVIDER, IN_TRANSACTION, w.folded(*told).subscription)
        fold = w.folded(*told, *w.answered(want.about, stream=IN_TRANSACTION, asked=MARCH))
        [again] = open_wants(PROVIDER, IN_TRANSACTION, fold.subscription)
        assert (again.about, again.essential) == (want.about, True)
        assert fold.subscription.state is State.ACTIVE


class TestOlder:
    @pytest.mark.parametrize(
        "about", [ABOUT, f"subscriptions/{w.SUBSCRIPTION}#aa", f"subscriptions/{w.SUBSCRIPTION}#zz"]
    )
    def test_of_two_in_one_second_the_one_that_was_asked_last_counts(self, about: str) -> None:
        open_, paid = renewed(renewal("COMPLETED", 4), w.charge()), renewed(renewal(), w.charge())
        for pages, places in (((open_, paid), (1, 2)), ((paid, open_), (2, 1)), ((open_, paid), (2, 1))):
            assert {each.expiry for each in licenses(answered(*pages, about=about, places=places))} == {MARCH}

    def test_of_what_shows_the_same_versions_the_one_that_was_asked_last_counts(self) -> None:
        for places in ((1, 2), (2, 1)):
            kept = max(zip(places, ("ACTIVE", "SUSPENDED"), strict=True))[1]
            fold = answered(w.whole(), w.whole(w.subscription("SUSPENDED")), places=places)
            assert fold.subscription.state.value == kept.lower()

    @pytest.mark.parametrize(
        "older",
        [
            {"charges": [renewal("COMPLETED", 4), w.charge()]},
            {"charges": [renewal(), w.charge(paid_by={"version": 3})]},
            {"charges": [renewal(), w.charge(version=1)]},
            {"charges": [w.charge()]},
            {"charges": []},
            {"periodBills": []},
            {"versions": []},
            {"suspensions": []},
        ],
    )
    def test_an_older_or_empty_list_takes_nothing_back_and_is_asked_for_again(self, older: Json) -> None:
        ended = w.suspension("FAILED_CHARGE", "ENDED", effectiveEndDate=w.date(FEBRUARY))
        now = renewed(renewal(), w.charge(), suspensions=[ended])
        asked = f"subscriptions/{w.SUBSCRIPTION}#next"
        [lagging] = w.answered(asked, {**now, **older}, asked=MARCH.replace(hour=5))
        fold = w.folded(ANNOUNCED, *w.answered(ABOUT, now), lagging)
        assert licenses(fold) == licenses(answered(now))
        assert (fold.subscription.doubtful, asked in fold.subscription.answered) == (asked, False)

    def test_a_debt_is_not_paid_by_an_empty_list_of_charges(self) -> None:
        failed = renewed(w.charge("FAILED", CHARGE + 1, FEBRUARY), w.charge())
        assert answered(failed, renewed()).subscription.state is State.PAST_DUE

    def test_a_charge_that_is_listed_twice_is_one(self) -> None:
        once = renewed(renewal(), w.charge())
        fold = answered(renewed(renewal(), w.charge(), w.charge()), once, places=(1, 2))
        assert {each.expiry for each in licenses(fold)} == {MARCH}
        asked = f"subscriptions/{w.SUBSCRIPTION}#next"
        fold = w.folded(
            ANNOUNCED, *w.answered(ABOUT, once | {"charges": once["charges"] * 2}), *w.answered(asked, once)
        )
        assert asked in fold.subscription.answered

    def test_levels_come_and_go(self) -> None:
        asked = renewed(w.charge("PROCESSING", CHARGE + 1, FEBRUARY), w.charge(), levels=[w.level(of=CHARGE + 1001)])
        paid = renewed(w.charge(number=CHARGE + 1, at=FEBRUARY, version=3), w.charge())
        assert {each.expiry for each in licenses(answered(asked, paid))} == {MARCH}

    def test_another_subscriber_of_a_lower_number_is_none_that_is_older(self) -> None:
        other = w.subscriber(id=w.SUBSCRIBER - 1, reference="c-0")
        fold = answered(w.whole(), w.whole(w.subscription(version=4, subscriber=other)))
        assert fold.subscription.customer.reference == "c-0"
