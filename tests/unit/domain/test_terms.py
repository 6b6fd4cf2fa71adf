"""License terms from the attributes in the provider's catalog: one row per rule, errors with their whole text."""

from typing import Any

import pytest

from domain.attributes import attribute_of
from domain.licensing import License
from domain.terms import ATTRIBUTES, CodeMissing, Reading, Terms, TermsError, read_terms


def of(**more: Any) -> Terms:
    return Terms(**{"product_code": "APP", "license_type": "subscription", **more})


@pytest.mark.parametrize(
    ("attributes", "recurring", "terms"),
    [
        ({"short_code": "APP"}, True, of()),
        ({"short_code": "APP"}, False, of(license_type="perpetual")),
        ({"product_short_code": "APP"}, True, of()),
        ({"short_code": "  APP "}, True, of()),
        ({"short_code": "APP", "product_short_code": "APP"}, True, of()),
        ({"short_code": "APP", "uuid": "4d36e96c-e325-11ce-bfc1-08002be10318"}, True, of()),
        ({"short_code": "APP", "license_policy": "team"}, True, of(policy_code="team")),
        (
            {"short_code": "APP", "license_type": "consumption", "max_consumptions": "100"},
            True,
            of(license_type="consumption", max_consumptions=100),
        ),
        (
            {"short_code": "APP", "license_type": "time-limited", "valid_duration": "30d"},
            False,
            of(license_type="time-limited", valid_duration="30d"),
        ),
        (
            {"short_code": "APP", "license_type": "subscription", "valid_duration": "1y"},
            False,
            of(valid_duration="1y"),
        ),
        ({"short_code": "APP", "max_activations": "5"}, True, of(max_activations=5)),
        ({"short_code": "APP", "maintenance_duration": "1y"}, True, of(maintenance=True, maintenance_duration="1y")),
        ({"short_code": "APP", "enable_maintenance_duration": "no"}, True, of(maintenance=False)),
        ({"short_code": "APP", "floating_cloud": "0"}, True, of(floating_users=0)),
        (
            {"short_code": "APP", "floating_cloud": "5", "max_activations": "5"},
            True,
            of(floating_users=5, max_activations=5),
        ),
        (
            {"short_code": "APP", "floating_cloud": "1", "floating_users_from_quantity": "1", "single_license": "yes"},
            True,
            of(floating_users=1, floating_users_from_quantity=True, single_license=True),
        ),
        ({"short_code": "APP", "is_single_license": "true", "single_license": "YES"}, True, of(single_license=True)),
        ({"short_code": "APP", "is_single_license": "False"}, True, of()),
        ({"short_code": "APP", "max_license_users": "0"}, True, of(max_license_users=0)),
        ({"short_code": "APP", "is_license_manager": "True"}, True, of(managed_by_customer=True)),
        ({"short_code": "APP", "assign_customer_as_user": "true"}, True, of(customer_is_user=True)),
        ({"short_code": "APP", "grace_period": "0"}, True, of(margin_hours=0)),
        ({"short_code": "APP", "grace_period": "8784"}, True, of(margin_hours=8784)),
        ({"short_code": "APP", "unpaid_active_license_period": "7d"}, True, of(unpaid_duration="7d")),
        ({"short_code": "APP", "added_days": "3"}, True, of(added_days=3)),
        ({"short_code": "APP", "ignore_product_in_licensespring": "false"}, True, of()),
        (
            {"short_code": "APP", "custom_field_Edition": "studio", "custom_field_Seat colour": ""},
            True,
            of(custom_fields={"Edition": "studio", "Seat colour": ""}),
        ),
        ({"short_code": "APP", "is_product_bundle": "1"}, True, of(is_bundle=True)),
        ({}, True, None),
        ({"colour": "red", "uuid": "none"}, True, None),
    ],
)
def test_attributes_are_read_as(attributes: dict[str, str], recurring: bool, terms: Terms | None) -> None:
    assert read_terms(attributes, product="prod_1", recurring=recurring) == Reading(terms)


_TYPES = "perpetual, time-limited, subscription, consumption"
_RECURRING = "allowed for a recurring price: subscription or consumption"
_CODE = "a product code of 1 to 100 characters"
_DURATION = "a number and one of d, w, m, y, such as 30d or 1y, of at most 100 years"
_BOOLEAN = "true or false, 1 or 0, yes or no"
_CUSTOM = "a name of 1 to 100 characters and a value of at most 1000"


@pytest.mark.parametrize(
    ("attribute", "value", "allowed"),
    [
        ("short_code", " ", _CODE),
        ("product_short_code", "", _CODE),
        ("short_code", "X" * 101, _CODE),
        ("license_policy", "", "the code of a license policy, of 1 to 100 characters"),
        (
            "license_target",
            "Main Server",
            "the name of a target in the settings: lower-case letters, digits and hyphens",
        ),
        ("license_type", "rental", f"one of {_TYPES}"),
        ("max_activations", "0", "a whole number from 1 to 999999999"),
        ("max_activations", "-1", "a whole number from 1 to 999999999"),
        ("max_activations", "²", "a whole number from 1 to 999999999"),
        ("max_activations", "1234567890", "a whole number from 1 to 999999999"),
        ("valid_duration", "0d", _DURATION),
        ("valid_duration", "1y6m", _DURATION),
        ("valid_duration", "30", _DURATION),
        ("maintenance_duration", "1 y", _DURATION),
        ("enable_maintenance_duration", "on", _BOOLEAN),
        ("floating_cloud", "-1", "a whole number from 0 (it does not float) to 999999999, at most max_activations"),
        ("floating_users_from_quantity", "2", _BOOLEAN),
        ("is_single_license", "", _BOOLEAN),
        ("single_license", "maybe", _BOOLEAN),
        ("max_license_users", "many", "a whole number from 0 (unlimited) to 999999999"),
        ("max_consumptions", "0", "a whole number from 1 to 999999999"),
        ("is_license_manager", "x", _BOOLEAN),
        ("assign_customer_as_user", "x", _BOOLEAN),
        ("grace_period", "8785", "whole hours from 0 to 8784"),
        ("unpaid_active_license_period", "7", _DURATION),
        ("added_days", "3661", "whole days from 0 to 3660"),
        ("ignore_product_in_licensespring", "x", _BOOLEAN),
        ("custom_field_", "x", _CUSTOM),
        ("custom_field_Note", "x" * 1001, _CUSTOM),
        ("feature_code", "", "the code of a product feature, of 1 to 100 characters"),
        ("is_product_bundle", "x", _BOOLEAN),
    ],
)
def test_a_value_that_is_wrong_is_refused_with_what_is_allowed(attribute: str, value: str, allowed: str) -> None:
    attributes = {"short_code": "APP", attribute: value}
    with pytest.raises(TermsError) as refused:
        read_terms(attributes, product="prod_1", recurring=True)
    assert str(refused.value) == f"{attribute} of product prod_1 is {value[:80]!r}; allowed: {allowed}"


def test_every_attribute_has_a_row_above_that_is_wrong() -> None:
    (mark,) = test_a_value_that_is_wrong_is_refused_with_what_is_allowed.pytestmark  # type: ignore[attr-defined]
    rows = {attribute_of(attribute) for attribute, _, _ in mark.args[1]}
    assert rows == {row for row in ATTRIBUTES.values() if row.field}


@pytest.mark.parametrize(
    ("attributes", "recurring", "text"),
    [
        ({"license_type": "perpetual"}, True, f"license_type of product prod_1 is 'perpetual'; {_RECURRING}"),
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
        (
            {"license_type": "consumption"},
            True,
            "max_consumptions of product prod_1 is missing; a consumption license needs one",
        ),
        (
            {"floating_cloud": "4", "max_activations": "3"},
            True,
            "floating_cloud of product prod_1 is '4'; allowed: at most max_activations, which is 3",
        ),
        (
            {"floating_users_from_quantity": "yes"},
            True,
            (
                "floating_users_from_quantity of product prod_1 is 'yes'; "
                "allowed: true only together with is_single_license or single_license"
            ),
        ),
        (
            {"product_short_code": "PRO"},
            True,
            (
                "product_short_code and short_code of product prod_1 are 'PRO' and 'APP'; "
                "allowed: one of them, or the same in both"
            ),
        ),
        (
            {"is_single_license": "true", "single_license": "no"},
            True,
            (
                "is_single_license and single_license of product prod_1 are 'true' and 'no'; "
                "allowed: one of them, or the same in both"
            ),
        ),
        (
            {"max_activations": "many", "added_days": "x"},
            True,
            (
                "added_days of product prod_1 is 'x'; allowed: whole days from 0 to 3660; "
                "max_activations of product prod_1 is 'many'; allowed: a whole number from 1 to 999999999"
            ),
        ),
        (
            {"ignore_product_in_licensespring": "x", "max_activations": "0", "license_type": "perpetual"},
            True,
            (
                f"ignore_product_in_licensespring of product prod_1 is 'x'; allowed: {_BOOLEAN}; "
                "max_activations of product prod_1 is '0'; allowed: a whole number from 1 to 999999999; "
                f"license_type of product prod_1 is 'perpetual'; {_RECURRING}"
            ),
        ),
        (
            {"license_type": "time-limited", "valid_duration": "soon"},
            False,
            f"valid_duration of product prod_1 is 'soon'; allowed: {_DURATION}",
        ),
        (
            {"floating_users_from_quantity": "yes", "is_single_license": "maybe"},
            True,
            f"is_single_license of product prod_1 is 'maybe'; allowed: {_BOOLEAN}",
        ),
    ],
)
def test_attributes_that_contradict_each_other_are_refused_with(
    attributes: dict[str, str], recurring: bool, text: str
) -> None:
    with pytest.raises(TermsError) as refused:
        read_terms({"short_code": "APP", **attributes}, product="prod_1", recurring=recurring)
    assert str(refused.value) == text


@pytest.mark.parametrize(
    ("attributes", "recurring", "text"),
    [
        ({"added_days": "3"}, False, "added_days of product prod_1 means nothing for a perpetual license"),
        (
            {"added_days": "3", "license_type": "subscription"},
            False,
            "added_days of product prod_1 means nothing for a one-time price",
        ),
        (
            {"max_consumptions": "3"},
            True,
            "max_consumptions of product prod_1 means nothing for a subscription license",
        ),
        ({"valid_duration": "1y"}, True, "valid_duration of product prod_1 means nothing for a recurring price"),
        ({"valid_duration": "1y"}, False, "valid_duration of product prod_1 means nothing for a perpetual license"),
        ({"grace_period": "1"}, False, "grace_period of product prod_1 means nothing for a perpetual license"),
        (
            {"maintenance_duration": "1y", "enable_maintenance_duration": "no"},
            True,
            "maintenance_duration of product prod_1 means nothing while enable_maintenance_duration is false",
        ),
    ],
)
def test_what_means_nothing_beside_the_others_is_a_warning_and_sets_nothing(
    attributes: dict[str, str], recurring: bool, text: str
) -> None:
    reading = read_terms({"short_code": "APP", **attributes}, product="prod_1", recurring=recurring)
    assert reading.warnings == (f"{text} and was ignored",)
    name = text.split(maxsplit=1)[0]
    without = {key: value for key, value in attributes.items() if key != name}
    assert reading.terms == read_terms({"short_code": "APP", **without}, product="prod_1", recurring=recurring).terms


def test_a_line_that_is_to_be_ignored_is_not_licensed_whatever_else_it_says() -> None:
    attributes = {"short_code": "APP", "max_activations": "many", "x": "", "ignore_product_in_licensespring": "Yes"}
    assert read_terms(attributes, product="prod_1", recurring=True) == Reading(None, ignored=True)


def test_a_feature_without_a_product_code_is_an_add_on_and_with_one_a_feature_of_its_own_licenses() -> None:
    assert read_terms({"feature_code": "SYNC"}, product="prod_1", recurring=True) == Reading(None, feature="SYNC")
    both = read_terms({"feature_code": "SYNC", "short_code": "APP"}, product="prod_1", recurring=True)
    assert both == Reading(of(), feature="SYNC")


def test_names_and_values_in_errors_and_warnings_are_cut() -> None:
    long = "custom_field_" + "n" * 5000
    with pytest.raises(TermsError) as refused:
        read_terms({"short_code": "APP", long: "v" * 5000}, product="prod_1", recurring=True)
    assert len(str(refused.value)) < 400
    (warning,) = read_terms({"short_code": "APP", "x" * 5000: "1"}, product="prod_1", recurring=True).warnings
    assert len(warning) < 200


def test_an_attribute_that_is_not_known_is_a_warning_that_names_it() -> None:
    reading = read_terms({"short_code": "APP", "colour": "red"}, product="prod_1", recurring=True)
    assert reading.terms == of()
    assert reading.warnings == ("attribute 'colour' of product prod_1 is not known and was ignored",)


def test_an_attribute_that_looks_like_another_is_told_so() -> None:
    reading = read_terms({"short_code": "APP", "Max-Activation": "3"}, product="prod_1", recurring=True)
    text = "attribute 'Max-Activation' of product prod_1 is not known and was ignored; was max_activations meant?"
    assert reading.warnings == (text,)


def test_what_nothing_needs_is_a_warning_where_it_is_wrong_and_the_license_is_made() -> None:
    reading = read_terms({"short_code": "APP", "uuid": "none"}, product="prod_1", recurring=True)
    assert reading.terms == of()
    assert reading.warnings == (
        "uuid of product prod_1 is 'none'; allowed: a UUID; it was ignored, as nothing needs it",
    )


_MISSING = "short_code, product_short_code or feature_code of product p is missing; nothing is licensed by"


@pytest.mark.parametrize(
    ("attributes", "errors"),
    [
        ({"max_activations": "5"}, (f"{_MISSING} max_activations alone",)),
        (
            {"product_short_cod": "APP"},
            (f"{_MISSING} product_short_cod alone (was product_short_code meant by product_short_cod?)",),
        ),
        ({"Short Code": "APP"}, (f"{_MISSING} Short Code alone (was short_code meant by Short Code?)",)),
        ({"max_activation": "5", "colour": "red"}, (f"{_MISSING} max_activation alone",)),
        (
            {"max_activations": "many"},
            (
                f"{_MISSING} max_activations alone",
                "max_activations of product p is 'many'; allowed: a whole number from 1 to 999999999",
            ),
        ),
        (
            {f"custom_field_{letter}": "x" for letter in "abcdefg"},
            (f"{_MISSING} {', '.join(f'custom_field_{letter}' for letter in 'abcde')} and 2 more alone",),
        ),
    ],
)
def test_attributes_of_licenses_without_a_code_are_refused_with(
    attributes: dict[str, str], errors: tuple[str, ...]
) -> None:
    with pytest.raises(CodeMissing) as refused:
        read_terms(attributes, product="p", recurring=True)
    assert refused.value.errors == errors


def test_what_is_wrong_hides_no_warning() -> None:
    with pytest.raises(TermsError) as refused:
        read_terms({"short_code": "APP", "colour": "red", "added_days": "x"}, product="p", recurring=True)
    assert refused.value.errors == ("added_days of product p is 'x'; allowed: whole days from 0 to 3660",)
    assert refused.value.warnings == ("attribute 'colour' of product p is not known and was ignored",)


def test_attributes_of_a_line_that_has_nothing_to_do_with_licenses_are_nobodys_business() -> None:
    assert read_terms({"colour": "red", "category": "fee"}, product="p", recurring=True) == Reading(None)


def test_every_attribute_sets_a_field_of_the_terms() -> None:
    fields = {row.field for row in ATTRIBUTES.values() if row.field}
    assert fields == {*Terms.__struct_fields__, *Reading.__struct_fields__} - {"terms", "warnings"}


def test_every_attribute_ends_in_fields_that_a_license_has() -> None:
    assert {field for row in ATTRIBUTES.values() for field in row.license} <= set(License.__struct_fields__)
