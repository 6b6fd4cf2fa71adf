"""FastSpring's license generator: whose request it is, and what it asks for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest

from service.secrets import Secret
from service.sources import KeyRequest, NotAuthentic, Unusable
from service.sources.fastspring_generator import MEDIA_TYPE, MOST_FIELDS, MOST_KEYS, asked, parse, read, reply
from tests.key_requests import FORM, HASH, PRIVATE_KEY, body, signed

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "fastspring"
KEY = Secret(PRIVATE_KEY)


def reading(form: Mapping[str, str], *keys: Secret, content_type: str = MEDIA_TYPE) -> KeyRequest:
    return read(content_type, body(form), keys or (KEY,))


# --- whose it is --------------------------------------------------------------------------------------------


def test_a_request_with_the_hash_of_the_private_key_is_read() -> None:
    assert reading(signed(FORM)) == KeyRequest(
        reference="FAL260201-1003-4242", product="falcon-pro", count=2, test=False, email="ada@example.com"
    )


@pytest.mark.skipif(not FIXTURES.exists(), reason="the shared fixtures are not here")
def test_the_shared_vector_holds() -> None:
    vector: dict[str, Any] = msgspec.json.decode((FIXTURES / "remote_license_request_vector.json").read_bytes())
    assert reading(vector["form"], Secret(vector["private_key"])) == KeyRequest(
        reference="FAL260201-1003-4242",
        product="falcon-pro-monthly",
        count=2,
        test=True,
        email="ada@example.com",
        product_code="falcon-pro",
    )


def test_each_of_several_live_keys_is_accepted_and_no_other() -> None:
    keys = (Secret("old"), Secret("new"))
    for key in keys:
        assert reading(signed(FORM, key.reveal()), *keys).count == 2
    with pytest.raises(NotAuthentic, match="does not fit"):
        reading(signed(FORM, "other"), *keys)


@pytest.mark.parametrize("name", FORM)
def test_no_field_can_be_changed(name: str) -> None:
    form = signed(FORM)
    with pytest.raises(NotAuthentic, match="does not fit"):
        reading({**form, name: form[name] + "1"})


def test_blank_and_unknown_fields_are_part_of_the_hash_in_ordinal_order() -> None:
    form = {**FORM, "Zeta": "z", "alpha": "", "ümlaut": "ü", "_x": "1"}
    assert reading(signed(form)).count == 2
    with pytest.raises(NotAuthentic):
        reading({**signed(FORM), "Zeta": "z"})


def test_text_beyond_ascii_is_hashed_as_utf_8() -> None:
    assert reading(signed({**FORM, "company": "Example GmbH & Söhne, 株式会社"})).count == 2


@pytest.mark.parametrize("escaped", [True, False])
def test_backslashes_may_have_been_left_out_of_the_hash(escaped: bool) -> None:
    form = {**FORM, "company": r"O\'Neill \ Sons"}
    plain = {**form, "company": "O'Neill  Sons"}
    assert reading(signed(form, hashed=form if escaped else plain)).count == 2


def test_the_hash_may_be_in_capitals() -> None:
    form = signed(FORM)
    assert reading({**form, HASH: form[HASH].upper()}).count == 2


@pytest.mark.parametrize("given", [None, "", "not hex ü"])
def test_a_request_without_a_usable_hash_is_refused(given: str | None) -> None:
    form = FORM if given is None else {**FORM, HASH: given}
    with pytest.raises(NotAuthentic, match=HASH):
        reading(form)


@pytest.mark.parametrize("keys", [[], [Secret("")]])
def test_without_a_private_key_nobody_is_believed(keys: list[Secret]) -> None:
    with pytest.raises(NotAuthentic, match="no private key"):
        read(MEDIA_TYPE, body(signed(FORM, "")), keys)


# --- its form -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["", MEDIA_TYPE, f"{MEDIA_TYPE}; charset=UTF-8", MEDIA_TYPE.upper()])
def test_a_form_is_taken_as_such(content_type: str) -> None:
    assert reading(signed(FORM), content_type=content_type).count == 2


def unusable(content_type: str, form: bytes) -> Unusable:
    with pytest.raises(Unusable) as caught:
        parse(content_type, form)
    return caught.value


def test_what_is_no_form_is_refused() -> None:
    assert unusable("application/json", b"{}").status == 415


@pytest.mark.parametrize("form", [quote("ü", encoding="latin-1").encode(), "ü".encode("latin-1"), b"\xff=1"])
def test_another_encoding_than_utf_8_is_refused(form: bytes) -> None:
    error = unusable(MEDIA_TYPE, b"name=" + form)
    assert (error.status, "UTF-8" in str(error)) == (400, True)


def test_a_name_that_comes_twice_is_refused() -> None:
    error = unusable(MEDIA_TYPE, b"quantity=1&reference=A&quantity=1000")
    assert (error.status, "twice" in str(error)) == (400, True)


def test_too_many_fields_are_refused() -> None:
    names = [f"p{number}" for number in range(MOST_FIELDS + 1)]
    assert unusable(MEDIA_TYPE, urlencode(dict.fromkeys(names, "")).encode()).status == 400
    assert len(parse(MEDIA_TYPE, urlencode(dict.fromkeys(names[1:], "")).encode())) == MOST_FIELDS


def test_refusals_hold_nothing_of_the_request() -> None:
    for change in ({"quantity": "ada@example.com"}, {"reference": "ada @example.com"}, {"internalProductName": ""}):
        with pytest.raises(Unusable) as caught:
            asked({**FORM, **change})
        assert "ada" not in str(caught.value)


# --- what it asks for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reference"),
    [
        ({}, "FAL260201-1003-4242"),
        ({"reference": "FAL260301-9-9B", "subscriptionReference": "FAL260201-1003-4242S"}, "FAL260201-1003-4242"),
        ({"reference": "FAL260301-9-9B", "subscriptionReference": "FAL260201-1003-4242S2"}, "FAL260201-1003-4242"),
        ({"reference": "", "subscriptionReference": "FAL260201-1003-4242S"}, "FAL260201-1003-4242"),
        ({"reference": "FAL260301-9-9B", "subscriptionReference": ""}, "FAL260301-9-9B"),
        ({"reference": "FAL260301-9-9B", "subscriptionReference": "S1"}, "FAL260301-9-9B"),
        ({"reference": "S1-2-3S4"}, "S1-2-3S4"),
    ],
)
def test_a_renewal_refers_to_the_order_the_subscription_began_with(change: dict[str, str], reference: str) -> None:
    assert asked({**FORM, **change}).reference == reference


@pytest.mark.parametrize("subscription", ["FAL260201-1003-4242S", "FAL251231-7-7S", "not-made-of-a-reference", "S1"])
@pytest.mark.parametrize("reference", ["FAL260201-1003-4242", "FAB260201-1003-4242", "ACME-B"])
def test_a_first_order_is_known_by_its_own_reference_whatever_its_subscription_is_called(
    reference: str, subscription: str
) -> None:
    told = {"reference": reference, "subscriptionReference": subscription}
    assert asked({**FORM, **told}).reference == reference


@pytest.mark.parametrize("reference", ["", " ", "a b", "a\0b", "x" * 121, "💥" * 76])
def test_a_reference_that_names_nothing_is_refused(reference: str) -> None:
    with pytest.raises(Unusable) as caught:
        asked({**FORM, "reference": reference})
    assert caught.value.status == 422


@pytest.mark.parametrize("reference", ["FAL/B", "x" * 120, "💥" * 75])
def test_a_reference_may_hold_slashes_and_any_script(reference: str) -> None:
    assert asked({**FORM, "reference": reference}).reference == reference


def test_the_product_is_the_parameter_else_the_internal_name() -> None:
    assert asked({**FORM, "product": "other"}).product == "other"
    assert asked({**FORM, "product": " "}).product == "falcon-pro"
    assert asked({**FORM, "internalProductName": "", "product": "other"}).product == "other"
    with pytest.raises(Unusable, match="internalProductName"):
        asked({**FORM, "internalProductName": ""})


@pytest.mark.parametrize("quantity", ["", "0", "-1", "1.5", "two", str(MOST_KEYS + 1), "9" * 30, "٣"])
def test_a_quantity_out_of_bounds_is_refused(quantity: str) -> None:
    with pytest.raises(Unusable) as caught:
        asked({**FORM, "quantity": quantity})
    assert caught.value.status == 422


def test_as_many_keys_as_allowed_are_asked_for() -> None:
    assert asked({**FORM, "quantity": str(MOST_KEYS)}).count == MOST_KEYS


@pytest.mark.parametrize(
    "parameter",
    [{"single_license": "true"}, {"is_single_license": "1"}, {"single_license": "Yes"}, {"format": "single"}],
)
def test_a_single_license_has_one_key_whatever_the_quantity(parameter: dict[str, str]) -> None:
    assert asked({**FORM, "quantity": "5000", **parameter}).count == 1


@pytest.mark.parametrize("parameter", [{"single_license": "false"}, {"single_license": ""}, {"format": "quantity"}])
def test_otherwise_each_unit_has_a_key(parameter: dict[str, str]) -> None:
    assert asked({**FORM, "quantity": "5", **parameter}).count == 5


@pytest.mark.parametrize(("text", "test"), [("1", True), ("true", True), ("", False), ("0", False), ("false", False)])
def test_a_test_order_says_so(text: str, test: bool) -> None:
    assert asked({**FORM, "test": text}).test is test


@pytest.mark.parametrize(
    ("told", "licensee"),
    [
        ({}, ""),
        ({"licenseeNumber": " L-1 "}, "L-1"),
        ({"tags": '{"licenseeNumber": "L-2", "other": [1]}'}, "L-2"),
        ({"tags": '{"licenseeNumber": 42}'}, "42"),
        ({"licenseeNumber": "L-1", "tags": '{"licenseeNumber": "L-2"}'}, "L-1"),
        ({"licenseeNumber": "x" * 121}, ""),
        ({"licenseeNumber": "a b"}, ""),
        ({"tags": "[" * 100_000}, ""),
        ({"tags": '{"licenseeNumber": "a\\u0000b"}'}, ""),
        ({"tags": '{"licenseeNumber": "\\ud800"}'}, ""),
    ],
)
def test_a_licensee_is_named_by_a_parameter_or_by_a_tag_and_nonsense_names_none(
    told: dict[str, str], licensee: str
) -> None:
    assert asked({**FORM, **told}).licensee == licensee


def test_the_buyer_and_the_servers_product_are_told() -> None:
    request = asked({**FORM, "product_short_code": "falcon", "productNumber": ""})
    assert (request.email, request.product_code) == ("ada@example.com", "falcon")
    assert asked({**FORM, "product_short_code": "falcon", "productNumber": "P1"}).product_code == "P1"


def test_keys_are_answered_one_a_line() -> None:
    answer = reply(["AAAA", "BBBB"])
    assert (answer.status, answer.body, answer.content_type) == (200, b"AAAA\nBBBB", "text/plain; charset=utf-8")
