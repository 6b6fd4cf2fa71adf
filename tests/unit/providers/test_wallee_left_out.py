"""What cannot be read, and no license depends on, stops no stream of wallee's: it is left out and told."""

from typing import Any

import pytest

from domain import facts as f
from domain.licensing import entitle
from domain.policy import Policy
from domain.providers import Untranslatable
from tests.payloads import wallee as w
from tests.payloads.wallee import FEBRUARY, IN, MARCH, Json

LISTS = ("versions", "charges", "suspensions", "periodBills", "components", "levels")


def told(page: Json) -> tuple[list[f.Fact], list[str]]:
    """What the answer says, but for what could not be read; and the places of that."""
    facts = w.facts_of(page)
    places = [place for fact in facts if isinstance(fact, f.PartsLeftOut) for place in fact.places]
    return [fact for fact in facts if not isinstance(fact, f.PartsLeftOut)], places


def with_address(**more: Any) -> Json:
    subscriber = w.subscriber()
    subscriber["billingAddress"] |= more
    return w.whole(subscription=w.subscription(subscriber=subscriber))


def test_nothing_is_left_out_of_what_can_be_read() -> None:
    assert told(w.whole())[1] == []


@pytest.mark.parametrize("name", ["Ada\0", 7, ["Ada"]])
def test_a_name_that_cannot_be_read_is_one_that_is_missing(name: Any) -> None:
    facts, places = told(with_address(givenName=name))
    assert places == ["subscription.subscriber.billingAddress.givenName"]
    assert facts == told(with_address(givenName=None))[0]


@pytest.mark.parametrize("name", LISTS)
def test_a_hole_in_a_list_is_nothing(name: str) -> None:
    whole = w.whole(periodBills=[w.bill(), w.bill(FEBRUARY, MARCH, 7202)])
    holed = {**whole, name: [None, *whole.get(name, []), None]}
    facts, places = told(holed)
    assert facts == told(whole)[0]
    assert len(places) == 2


def test_what_was_left_out_is_an_anomaly_and_the_licenses_are_there() -> None:
    fold = w.folded(w.read(with_address(familyName="\0")))
    assert (fold.stopped, fold.subscription.anomalies) == ("", 1)
    assert [each.enabled for each in entitle(IN, fold.subscription, Policy()).licenses] == [True, True]


def test_a_date_without_a_time_is_its_first_instant() -> None:
    bill = w.bill()
    dated = {**bill, "periodStartDate": bill["periodStartDate"][:10]}
    assert told(w.whole(periodBills=[dated])) == told(w.whole(periodBills=[bill]))


@pytest.mark.parametrize(
    "broken",
    [
        {"subscription": w.subscription(state="DREAMING")},
        {"periodBills": [{**w.bill(), "periodStartDate": "soon"}]},
        {"periodBills": [{**w.bill(), "periodStartDate": "2026-01-01T00:00:00"}]},
        {"versions": [{"id": None}]},
        {"charges": None},
    ],
)
def test_what_licenses_depend_on_is_never_left_out(broken: Json) -> None:
    with pytest.raises(Untranslatable):
        w.facts_of({**w.whole(), **broken})
