"""Whatever is damaged in what a provider says, everything that follows from it either is derived or lists the reason.

The bodies are of the real shapes with one part, at any depth, taken out or replaced. Of a stream that stops the reason
is the body's; a fault of Tenure's own is none.
"""

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import Event
from domain.history import refold
from domain.licensing import entitle
from domain.policy import Policy
from domain.providers import Provider, open_wants
from domain.providers.fastspring import PROVIDER as FASTSPRING
from domain.providers.stripe import PROVIDER as STRIPE
from domain.providers.wallee import PROVIDER as WALLEE
from domain.timers import due_timers
from tests.payloads import fastspring as fs
from tests.payloads import stripe
from tests.payloads import wallee as w
from tests.payloads.stripe import Json
from tests.properties import test_fastspring_any_json as of_fastspring
from tests.properties import test_stripe_any_json as of_stripe
from tests.properties import test_wallee_any_json as of_wallee
from tests.properties.test_stripe_any_json import anything

POLICIES = (Policy(), Policy(past_due_days=0, at_expiry="disable"))


def derive(provider: Provider, events: Sequence[Event]) -> None:
    for stream in {event.stream for event in events}:
        own = [event for event in events if event.stream == stream]
        fold = refold([msgspec.structs.replace(event, position=place) for place, event in enumerate(own, 1)], provider)
        assert "fault in Tenure" not in fold.stopped, fold.stopped
        for policy in POLICIES:
            entitle(stream, fold.subscription, policy)
        open_wants(provider, stream, fold.subscription)
        due_timers(stream, fold.subscription, POLICIES)


@settings(max_examples=300, deadline=None)
@given(st.lists(of_stripe.damaged_events(), min_size=1, max_size=3))
def test_damaged_events_of_stripe(payloads: list[Json]) -> None:
    derive(STRIPE, [stripe.stored(payload) for payload in payloads])


@settings(max_examples=300, deadline=None)
@given(st.lists(of_fastspring.damaged_events(), min_size=1, max_size=3))
def test_damaged_events_of_fastspring(payloads: list[Json]) -> None:
    derive(FASTSPRING, fs.stored_bytes(msgspec.json.encode(fs.batch(*payloads)), live=None))


@settings(max_examples=300, deadline=None)
@given(st.lists(of_wallee.damaged_answers(), min_size=1, max_size=3))
def test_damaged_answers_of_wallee(damages: list[tuple[str, Json]]) -> None:
    about = "subscriptions/7001#{}"
    read = [event for number, (_, page) in enumerate(damages) for event in w.answered(about.format(number), page)]
    derive(WALLEE, read)


PLACES = ("givenName", "familyName", "organizationName", "emailAddress")
LISTS = ("versions", "charges", "suspensions", "periodBills", "components", "levels")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), anything, st.lists(st.tuples(st.sampled_from(LISTS), st.integers(0, 2)), max_size=6))
def test_no_name_and_no_hole_keeps_a_license_from_a_customer_of_wallees(
    place: str, value: Json, holes: list[tuple[str, int]]
) -> None:
    person = w.subscriber()
    (person if place == "emailAddress" else person["billingAddress"])[place] = value
    page = {**of_wallee.WHOLE, "subscription": w.subscription(subscriber=person)}
    for name, at in holes:
        page[name] = [*page[name][:at], None, *page[name][at:]]
    fold, sound = w.folded(w.read(page)), w.folded(w.read(of_wallee.WHOLE))
    told, usual = (entitle(w.IN, each.subscription, Policy()).licenses for each in (fold, sound))
    assert [(each.id, each.enabled, each.expiry) for each in told] == [
        (each.id, each.enabled, each.expiry) for each in usual
    ]
