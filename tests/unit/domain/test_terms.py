"""License terms from the attributes in the provider's catalog: one row per rule, errors with their whole text."""

import pytest

from domain.terms import ATTRIBUTES, Terms, TermsError, read_terms


@pytest.mark.parametrize(
    ("attributes", "recurring", "terms"),
    [
        ({"short_code": "APP"}, True, Terms(product_code="APP", license_type="subscription")),
        ({"short_code": "APP"}, False, Terms(product_code="APP", license_type="perpetual")),
        ({"product_short_code": "APP"}, True, Terms(product_code="APP", license_type="subscription")),
        ({"short_code": "  APP "}, True, Terms(product_code="APP", license_type="subscription")),
        (
            {"short_code": "APP", "license_type": "consumption"},
            True,
            Terms(product_code="APP", license_type="consumption"),
        ),
        (
            {"short_code": "APP", "license_type": "time-limited", "valid_duration": "30d"},
            False,
            Terms(product_code="APP", license_type="time-limited", valid_duration="30d"),
        ),
        (
            {"short_code": "APP", "max_activations": "5", "valid_duration": "1y"},
            True,
            Terms(product_code="APP", license_type="subscription", max_activations=5, valid_duration="1y"),
        ),
        ({}, True, None),
        ({"max_activations": "5"}, True, None),
    ],
)
def test_attributes_are_read_as(attributes: dict[str, str], recurring: bool, terms: Terms | None) -> None:
    assert read_terms(attributes, product="prod_1", recurring=recurring).terms == terms


_TYPES = "perpetual, time-limited, subscription, consumption"
_RECURRING = "allowed for a recurring price: subscription or consumption"
_CODE = "a product code of 1 to 100 characters"
_DURATION = "a number and one of d, w, m, y, such as 30d or 1y"


@pytest.mark.parametrize(
    ("attributes", "recurring", "text"),
    [
        ({"short_code": " "}, True, f"short_code of product prod_1 is ' '; allowed: {_CODE}"),
        ({"product_short_code": ""}, True, f"product_short_code of product prod_1 is ''; allowed: {_CODE}"),
        ({"short_code": "X" * 101}, True, f"short_code of product prod_1 is '{'X' * 80}'; allowed: {_CODE}"),
        ({"license_type": "rental"}, True, f"license_type of product prod_1 is 'rental'; allowed: one of {_TYPES}"),
        ({"max_activations": "0"}, True, "max_activations of product prod_1 is '0'; allowed: a whole number from 1"),
        ({"max_activations": "-1"}, True, "max_activations of product prod_1 is '-1'; allowed: a whole number from 1"),
        ({"max_activations": "²"}, True, "max_activations of product prod_1 is '²'; allowed: a whole number from 1"),
        (
            {"max_activations": "1234567890"},
            True,
            "max_activations of product prod_1 is '1234567890'; allowed: a whole number from 1",
        ),
        ({"valid_duration": "0d"}, True, f"valid_duration of product prod_1 is '0d'; allowed: {_DURATION}"),
        ({"valid_duration": "1y6m"}, True, f"valid_duration of product prod_1 is '1y6m'; allowed: {_DURATION}"),
        ({"valid_duration": "30"}, True, f"valid_duration of product prod_1 is '30'; allowed: {_DURATION}"),
        (
            {"license_type": "perpetual"},
            True,
            f"license_type of product prod_1 is 'perpetual'; {_RECURRING}",
        ),
        (
            {"license_type": "time-limited", "valid_duration": "1y"},
            True,
            f"license_type of product prod_1 is 'time-limited'; {_RECURRING}",
        ),
        (
            {"license_type": "time-limited"},
            False,
            "valid_duration of product prod_1 is missing; a time-limited license needs one",
        ),
    ],
)
def test_attributes_that_are_wrong_are_refused_with(attributes: dict[str, str], recurring: bool, text: str) -> None:
    with pytest.raises(TermsError) as refused:
        read_terms({"short_code": "APP", **attributes}, product="prod_1", recurring=recurring)
    assert str(refused.value) == text


def test_an_attribute_that_is_not_known_is_a_warning_that_names_it() -> None:
    reading = read_terms({"short_code": "APP", "colour": "red"}, product="prod_1", recurring=True)
    assert reading.terms == Terms(product_code="APP", license_type="subscription")
    assert reading.warnings == ("attribute 'colour' of product prod_1 is not known and was ignored",)


def test_attributes_of_a_line_that_is_not_licensed_are_nobodys_business() -> None:
    assert read_terms({"colour": "red"}, product="prod_1", recurring=True).warnings == ()


def test_every_attribute_sets_a_field_of_the_terms() -> None:
    assert {field for field, _ in ATTRIBUTES.values()} == set(Terms.__struct_fields__)
