"""What becomes of the attributes: what is taken over as it is, notes, keys, devices and consumption."""

from datetime import timedelta

import pytest

from domain import facts as f
from tests.stories import (
    FEBRUARY,
    JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_FEBRUARY,
    PURCHASE,
    activated,
    attributed,
    because,
    bought,
    described,
    given,
    happened,
    line,
    paid,
    paying,
    period,
    sold_with,
    utc,
)

# --- what is taken over as it is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "fields"),
    [
        ({"license_policy": "team"}, {"policy_code": "team"}),
        ({"maintenance_duration": "1y"}, {"maintenance": True, "maintenance_duration": "1y"}),
        ({"enable_maintenance_duration": "false"}, {"maintenance": False, "maintenance_duration": None}),
        ({"max_activations": "5"}, {"max_activations": 5, "floating_users": None}),
        ({"floating_cloud": "2"}, {"floating_users": 2, "max_activations": 2}),
        ({"floating_cloud": "0"}, {"floating_users": None}),
        ({"max_license_users": "0"}, {"max_license_users": 0}),
        ({"is_license_manager": "true"}, {"managed_by_customer": True}),
        ({"is_product_bundle": "true"}, {"is_bundle": True}),
        ({"custom_field_Edition": "studio"}, {"custom_fields": {"Edition": "studio"}}),
        ({"license_type": "consumption", "max_consumptions": "9"}, {"max_consumptions": 9}),
        ({"uuid": "4d36e96c-e325-11ce-bfc1-08002be10318"}, {"policy_code": ""}),
    ],
    ids=lambda each: next(iter(each)),
)
def test_an_attribute_ends_in_fields_of_the_license(attributes: dict[str, str], fields: dict[str, object]) -> None:
    granted = sold_with(**attributes)
    assert {field: getattr(granted, field) for field in fields} == fields


def test_a_field_names_the_attributes_that_set_it_and_the_event_that_told_them() -> None:
    granted = sold_with(max_activations="5", maintenance_duration="1y")
    assert because(granted, "max_activations") == ("attribute max_activations", "sold")
    assert because(granted, "maintenance") == ("attribute maintenance_duration", "sold")
    assert because(granted, "policy_code") == ("the default: no attribute of the line sets it", "sold")


def test_the_margin_of_an_attribute_goes_before_the_policy() -> None:
    for hours in (0, 5, 100):
        granted = paying(attributed(grace_period=str(hours)), at=utc(2026, 1, 2)).license()
        assert (granted.margin_hours, because(granted, "margin_hours")) == (hours, ("attribute grace_period", "later"))


def test_a_duration_is_for_what_is_bought_once() -> None:
    attributes = {"short_code": "APP", "license_type": "time-limited", "valid_duration": "30d"}
    once = given(happened(JANUARY, *bought(line(recurring=False, attributes=attributes)), stream=PURCHASE)).license()
    assert (once.valid_duration, once.expiry) == ("30d", None)
    assert sold_with(valid_duration="30d").valid_duration is None


def test_added_days_move_the_end_of_what_is_paid_and_nothing_else() -> None:
    granted = paying(attributed(added_days="3")).license()
    assert granted.expiry == FEBRUARY + timedelta(days=3)
    assert because(granted, "expiry") == ("paid through by invoice in_1, and added_days 3", "paid-january")
    unpaid = described(line(start=JANUARY, end=FEBRUARY, attributes={"short_code": "APP", "added_days": "3"}))
    told = f.SubscriptionBegan()
    assert given(happened(JANUARY, told, unpaid, activated())).license().expiry == JANUARY
    assert given(happened(JANUARY, told, unpaid, f.TrialStarted(until=MARCH))).license().expiry == MARCH


# --- notes, keys, devices, consumption ----------------------------------------------------------------------


def test_an_end_that_the_terms_set_is_noted() -> None:
    story = paying(f.FixedEndDescribed(at=utc(2026, 12, 1)))
    assert story.license().note == "Ends on 2026-12-01"
    assert because(story.license(), "note") == ("the end by its terms", "later")
    assert story.when(happened(FEBRUARY, f.FixedEndDescribed(at=None))).license().note == ""


def test_a_license_names_the_request_under_which_its_key_was_generated() -> None:
    story = paying(f.FulfillmentNamed(reference="ACME-1")).when(
        happened(FEBRUARY, f.FulfillmentNamed(reference="ACME-1B"))
    )
    assert story.license().fulfillment == "ACME-1/prod_app"
    assert paying().license().fulfillment == ""


def test_devices_are_freed_at_the_end_where_the_policy_says_so() -> None:
    ended = f.SubscriptionTerminated()
    assert paying(ended, devices_at_end="free").license().free_devices
    assert not paying(ended).license().free_devices
    assert not paying(f.SubscriptionSuspended(reason="unpaid"), devices_at_end="free").license().free_devices
    back = paying(ended, f.SubscriptionReactivated(), devices_at_end="free").license()
    assert (back.enabled, back.free_devices) == (True, False)


def test_consumption_is_counted_by_paid_interval() -> None:
    metered = attributed(license_type="consumption", max_consumptions="100")
    story = given(happened(JANUARY, metered, activated()))
    assert story.license().consumption_period == ""
    first = story.when(happened(JANUARY, paid("in_1", period(JANUARY, FEBRUARY)), named="first"))
    assert first.license().consumption_period == "2026-01-01T00:00:00+00:00"
    assert because(first.license(), "consumption_period") == ("the interval paid by invoice in_1", "first")
    seats = happened(MID_JANUARY, paid("in_1b", period(MID_JANUARY, FEBRUARY, proration=True)))
    assert first.when(seats).license().consumption_period == "2026-01-01T00:00:00+00:00"
    assert first.when(PAID_FEBRUARY).license().consumption_period == "2026-02-01T00:00:00+00:00"
    assert paying().license().consumption_period == ""
