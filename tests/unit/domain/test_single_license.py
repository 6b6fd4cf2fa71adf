"""One license for all units of a line: what it allows follows the quantity, its key stays."""

import pytest

from tests.stories import FEBRUARY, LATE_JANUARY, attributed, because, happened, paying, sold_with


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
    granted = sold_with(quantity, single_license="true", **attributes)
    assert (granted.max_activations, granted.max_license_users, granted.floating_users) == seats
    assert granted.unit == 1


def test_a_single_license_says_that_the_quantity_made_its_number() -> None:
    assert because(sold_with(3, is_single_license="true", max_activations="2"), "max_activations") == (
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
