"""Before Tenure ends a license by itself the provider is asked, and what was heard since is no reason to ask."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from domain.events import stream_of
from domain.lifecycle import State
from domain.providers import open_wants
from domain.providers.table import PROVIDERS
from domain.subscription import EventRef, Subscription
from tests.stories import FEBRUARY, JANUARY, MARCH, activated, described, given, happened, line, paid, period

OVER = datetime(2026, 2, 3, tzinfo=UTC)
NAMED = "20260203T000000"

ASKED = {
    "stripe": [f"subscriptions/sub_1#unheard={NAMED}", f"invoices?subscription=sub_1&status=paid#unheard={NAMED}"],
    "fastspring": [f"subscriptions/sub_1#unheard={NAMED}"],
    "wallee": [f"subscriptions/7#a1b2-{NAMED}"],
}


def standing(end: datetime = FEBRUARY) -> Subscription:
    sold = line(start=JANUARY, end=FEBRUARY)
    story = given(happened(JANUARY, described(sold), activated(), paid("in_1", period(JANUARY, end))))
    return replace(story.subscription, announced="a1b2", begun=True, passed=EventRef("t", "tenure.time_passed", OVER))


def asked(provider: str, subscription: Subscription) -> list[str]:
    stream = stream_of("acme", "subscription", "7" if provider == "wallee" else "sub_1")
    return [want.about for want in open_wants(PROVIDERS[provider], stream, subscription)]


@pytest.mark.parametrize("provider", ASKED)
def test_how_it_stands_is_asked_once_time_is_over_and_nothing_was_heard(provider: str) -> None:
    usual = asked(provider, replace(standing(), passed=None))
    assert [about for about in asked(provider, standing()) if about not in usual] == ASKED[provider]


@pytest.mark.parametrize("provider", ASKED)
def test_what_was_answered_is_asked_again_only_when_more_time_is_over(provider: str) -> None:
    usual = asked(provider, replace(standing(), passed=None))
    known = replace(standing(), answered=[*ASKED[provider], *usual])
    assert asked(provider, known) == []
    later = replace(known, passed=EventRef("t2", "tenure.time_passed", MARCH))
    assert [about.replace("20260301", "20260203") for about in asked(provider, later)] == ASKED[provider]


@pytest.mark.parametrize("provider", ASKED)
@pytest.mark.parametrize("state", [State.TERMINATED, State.SUSPENDED])
def test_what_does_not_work_anyway_is_not_asked_about(provider: str, state: State) -> None:
    still = replace(standing(), state=state)
    assert asked(provider, still) == asked(provider, replace(still, passed=None))


@pytest.mark.parametrize("provider", ASKED)
def test_a_renewal_that_was_heard_of_answers_it(provider: str) -> None:
    assert asked(provider, standing(MARCH)) == asked(provider, replace(standing(MARCH), passed=None))
