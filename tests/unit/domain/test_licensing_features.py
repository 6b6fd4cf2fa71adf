"""What stands beside a license or is known of its line by and by: add-ons, and prices described later."""

import pytest

from domain import facts as f
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MID_JANUARY,
    TERMS,
    Story,
    activated,
    attributed,
    because,
    described,
    given,
    happened,
    line,
    paying,
)

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
