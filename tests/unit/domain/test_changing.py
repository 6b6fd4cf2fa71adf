"""What would change a license goes by how it is now, and suggests no act that would be refused."""

import pytest

from domain import facts as f
from domain.acts import FieldSet, LicenseDisabled, LicenseEnabled, LicenseExtended, Merged
from domain.licensing.changing import would_change
from domain.licensing.license import License
from domain.licensing.objections import objection, possible_acts
from domain.policy import Policy
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_JANUARY,
    STREAM,
    SUBSCRIBED,
    Story,
    acted,
    described,
    given,
    happened,
    line,
    paying,
    refunded,
)

TWO = given(happened(JANUARY, described(line(quantity=2, start=JANUARY, end=FEBRUARY)), f.SubscriptionActivated()))
LOWERED = TWO.when(happened(MID_JANUARY, described(line(quantity=1, start=JANUARY, end=FEBRUARY))))
ENDED = paying().when(happened(LATE_JANUARY, f.SubscriptionTerminated()))
REFUNDED = paying().when(happened(LATE_JANUARY, refunded("pi_1", 1000)))
MERGED = paying().when(acted(MID_JANUARY, Merged(duplicate=STREAM, kept="acme/subscription/sub_2")))
DISABLED = paying().when(acted(MID_JANUARY, LicenseDisabled(license=paying().license().id)))
PAUSED = given(SUBSCRIBED, PAID_JANUARY, happened(LATE_JANUARY, f.SubscriptionSuspended(reason="paused")))


def last(story: Story) -> License:
    return story.licenses[-1]


def changes(story: Story, field: str = "enabled") -> str:
    license_, s = last(story), story.fold.subscription
    policy = story.policy
    possible = possible_acts(license_, s, policy)
    return "\n".join(would_change(field, license_, s, policy.of(license_.product_code), possible))


@pytest.mark.parametrize("story", [paying(), LOWERED, ENDED, REFUNDED, MERGED, DISABLED, PAUSED])
def test_an_act_is_suggested_if_and_only_if_it_would_do_what_it_says(story: Story) -> None:
    name = last(story).id
    enabled = last(story.when(acted(FEBRUARY, LicenseEnabled(license=name)))).enabled
    extended = last(story.when(acted(FEBRUARY, LicenseExtended(license=name, until=MARCH))))
    suggested = changes(story) + changes(story, "expiry")
    assert (f"tenure license enable {name}" in suggested) == (enabled and not last(story).enabled)
    assert (f"tenure license extend {name}" in suggested) == (extended.enabled and extended.expiry == MARCH)


@pytest.mark.parametrize(
    ("story", "told"),
    [
        (LOWERED, "more units"),
        (ENDED, "a reactivation by the provider"),
        (REFUNDED, "policy on_refund"),
        (PAUSED, "the provider resumes"),
    ],
)
def test_what_stopped_is_told_what_brings_it_back_and_not_what_would_stop_it(story: Story, told: str) -> None:
    text = changes(story)
    assert told in text
    for stops in ("it stops", "fewer units", "tenure license disable", "a dispute (policy"):
        assert stops not in text


def test_what_works_is_told_what_stops_it() -> None:
    text = changes(paying())
    for told in ("an end of the subscription", "an overdue payment", "a refund", "a dispute", "fewer units"):
        assert told in text
    assert f"tenure license disable {last(paying()).id}" in text


def test_a_field_is_set_by_hand_only_where_it_means_something_for_the_type() -> None:
    assert f"tenure license set {last(paying()).id} max_activations VALUE" in changes(paying(), "max_activations")
    assert "tenure license set" not in changes(paying(), "max_consumptions")


def test_an_objection_to_an_extension_names_the_act_that_disabled_it() -> None:
    deed = LicenseExtended(license=last(DISABLED).id, until=MARCH)
    told = objection(STREAM, DISABLED.fold.subscription, [Policy()], deed, FEBRUARY)
    assert "was disabled by ada (asked on the phone): undo that first" in told


def test_a_field_that_was_set_by_hand_can_be_set_again() -> None:
    name = last(paying()).id
    story = paying().when(acted(MID_JANUARY, FieldSet(license=name, field="max_activations", value=9)))
    assert f"tenure license set {name} max_activations" in changes(story, "max_activations")
