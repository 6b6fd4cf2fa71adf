"""What becomes of the attributes: seats by quantity, features, users, notes, and what works before it is paid."""

from datetime import timedelta

import pytest

from domain import facts as f
from domain.licensing import License, User
from domain.lifecycle import State
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MARCH,
    MID_JANUARY,
    PAID_FEBRUARY,
    PURCHASE,
    STREAM,
    TERMS,
    Story,
    activated,
    because,
    bought,
    described,
    given,
    happened,
    line,
    paid,
    paying,
    period,
    utc,
)

ADA, BOB = f.NamedUser(email="ada@example.com", name="Ada"), f.NamedUser(email="bob@example.com")
BUYER = f.CustomerDescribed(email="cleo@example.com", name="Cleo")


def attributed(quantity: int = 1, /, **attributes: str) -> f.LinesDescribed:
    return described(line(quantity=quantity, attributes={"short_code": "APP", **attributes}))


def of(quantity: int = 1, /, **attributes: str) -> License:
    """The only license of a line with these attributes."""
    story = given(happened(JANUARY, attributed(quantity, **attributes), activated(), named="sold"))
    assert story.entitlement.problems == ()
    return story.license()


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
    granted = of(**attributes)
    assert {field: getattr(granted, field) for field in fields} == fields


def test_a_field_names_the_attributes_that_set_it_and_the_event_that_told_them() -> None:
    granted = of(max_activations="5", maintenance_duration="1y")
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
    assert of(valid_duration="30d").valid_duration is None


def test_added_days_move_the_end_of_what_is_paid_and_nothing_else() -> None:
    granted = paying(attributed(added_days="3")).license()
    assert granted.expiry == FEBRUARY + timedelta(days=3)
    assert because(granted, "expiry") == ("paid through by invoice in_1, and added_days 3", "paid-january")
    unpaid = described(line(start=JANUARY, end=FEBRUARY, attributes={"short_code": "APP", "added_days": "3"}))
    told = f.SubscriptionBegan()
    assert given(happened(JANUARY, told, unpaid, activated())).license().expiry == JANUARY
    assert given(happened(JANUARY, told, unpaid, f.TrialStarted(until=MARCH))).license().expiry == MARCH


# --- quantities ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "attributes", "seats"),
    [
        (4, {}, (4, None, None)),
        (4, {"max_activations": "3"}, (12, None, None)),
        (4, {"max_license_users": "2"}, (4, 8, None)),
        (4, {"max_license_users": "0"}, (4, 0, None)),
        (4, {"floating_cloud": "2"}, (4, None, 2)),
        (4, {"floating_cloud": "1", "floating_users_from_quantity": "true"}, (4, None, 4)),
        (4, {"floating_users_from_quantity": "true"}, (4, None, 4)),
        (4, {"floating_cloud": "2", "floating_users_from_quantity": "true"}, (8, None, 8)),
        (4, {"floating_cloud": "2", "max_activations": "5", "floating_users_from_quantity": "yes"}, (20, None, 8)),
        (1, {"floating_cloud": "0", "floating_users_from_quantity": "true"}, (1, None, 1)),
    ],
)
def test_a_single_license_allows_what_all_its_units_would(
    quantity: int, attributes: dict[str, str], seats: tuple[int | None, ...]
) -> None:
    granted = of(quantity, single_license="true", **attributes)
    assert (granted.max_activations, granted.max_license_users, granted.floating_users) == seats
    assert granted.unit == 1


def test_a_single_license_says_that_the_quantity_made_its_number() -> None:
    assert because(of(3, is_single_license="true", max_activations="2"), "max_activations") == (
        "attributes is_single_license, max_activations, for all 3 units together",
        "sold",
    )


def test_a_single_license_keeps_its_key_whatever_the_quantity_and_ends_with_none() -> None:
    story = paying(attributed(3, single_license="true")).when(
        happened(LATE_JANUARY, attributed(5, single_license="true"), named="raised")
    )
    assert [(each.unit, each.max_activations) for each in story.licenses] == [(1, 5)]
    assert story.license().id == paying().license().id
    none = story.when(happened(FEBRUARY, attributed(0, single_license="true")))
    assert [(each.enabled, each.max_activations) for each in none.licenses] == [(False, 5)]


def test_units_that_become_a_single_license_are_disabled_but_the_first() -> None:
    story = paying(attributed(3)).when(happened(LATE_JANUARY, attributed(3, single_license="true")))
    assert [(each.unit, each.enabled, each.max_activations) for each in story.licenses] == [
        (1, True, 3),
        (2, False, None),
        (3, False, None),
    ]


def test_a_single_license_of_a_quantity_beyond_all_reason_is_bounded_too() -> None:
    story = paying(attributed(3_000_000_000, single_license="true", max_activations="3"))
    assert story.license().max_activations == 2**31 - 1
    assert len(story.entitlement.problems) == 2


def test_a_single_license_is_one_license_and_allows_what_more_units_than_there_could_be_licenses_do() -> None:
    story = paying(attributed(20_000, single_license="true", max_activations="3"))
    assert (story.license().max_activations, story.entitlement.problems) == (60_000, ())


def test_a_single_license_allows_no_more_than_license_servers_count_and_says_so() -> None:
    most = 2**31 - 1
    story = paying(attributed(3, single_license="true", max_activations="999999999", max_license_users="800000000"))
    assert (story.license().max_activations, story.license().max_license_users) == (most, most)
    assert story.entitlement.problems == (
        (
            "line si_1: max_activations 2999999997 and max_license_users 2400000000 for 3 units is more than a license "
            "holds; allowed: at most 2147483647; so many are licensed"
        ),
    )
    assert paying(attributed(2, single_license="true", max_activations="999999999")).entitlement.problems == ()


# --- add-ons ------------------------------------------------------------------------------------------------

SYNC = line("si_2", price="price_sync", product="prod_sync", attributes={"feature_code": "SYNC"})


def features(story: Story) -> dict[tuple[str, int], tuple[str, ...]]:
    return {(each.line, each.unit): each.features for each in story.licenses}


def test_an_add_on_is_a_feature_of_every_license_beside_it_and_no_license_itself() -> None:
    cloud = line("si_3", price="price_cloud", product="prod_cloud", attributes={"feature_code": "CLOUD"})
    story = paying(described(line(quantity=2), SYNC, cloud))
    assert features(story) == {("si_1", 1): ("CLOUD", "SYNC"), ("si_1", 2): ("CLOUD", "SYNC")}


@pytest.mark.parametrize(
    "gone",
    [
        described(line()),
        described(
            line(), line("si_2", 0, price="price_sync", product="prod_sync", attributes={"feature_code": "SYNC"})
        ),
    ],
    ids=["removed", "lowered to nothing"],
)
def test_an_add_on_that_is_gone_is_a_feature_no_longer(gone: f.LinesDescribed) -> None:
    assert features(paying(described(line(), SYNC)).when(happened(LATE_JANUARY, gone))) == {("si_1", 1): ()}


def test_a_feature_of_a_price_follows_upgrades_and_downgrades_on_the_same_key() -> None:
    pro = described(line(price="price_pro", attributes={**TERMS, "feature_code": "PRO"}), line("si_2"))
    upgraded = paying(pro)
    assert features(upgraded) == {("si_1", 1): ("PRO",), ("si_2", 1): ()}
    assert upgraded.licenses[0].id == paying().license().id
    assert features(upgraded.when(happened(FEBRUARY, described(line())))) == {("si_1", 1): (), ("si_2", 1): ()}


def test_an_add_on_that_cannot_be_understood_any_more_stays_as_it_was() -> None:
    for slip in ({"feature_code": ""}, {}):
        wrong = described(line(), line("si_2", price="price_sync", product="prod_sync", attributes=slip))
        story = paying(described(line(), SYNC)).when(happened(LATE_JANUARY, wrong))
        assert features(story) == {("si_1", 1): ("SYNC",)}
        assert len(story.entitlement.problems) == 1


def test_a_product_that_is_to_be_ignored_has_no_license_and_no_warning() -> None:
    ignored = attributed(ignore_product_in_licensespring="true", colour="red")
    story = given(happened(JANUARY, ignored, activated()))
    assert (story.licenses, story.entitlement.warnings, story.entitlement.problems) == ((), (), ())
    later = paying(described(line(attributes={**TERMS, "ignore_product_in_licensespring": "true"})))
    assert [each.enabled for each in later.licenses] == [False]
    assert later.entitlement.problems == ()


# --- lines whose payload names the price alone --------------------------------------------------------------

BARE = line(attributes={}, described=False)


def test_a_line_that_is_not_described_waits_without_a_problem() -> None:
    story = given(happened(JANUARY, described(BARE), activated()))
    assert (story.licenses, story.entitlement.problems) == ((), ())
    read = story.when(
        happened(MID_JANUARY, f.PriceDescribed(price="price_app", product="prod_app", attributes=TERMS), named="read")
    )
    assert [(each.product_code, each.enabled) for each in read.licenses] == [("APP", True)]
    assert because(read.license(), "product_code") == ("attribute product_short_code", "read")


def test_a_payload_that_says_less_than_the_one_before_takes_nothing_away() -> None:
    more = line(quantity=3, attributes={}, described=False)
    story = paying(described(more))
    assert [(each.unit, each.enabled) for each in story.licenses] == [(1, True), (2, True), (3, True)]
    assert story.subscription.lines["si_1"].line.attributes == TERMS


def test_a_change_to_a_price_that_is_not_described_keeps_what_there_is_until_it_is() -> None:
    bare = described(line(price="price_pro", product="prod_pro", attributes={}, described=False))
    story = paying(bare)
    assert [(each.product_code, each.enabled) for each in story.licenses] == [("APP", True)]
    pro = f.PriceDescribed(price="price_pro", product="prod_pro", attributes={"short_code": "PRO"})
    read = story.when(happened(LATE_JANUARY, pro))
    assert [(each.product_code, each.enabled) for each in read.licenses] == [("APP", False), ("PRO", True)]


def test_a_price_is_what_it_was_when_it_was_first_read() -> None:
    read = f.PriceDescribed(price="price_app", product="prod_app", attributes=TERMS)
    again = f.PriceDescribed(price="price_app", product="prod_app", attributes={"short_code": "OTHER"})
    story = given(happened(JANUARY, described(BARE), activated(), read), happened(FEBRUARY, again, described(BARE)))
    assert story.license().product_code == "APP"


# --- who uses it --------------------------------------------------------------------------------------------


def users(*facts: f.Fact, **attributes: str) -> tuple[User, ...]:
    return paying(attributed(**attributes), *facts).license().users


def test_the_customer_uses_it_where_nobody_is_named_and_an_address_is_known() -> None:
    assert users() == ()
    assert users(f.CustomerDescribed(name="Cleo")) == ()
    assert users(BUYER) == (User("cleo@example.com", "Cleo"),)
    assert users(BUYER, is_license_manager="true") == (User("cleo@example.com", "Cleo", manager=True),)


def test_those_whom_the_order_names_use_it_instead() -> None:
    named = f.UsersNamed(users=(ADA, BOB))
    assert users(BUYER, named) == (User("ada@example.com", "Ada"), User("bob@example.com"))
    assert users(BUYER, named, is_license_manager="true") == users(BUYER, named)


def test_the_customer_may_be_one_of_them() -> None:
    named = f.UsersNamed(users=(ADA, f.NamedUser(email="Cleo@Example.com")))
    assert users(BUYER, named, is_license_manager="true") == (
        User("ada@example.com", "Ada"),
        User("cleo@example.com", "Cleo", manager=True),
    )
    assert users(BUYER, f.UsersNamed(users=(ADA,)), assign_customer_as_user="true") == (
        User("ada@example.com", "Ada"),
        User("cleo@example.com", "Cleo"),
    )


def test_an_address_that_is_named_twice_is_one_user() -> None:
    twice = f.UsersNamed(users=(ADA, f.NamedUser(email="ADA@example.com", name="A.")))
    assert [user.email.casefold() for user in users(twice)] == ["ada@example.com"]


def test_the_last_list_of_users_counts() -> None:
    story = paying(f.UsersNamed(users=(ADA,))).when(
        happened(LATE_JANUARY, f.UsersNamed(users=(BOB,)), named="named"),
        happened(FEBRUARY, f.UsersNamed(users=(BOB,)), named="again"),
    )
    assert story.license().users == (User("bob@example.com"),)
    assert because(story.license(), "users") == ("those whom the order names", "named")


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


# --- before it is paid --------------------------------------------------------------------------------------


def test_a_license_may_work_for_a_time_before_the_first_payment() -> None:
    story = given(happened(JANUARY, attributed(unpaid_active_license_period="7d"), f.SubscriptionOpened(), named="new"))
    granted = story.license()
    assert (granted.enabled, granted.trial) == (True, False)
    assert (granted.expiry, granted.margin_hours) == (JANUARY + timedelta(days=7), 0)
    assert because(granted, "enabled") == ("unpaid_active_license_period: works while the payment is open", "new")
    again = story.when(happened(MID_JANUARY, f.SubscriptionOpened()))
    assert again.license().expiry == granted.expiry


def test_it_counts_from_the_first_event_that_said_so_in_whatever_order_they_came() -> None:
    early = happened(JANUARY, attributed(unpaid_active_license_period="7d"), f.SubscriptionOpened())
    late = happened(MID_JANUARY, f.SubscriptionOpened(), named="late")
    assert given(late, early).license() == given(early, late).license()


def test_the_payment_makes_it_a_license_like_any_other_and_its_failure_ends_it() -> None:
    attributes = {"short_code": "APP", "unpaid_active_license_period": "1w"}
    once = line(recurring=False, attributes=attributes)
    story = given(happened(JANUARY, *bought(once, is_paid=False), stream=PURCHASE))
    granted = story.license()
    assert (granted.license_type, granted.enabled, granted.trial, granted.expiry) == (
        "perpetual",
        True,
        True,
        JANUARY + timedelta(days=7),
    )
    done = story.when(happened(FEBRUARY, f.PurchaseCompleted(paid=True), stream=PURCHASE)).license()
    assert (done.id, done.enabled, done.trial, done.expiry) == (granted.id, True, False, None)
    failed = story.when(happened(FEBRUARY, f.PurchaseFailed(), stream=PURCHASE))
    assert (failed.subscription.state, failed.license().enabled) == (State.TERMINATED, False)


def test_what_worked_before_it_was_paid_and_was_swapped_is_named_to_be_disabled() -> None:
    attributes = {"short_code": "PRO", "unpaid_active_license_period": "7d"}
    story = given(happened(JANUARY, attributed(unpaid_active_license_period="7d"), f.SubscriptionOpened()))
    swapped = story.when(happened(MID_JANUARY, described(line(price="price_pro", attributes=attributes))))
    assert {each.product_code: each.enabled for each in swapped.licenses} == {"APP": False, "PRO": True}


def test_without_the_attribute_nothing_works_before_it_is_paid() -> None:
    assert given(happened(JANUARY, attributed(), f.SubscriptionOpened())).licenses == ()
    lines_alone = attributed(unpaid_active_license_period="7d")
    assert given(happened(JANUARY, lines_alone, stream=STREAM)).licenses == ()
