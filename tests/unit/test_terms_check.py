"""What a vendor is told of a price or product before anybody buys it."""

from typing import Any

import pytest

from domain.policy import Policy
from service.terms_check import PAID_THROUGH, Check, check
from service.terms_files import Offer


def checked(attributes: dict[str, str], *, quantity: int = 1, recurring: bool = True, **options: Any) -> Check:
    offer = Offer(name="price_1", provider="stripe", recurring=recurring, attributes=attributes)
    return check(offer, quantity=quantity, **options)


def made(found: Check) -> dict[str, dict[str, Any]]:
    return {each.attribute: each.license for each in found.attributes}


def test_each_attribute_is_told_with_the_field_and_value_it_becomes() -> None:
    found = checked({"short_code": "app", "max_activations": "3", "custom_field_Edition": "studio"})
    assert (found.verdict, found.product_code, found.license_type) == ("ok", "app", "subscription")
    assert made(found) == {
        "short_code": {"product_code": "app"},
        "max_activations": {"max_activations": 3},
        "custom_field_Edition": {"custom_fields": "studio"},
    }
    assert found.warnings == found.errors == ()


def test_units_become_licenses() -> None:
    found = checked({"short_code": "app", "max_activations": "3"}, quantity=2)
    assert (found.quantity, found.licenses, found.follows) == (2, 2, {})


def test_units_of_a_single_license_become_what_it_allows() -> None:
    found = checked({"short_code": "app", "is_single_license": "true"}, quantity=2)
    assert found.licenses == 1
    assert found.follows["max_activations"] == 2


def test_users_of_a_floating_license_follow_the_units() -> None:
    floating = {"is_single_license": "true", "floating_cloud": "1", "floating_users_from_quantity": "true"}
    found = checked({"short_code": "app", **floating}, quantity=5)
    assert found.licenses == 1
    assert found.follows["floating_users"] == 5


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"max_activations": "many"}, ("max_activations", "price_1", "'many'", "a whole number from 1")),
        ({"license_type": "perpetual"}, ("license_type", "price_1", "'perpetual'", "subscription or consumption")),
        ({"floating_cloud": "9", "max_activations": "3"}, ("floating_cloud", "price_1", "'9'", "at most")),
    ],
)
def test_what_is_wrong_names_attribute_product_value_and_what_is_allowed(
    attributes: dict[str, str], named: tuple[str, ...]
) -> None:
    found = checked({"short_code": "app", **attributes})
    assert found.verdict == "wrong"
    assert found.licenses == 0
    assert all(part in " ".join(found.errors) for part in named)


def test_an_offer_without_a_code_is_not_licensed_and_its_attributes_are_missed() -> None:
    assert checked({}) == Check(name="price_1", provider="stripe", recurring=True, verdict="not licensed", quantity=1)
    found = checked({"shortcode": "app", "max_activations": "3"})
    assert (found.verdict, found.licenses) == ("wrong", 0)
    assert found.errors == (
        (
            "short_code, product_short_code or feature_code of price price_1 is missing; nothing is licensed by "
            "max_activations, shortcode alone (was short_code meant by shortcode?)"
        ),
    )
    assert "was short_code meant?" in found.warnings[0]


def test_all_that_is_wrong_is_told_each_by_itself_with_what_is_not_known() -> None:
    wrong = {"ignore_product_in_licensespring": "x", "max_activations": "many", "licence_type": "subscription"}
    found = checked({"short_code": "app", **wrong})
    assert [each.split(maxsplit=1)[0] for each in found.errors] == list(wrong)[:2]
    assert found.warnings == (
        "attribute 'licence_type' of price price_1 is not known and was ignored; was license_type meant?",
    )


@pytest.mark.parametrize(("provider", "kind"), [("stripe", "price"), ("fastspring", "product")])
def test_the_attributes_are_said_to_be_of_what_the_store_keeps_them_with(provider: str, kind: str) -> None:
    wrong = {"short_code": "app", "max_activations": "0", "colour": "red"}
    found = check(Offer(name="pro", provider=provider, recurring=True, attributes=wrong))
    assert f"max_activations of {kind} pro is '0'" in found.errors[0]
    assert f"attribute 'colour' of {kind} pro is not known" in found.warnings[0]
    found = check(Offer(name="pro", provider=provider, recurring=True, attributes={"short_code": "app", "x": ""}))
    assert found.warnings == (f"attribute 'x' of {kind} pro is not known and was ignored",)


def test_an_ignored_offer_is_not_licensed_without_a_warning() -> None:
    found = checked({"short_code": "app", "ignore_product_in_licensespring": "true"})
    assert (found.verdict, found.warnings) == ("not licensed", ())


def test_an_unknown_attribute_is_a_warning_with_what_it_looks_like() -> None:
    found = checked({"short_code": "app", "Max-Activation": "3"})
    assert found.verdict == "ok"
    (warning,) = found.warnings
    assert warning.endswith("is not known and was ignored; was max_activations meant?")


def test_an_add_on_is_told_with_the_feature_it_adds_to_what_is_bought_beside_it() -> None:
    found = checked({"feature_code": "export"})
    assert (found.verdict, found.feature, found.licenses) == ("ok", "export", 0)


def test_dates_and_margins_are_those_of_the_rules_and_the_policy() -> None:
    found = made(checked({"short_code": "app", "added_days": "5", "grace_period": "72"}))
    assert (found["added_days"]["expiry"] - PAID_THROUGH).days == 5
    assert found["grace_period"] == {"margin_hours": 72}


def test_what_works_unpaid_is_told_as_it_is_before_the_payment() -> None:
    unpaid = made(checked({"short_code": "app", "unpaid_active_license_period": "7d"}))["unpaid_active_license_period"]
    assert unpaid["enabled"] is True
    assert f"{unpaid['expiry']:%Y-%m-%d}" == "2026-01-08"


def test_more_units_than_are_licensed_for_one_line_are_wrong() -> None:
    found = checked({"short_code": "app"}, quantity=10_001, targets={"ls": Policy()})
    assert found.verdict == "wrong"
    assert found.errors[0].startswith("quantity 10001 is more")


def test_a_target_that_the_source_does_not_have_is_wrong() -> None:
    targets = {"ls": Policy(), "other": Policy(renewal_margin_hours=1)}
    found = checked({"short_code": "app", "license_target": "elsewhere"}, targets=targets)
    assert found.verdict == "wrong"
    assert found.errors == ("license_target 'elsewhere' is no target of this source: name one of ls, other",)
    assert checked({"short_code": "app", "license_target": "other"}, targets=targets).verdict == "ok"
    assert checked({"short_code": "app", "license_target": "elsewhere"}).verdict == "ok", "no source is known"


def test_a_single_license_that_would_allow_more_than_is_counted_is_wrong() -> None:
    found = checked({"short_code": "app", "is_single_license": "yes", "max_activations": "999999999"}, quantity=3)
    assert found.verdict == "wrong"
    assert found.errors[0].startswith("max_activations 2999999997 for 3 units is more than a license holds")
