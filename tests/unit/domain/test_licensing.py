"""Which licenses there are: identity, lines and units, and attributes that cannot be used."""

from datetime import timedelta

import msgspec

from domain import facts as f
from domain.events import partition_of
from domain.licensing import MOST_UNITS, License, license_id
from domain.subscription import Customer
from domain.terms import Terms
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MID_JANUARY,
    PAID_FEBRUARY,
    PURCHASE,
    STREAM,
    TERMS,
    Story,
    activated,
    because,
    described,
    given,
    happened,
    line,
    paying,
)

PRO = {"product_short_code": "PRO"}


def units(story: Story) -> dict[tuple[str, str, int], bool]:
    """Line, product and unit of every license, and whether it is enabled."""
    return {(each.line, each.product_code, each.unit): each.enabled for each in story.licenses}


# --- identity -----------------------------------------------------------------------------------------------


def test_a_license_is_identified_by_stream_line_unit_product_and_type() -> None:
    terms = Terms(product_code="APP", license_type="subscription")
    other_product = msgspec.structs.replace(terms, product_code="PRO")
    other_type = msgspec.structs.replace(terms, license_type="consumption")
    ids = {
        license_id(STREAM, "si_1", 1, terms),
        license_id(PURCHASE, "si_1", 1, terms),
        license_id(STREAM, "si_2", 1, terms),
        license_id(STREAM, "si_1", 2, terms),
        license_id(STREAM, "si_1", 1, other_product),
        license_id(STREAM, "si_1", 1, other_type),
    }
    assert len(ids) == 6


def test_terms_that_a_license_server_can_change_are_no_part_of_the_identity() -> None:
    few = Terms(product_code="APP", license_type="subscription", max_activations=1, valid_duration="1y")
    many = Terms(product_code="APP", license_type="subscription", max_activations=9)
    assert license_id(STREAM, "si_1", 1, few) == license_id(STREAM, "si_1", 1, many)


def test_an_id_never_changes_between_versions() -> None:
    terms = Terms(product_code="APP", license_type="subscription")
    assert license_id(STREAM, "si_1", 1, terms) == "lic_620ceefc79e2db66b012"


def test_an_id_names_its_partition() -> None:
    assert int(paying().license().id[4:6], 16) == partition_of(STREAM)


def test_a_renewal_a_pause_and_a_recovery_keep_the_license() -> None:
    story = paying()
    before = story.license().id
    for index, fact in enumerate((f.PaymentFellOverdue(), f.SubscriptionSuspended(reason="unpaid"), activated())):
        story = story.when(happened(FEBRUARY + timedelta(days=index), fact))
        assert story.license().id == before
    assert story.when(PAID_FEBRUARY).license().id == before


def test_fields_are_those_of_line_terms_and_customer() -> None:
    granted = paying(f.CustomerDescribed(email="a@example.com"), described(line(attributes=TERMS))).license()
    assert granted.stream == STREAM
    assert (granted.subscription, granted.line, granted.unit) == ("sub_1", "si_1", 1)
    assert (granted.product_code, granted.license_type, granted.max_activations) == ("APP", "subscription", 3)
    assert granted.customer == Customer(email="a@example.com")


def test_every_field_that_can_change_says_why() -> None:
    identity = {"id", "stream", "subscription", "line", "unit", "because"}
    assert set(paying().license().because) == set(License.__struct_fields__) - identity


# --- lines and units ----------------------------------------------------------------------------------------


def test_a_pending_subscription_has_no_licenses() -> None:
    assert given(happened(JANUARY, described(line()), f.SubscriptionOpened())).licenses == ()


def test_quantity_is_the_number_of_licenses() -> None:
    assert units(paying(described(line(quantity=3)))) == dict.fromkeys([("si_1", "APP", n) for n in (1, 2, 3)], True)


def test_a_lowered_quantity_disables_the_highest_units_and_a_raised_one_enables_them_again() -> None:
    story = paying(described(line(quantity=3))).when(happened(LATE_JANUARY, described(line(quantity=1)), named="low"))
    assert units(story) == {("si_1", "APP", 1): True, ("si_1", "APP", 2): False, ("si_1", "APP", 3): False}
    assert because(story.licenses[2], "enabled") == ("the line was lowered or replaced", "low")
    raised = story.when(happened(FEBRUARY, described(line(quantity=2))))
    assert units(raised) == {("si_1", "APP", 1): True, ("si_1", "APP", 2): True, ("si_1", "APP", 3): False}


def test_units_beyond_the_quantity_keep_the_terms_they_had_last() -> None:
    more = {**TERMS, "max_activations": "9"}
    story = paying(described(line(quantity=2))).when(
        happened(LATE_JANUARY, described(line(quantity=2, attributes=more))),
        happened(FEBRUARY, described(line(quantity=1, attributes=more))),
    )
    assert [(each.unit, each.enabled, each.max_activations) for each in story.licenses] == [(1, True, 9), (2, False, 9)]


def test_a_quantity_of_nothing_disables_all() -> None:
    assert units(paying(described(line(quantity=0)))) == {("si_1", "APP", 1): False}


def test_a_removed_line_is_disabled_and_the_other_is_not() -> None:
    story = paying(described(line("si_1"), line("si_2"))).when(
        happened(LATE_JANUARY, described(line("si_2")), named="removed")
    )
    assert units(story) == {("si_1", "APP", 1): False, ("si_2", "APP", 1): True}
    assert because(story.licenses[0], "enabled") == ("the line was removed", "removed")


def test_another_product_makes_another_license_and_disables_the_old_one_and_going_back_swaps_them() -> None:
    upgraded = paying(described(line(price="price_pro", attributes=PRO)))
    assert units(upgraded) == {("si_1", "APP", 1): False, ("si_1", "PRO", 1): True}
    back = upgraded.when(happened(LATE_JANUARY, described(line())))
    assert units(back) == {("si_1", "APP", 1): True, ("si_1", "PRO", 1): False}
    assert {each.id for each in upgraded.licenses} == {each.id for each in back.licenses}


def test_units_that_were_sold_before_an_upgrade_are_still_named_after_going_back_to_fewer() -> None:
    story = paying(described(line(quantity=2))).when(
        happened(LATE_JANUARY, described(line(price="price_pro", attributes=PRO))),
        happened(FEBRUARY, described(line(quantity=1))),
    )
    assert units(story) == {("si_1", "APP", 1): True, ("si_1", "APP", 2): False, ("si_1", "PRO", 1): False}


def test_a_new_price_of_the_same_product_keeps_the_license() -> None:
    assert units(paying(described(line(price="price_2026")))) == {("si_1", "APP", 1): True}


def test_a_line_that_becomes_another_type_makes_another_license_and_disables_the_old_one() -> None:
    story = paying(described(line(recurring=False)))
    assert {each.license_type: each.enabled for each in story.licenses} == {"perpetual": True, "subscription": False}


def test_a_quantity_beyond_all_reason_is_bounded_and_told_as_a_problem() -> None:
    story = paying(described(line(quantity=2_000_000_000)))
    assert len(story.licenses) == MOST_UNITS
    assert story.entitlement.problems == (
        "line si_1: quantity 2000000000 is more than Tenure licenses for one line; the first 10000 units are licensed",
    )


def test_a_quantity_at_the_bound_is_licensed_whole() -> None:
    story = paying(described(line(quantity=MOST_UNITS)))
    assert (len(story.licenses), story.entitlement.problems) == (MOST_UNITS, ())


def test_a_line_without_a_product_code_is_not_licensed() -> None:
    story = paying(described(line("si_1"), line("si_2", attributes={"colour": "red"})))
    assert units(story) == {("si_1", "APP", 1): True}
    assert story.entitlement.problems == story.entitlement.warnings == ()


def test_licenses_are_sorted_by_line_product_and_unit_whatever_the_order_of_lines() -> None:
    lines = line("a", 2), line("b"), line("b2", attributes=PRO)
    there = paying(described(*lines)).licenses
    back = paying(described(*reversed(lines))).licenses
    assert [(each.line, each.unit) for each in there] == [(each.line, each.unit) for each in back]
    assert [(each.line, each.unit) for each in there][:3] == [("a", 1), ("a", 2), ("b", 1)]


def test_an_attribute_that_is_not_known_is_a_warning_once() -> None:
    story = paying(described(line("a", attributes={**TERMS, "x": "1"}), line("b", attributes={**TERMS, "x": "1"})))
    assert story.entitlement.warnings == ("attribute 'x' of product prod_app is not known and was ignored",)


# --- attributes that cannot be used -------------------------------------------------------------------------

WRONG = {**TERMS, "max_activations": "many"}
PROBLEM = (
    "line si_1: max_activations of product prod_app is 'many'; allowed: a whole number from 1 to 999999999; "
    "correct it in the store: the next webhook that describes it counts, from some stores also this one sent again"
)


def test_a_wrong_attribute_is_a_problem_and_the_other_lines_are_licensed() -> None:
    story = given(happened(JANUARY, described(line("si_1", attributes=WRONG), line("si_2")), activated()))
    assert units(story) == {("si_2", "APP", 1): True}
    assert story.entitlement.problems == (PROBLEM,)


def test_a_wrong_attribute_that_was_mended_is_a_problem_no_longer() -> None:
    wrong = happened(JANUARY, described(line(attributes=WRONG)), activated())
    story = given(wrong, happened(MID_JANUARY, described(line())))
    assert units(story) == {("si_1", "APP", 1): True}
    assert story.entitlement.problems == ()


def test_a_vendors_slip_locks_nobody_out() -> None:
    story = paying(described(line(quantity=2, attributes=WRONG)))
    assert story.entitlement.problems == (PROBLEM,)
    assert units(story) == {("si_1", "APP", 1): True, ("si_1", "APP", 2): True}
    assert story.licenses[0].max_activations == 3


def test_a_vendors_slip_in_an_upgrade_keeps_what_was_understood_last() -> None:
    story = paying(described(line(attributes={**PRO, "max_activations": "many"})))
    assert units(story) == {("si_1", "APP", 1): True}


def test_a_vendors_slip_keeps_the_product_that_was_sold_last_and_not_the_one_seen_last() -> None:
    story = paying(described(line(price="price_pro", attributes=PRO))).when(
        happened(LATE_JANUARY, described(line())), happened(FEBRUARY, described(line(attributes=WRONG)))
    )
    assert units(story) == {("si_1", "APP", 1): True, ("si_1", "PRO", 1): False}


def test_a_code_that_is_misspelled_makes_no_license_and_is_a_problem_until_it_is_mended() -> None:
    slip = line("si_1", attributes={"product_short_cod": "APP"})
    story = given(happened(JANUARY, described(slip, line("si_2")), activated()))
    assert units(story) == {("si_2", "APP", 1): True}
    (problem,) = story.entitlement.problems
    assert problem.startswith(
        "line si_1: short_code, product_short_code or feature_code of product prod_app is missing"
    )
    assert "was product_short_code meant by product_short_cod?" in problem
    mended = story.when(happened(MID_JANUARY, described(line("si_1"), line("si_2"))))
    assert units(mended) == {("si_1", "APP", 1): True, ("si_2", "APP", 1): True}
    assert mended.entitlement.problems == ()


def test_a_change_to_a_price_whose_code_is_misspelled_keeps_what_was_understood_last() -> None:
    slip = line(price="price_pro", product="prod_pro", attributes={"shortcode": "PRO", "max_activations": "9"})
    story = paying(described(slip))
    assert units(story) == {("si_1", "APP", 1): True}
    assert len(story.entitlement.problems) == 1


def test_what_is_wrong_hides_no_warning() -> None:
    story = paying(described(line(attributes={**WRONG, "colour": "red"})))
    assert story.entitlement.warnings == ("attribute 'colour' of product prod_app is not known and was ignored",)


def test_a_vendors_slip_does_not_revive_a_terminated_subscription() -> None:
    story = paying(described(line(attributes=WRONG)), f.SubscriptionTerminated())
    assert units(story) == {("si_1", "APP", 1): False}


def test_a_price_that_lost_its_product_code_locks_nobody_out_and_is_listed() -> None:
    slip = described(line(attributes={"shortcode": "APP"}))
    story = paying(slip)
    assert [each.enabled for each in story.licenses] == [True]
    (problem,) = story.entitlement.problems
    assert "lost its product code 'APP'" in problem
    assert "was short_code meant by shortcode?" in problem
    another = described(line(attributes={}, price="price_support", product="prod_support"))
    assert [each.enabled for each in paying(another).licenses] == [False]
