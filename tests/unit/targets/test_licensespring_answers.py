"""What is read from LicenseSpring's answers, and which error each refusal becomes."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from projections.http.waiting import seconds_to_wait
from projections.targets.errors import (
    AlreadyExists,
    NotFound,
    Refused,
    TargetError,
    Throttled,
    Unauthorized,
    Unavailable,
    Unclear,
)
from projections.targets.licensespring.answers import customer_in, license_in, order_in
from projections.targets.licensespring.changes import customer_change, license_change
from projections.targets.licensespring.filters import license_filters
from projections.targets.licensespring.refusals import failure, says_order_exists, spoken
from projections.targets.licensespring.wire import NewCustomer, NewItem, NewLicense, NewOrder, OrderCustomer
from projections.targets.transport import TEXT_LIMIT

LICENSE: dict[str, Any] = {
    "id": 1593781720493289,
    "status": "Inactive",
    "license_key": "ABCD-EFGH-JKLM-NPQR",
    "license_type": "subscription",
    "enabled": True,
    "validity_period": "2027-02-01T00:00:00Z",
    "grace_period": 48,
    "order": 1593781720493001,
    "order_store_id": "tenure/stripe-main/sub_1/0",
    "subscription_id": "sub_1",
    "product": {"id": 1590000000000001, "product_name": "Editor", "short_code": "ED"},
    "customer": {"id": 7, "email": "ada@example.org", "reference": "cus_1"},
    "license_users": [{"id": 3, "true_email": "ada@example.org", "initial_password": "hunter2", "is_manager": True}],
    "metadata": {"tenure": "yes"},
    "something_new": [1, 2],
}


# --- answers ----------------------------------------------------------------------------------------------------


def test_a_license_is_read_with_its_product_customer_and_users() -> None:
    license_ = license_in(LICENSE)
    assert license_ is not None
    assert (license_.id, license_.license_key) == (1593781720493289, "ABCD-EFGH-JKLM-NPQR")
    assert license_.product is not None
    assert license_.product.short_code == "ED"
    assert license_.customer is not None
    assert license_.customer.reference == "cus_1"
    assert license_.license_users[0].true_email == "ada@example.org"
    assert license_.metadata == {"tenure": "yes"}


def test_passwords_in_an_answer_are_never_kept() -> None:
    order = order_in(
        {
            "id": 1,
            "new_passwords": [{"email": "a@b.c", "new_password": "hunter2"}],
            "order_items": [{"licenses": [LICENSE]}],
        }
    )
    assert order is not None
    assert order.licenses
    assert b"hunter2" not in msgspec.json.encode(order)


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("product", 15, 15),
        ("product", {"id": 15}, 15),
        ("product", None, None),
        ("product", "Editor", None),
        ("customer", 7, 7),
        ("customer", {"reference": "without id"}, None),
    ],
)
def test_a_related_object_may_be_an_object_or_an_id(field: str, value: object, read: int | None) -> None:
    license_ = license_in({"id": 1, field: value})
    related = getattr(license_, field)
    assert (related.id if related else None) == read


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("grace_period", "48", 48),
        ("grace_period", "two days", None),
        ("enabled", "false", False),
        ("enabled", {}, None),
        ("note", 5, None),
        ("order", {"id": 9}, 9),
        ("metadata", "text", None),
        ("license_users", "nobody", ()),
        ("license_users", [None, {"true_email": "no id"}], ()),
    ],
)
def test_a_mistyped_part_is_left_out_and_spoils_nothing_else(field: str, value: object, read: object) -> None:
    license_ = license_in({"id": 1, "license_key": "K", field: value})
    assert license_ is not None
    assert getattr(license_, field) == read
    assert license_.license_key == "K"


@pytest.mark.parametrize("row", [None, [], "text", 5, {}, {"id": None}, {"id": "x"}, {"license_key": "K"}])
def test_what_has_no_id_is_no_license(row: object) -> None:
    assert license_in(row) is None


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2027-02-01", date(2027, 2, 1)),
        ("2027-02-01T00:00:00Z", date(2027, 2, 1)),
        ("2027-02-01T23:59:59.999999Z", date(2027, 2, 1)),
        ("2027-02-01 22:13:01", date(2027, 2, 1)),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_the_expiry_date_is_read_from_every_known_form(written: str | None, day: date | None) -> None:
    license_ = license_in({"id": 1, "validity_period": written})
    assert license_ is not None
    assert license_.expiry_date == day


@pytest.mark.parametrize("items", ["order_items", "back_office_order_items"])
def test_the_licenses_of_an_order_inherit_what_only_the_order_says(items: str) -> None:
    order = order_in(
        {"id": 5, "store_id": "S", "customer": 7, items: [{"product_id": 15, "licenses": [{"id": 1, "order": None}]}]}
    )
    assert order is not None
    [license_] = order.licenses
    assert (license_.order, license_.order_store_id) == (5, "S")
    assert license_.product is not None
    assert license_.product.id == 15


def test_the_older_answer_of_create_order_gives_an_order_without_licenses() -> None:
    order = order_in({"order_id": 1593781720493001, "new_passwords": []})
    assert order is not None
    assert (order.id, order.store_id, order.licenses) == (1593781720493001, None, ())


def test_a_store_id_is_also_read_under_the_name_of_the_sdks() -> None:
    order = order_in({"id": 5, "client_order_id": "S"})
    assert order is not None
    assert order.store_id == "S"


@pytest.mark.parametrize("answer", [None, [], "done", {}, {"message": "ok"}, {"id": [1]}])
def test_what_has_no_id_is_no_order_and_no_customer(answer: object) -> None:
    assert order_in(answer) is None
    assert customer_in(answer) is None


# --- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "of_a_write", "of_a_read"),
    [
        (301, Refused, Refused),
        (400, Refused, Refused),
        (401, Unauthorized, Unauthorized),
        (403, Unauthorized, Unauthorized),
        (404, NotFound, NotFound),
        (408, Unclear, Unavailable),
        (409, Refused, Refused),
        (422, Refused, Refused),
        (425, Unavailable, Unavailable),
        (429, Throttled, Throttled),
        (500, Unclear, Unavailable),
        (502, Unclear, Unavailable),
        (503, Unclear, Unavailable),
        (504, Unclear, Unavailable),
        (599, Unclear, Unavailable),
    ],
)
def test_each_status_says_what_can_be_done_next(
    status: int, of_a_write: type[TargetError], of_a_read: type[TargetError]
) -> None:
    assert type(failure("call", status, b"", wrote=True)) is of_a_write
    assert type(failure("call", status, b"", wrote=False)) is of_a_read


@pytest.mark.parametrize(
    ("status", "body", "exists"),
    [
        (400, b'{"status":400,"code":"order_already_exists","message":"Order with this id already exists."}', True),
        (400, b'{"status":400,"code":"order_already_exists"}', True),
        (400, b'{"id":["Order with this id already exists."]}', True),
        (400, b'{"id":["This field must be unique."]}', True),
        (400, b'{"store_id":["This value is already in use."]}', True),
        (400, b'{"detail":"Order with this id already exists."}', True),
        (400, b'{"message":"Duplicate order id: tenure/stripe-main/sub_1/0"}', True),
        (400, b'{"non_field_errors":["The fields company, order id must make a unique set."]}', True),
        (400, b"Order already exists", True),
        (409, b"", True),
        (409, b'{"detail":"Conflict"}', True),
        (400, b"", False),
        (400, b'{"id":["This field is required."]}', False),
        (400, b'{"items":[{"product_code":["Unknown product."]}]}', False),
        (400, b'{"code":"customer_account_not_found","message":"Customer account does not exist."}', False),
        (400, b'{"detail":"License key already exists."}', False),
        (400, b'{"items":[{"licenses":[{"key":["already exists"]}]}]}', False),
        (409, b'{"detail":"License key already in use."}', False),
        (400, b'{"detail":"This order does not exist."}', False),
        (404, b'{"detail":"Order with this id already exists."}', False),
        (500, b'{"detail":"Order with this id already exists."}', False),
    ],
)
def test_a_duplicate_order_is_recognised_in_every_likely_shape(status: int, body: bytes, exists: bool) -> None:
    assert says_order_exists(status, body) is exists
    kind = type(failure("create_order", status, body, wrote=True))
    assert (kind is AlreadyExists) is exists


def test_only_the_creation_of_an_order_can_meet_a_duplicate_order() -> None:
    assert type(failure("update_license", 409, b'{"detail":"Order exists already"}', wrote=True)) is Refused


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"message":"first","detail":"second","error":"third","code":"fourth"}', "first"),
        (b'{"code":"fourth","error":"third","detail":"second"}', "second"),
        (b'{"code":"fourth","error":"third"}', "third"),
        (b'{"status":400,"code":"fourth"}', "fourth"),
        (b'{"message":"","detail":"second"}', "second"),
        (b'{"message":null,"valid_duration":["Not a duration."]}', "valid_duration: Not a duration."),
        (b'{"items":[{"licenses":[{},{"grace_period":["Too long."]}]}]}', "items.licenses.grace_period: Too long."),
        (b'{"detail":{"id":["Taken."]}}', "detail.id: Taken."),
        (b'["plain list"]', "plain list"),
        (b'"plain text"', "plain text"),
        (
            b"<html><head><title>502</title><style>a{}</style></head><body>Bad\n gateway</body></html>",
            "502 Bad gateway",
        ),
        (b"upstream gone\x1b[31m\r\nX-Fake: header", "upstream gone [31m X-Fake: header"),
        (b"\xff\xfe", "��"),
        (b'"\xff"', '"�"'),
        (b"", ""),
        (b"null", ""),
        (b"{}", ""),
        (b'{"count":5}', ""),
    ],
)
def test_the_servers_own_words_are_found_in_every_shape(body: bytes, text: str) -> None:
    assert spoken(body) == text


def test_the_servers_words_are_bounded_however_long_or_deep_the_answer_is() -> None:
    assert len(spoken(b'{"detail":"' + b"x" * 10_000 + b'"}')) == TEXT_LIMIT
    assert len(spoken(b"<p>" * 100_000 + b"x" * 100_000)) <= TEXT_LIMIT
    assert len(spoken(b"[" * 100_000)) == TEXT_LIMIT
    assert spoken(b"[" * 50 + b'"deep"' + b"]" * 50) == ""


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        (b'{"detail":"Key AbCdEfGh.0123 is not valid"}', "AbCdEfGh.0123"),
        (b"Api-Key AbCdEfGh.0123 refused", "AbCdEfGh.0123"),
        (b'{"initial_password":"hunter2","note":["bad"]}', "hunter2"),
        (b'{"new_passwords":[{"email":"x","new_password":"hunter2"}]}', "hunter2"),
        (b'{"detail":"user made with initial_password: hunter2 already"}', "hunter2"),
        (b"echo {'initial_password': 'hunter2 x', 'a': 1}", "hunter2"),
        (b'{"detail":"Customer ada.lovelace@example.org already exists"}', "ada.lovelace"),
        (b'{"detail":"License ABCD-EFGH-JKLM-NPQR is disabled"}', "EFGH"),
    ],
)
def test_nothing_secret_or_personal_gets_into_an_error(body: bytes, secret: str) -> None:
    error = failure("create_order", 400, body, wrote=True, key="AbCdEfGh.0123")
    assert secret not in error.text
    assert secret not in str(error)
    assert secret not in repr(error)


def test_an_error_says_what_happened_and_what_to_do() -> None:
    error = failure("create_order", 502, b"<h1>Bad gateway</h1>", wrote=True)
    assert str(error) == "create_order: 502 Bad gateway (read back before sending again)"
    assert str(Unavailable("license", text="ConnectError: refused")) == (
        "license: ConnectError: refused (try again later)"
    )


@pytest.mark.parametrize(
    ("retry_after", "sent_at", "seconds"),
    [
        ("7", None, 7.0),
        ("0.5", None, 0.5),
        ("0", None, 0.0),
        ("99999999", None, 3600.0),
        ("Sat, 21 Nov 2026 16:00:30 GMT", "Sat, 21 Nov 2026 16:00:00 GMT", 30.0),
        ("Sat, 21 Nov 2026 15:00:00 GMT", "Sat, 21 Nov 2026 16:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2026 16:00:30 GMT", None, None),
        ("Sat, 21 Nov 2026 16:00:30", "Sat, 21 Nov 2026 16:00:00 GMT", None),
        ("-5", None, None),
        ("soon", "soon", None),
        ("nan", None, None),
        ("1e9", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_wait_a_server_asks_for_is_read_and_bounded(
    retry_after: str | None, sent_at: str | None, seconds: float | None
) -> None:
    assert seconds_to_wait(retry_after, sent_at) == seconds


# --- what is sent -----------------------------------------------------------------------------------------------


def test_only_what_was_set_is_sent() -> None:
    order = NewOrder(
        id="tenure/1",
        customer=OrderCustomer(email="a@example.org"),
        items=(NewItem(product_code="ED", licenses=(NewLicense(key="K", is_trial=False, max_activations=0),)),),
    )
    assert msgspec.json.decode(msgspec.json.encode(order)) == {
        "id": "tenure/1",
        "customer": {"email": "a@example.org"},
        "items": [{"product_code": "ED", "licenses": [{"key": "K", "is_trial": False, "max_activations": 0}]}],
    }


def test_an_order_without_id_and_a_customer_without_reference_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="deterministic id"):
        NewOrder(id="", items=())
    with pytest.raises(ValueError, match="reference"):
        NewCustomer(reference="", email="a@example.org")


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({}, "at least one field"),
        ({"validity_period": "2027-02-01"}, "validity_period must be sent together with is_trial"),
        ({"valid_duration": "1m"}, "valid_duration must be sent together with is_trial"),
        ({"trial_days": 5}, "trial_days must be sent together with is_trial"),
        ({"maintenance_duration": "1y"}, "maintenance_duration must be sent together with enable_maintenance_period"),
        (
            {"maintenance_period": "2027-02-01"},
            "maintenance_period must be sent together with enable_maintenance_period",
        ),
        (
            {"valid_duration": "1m", "validity_period": "2027-02-01", "is_trial": False},
            "must not be sent together",
        ),
        ({"valid_duration": "1 month", "is_trial": False}, "valid_duration must be a number and one of d, w, m, y"),
        ({"valid_duration": "0d", "is_trial": False}, "valid_duration must be a number and one of d, w, m, y"),
        ({"validity_period": "2027-02-01T00:00:00Z", "is_trial": False}, "validity_period must be a date"),
        ({"validity_period": datetime(2027, 2, 1, tzinfo=UTC), "is_trial": False}, "must be a date"),
        ({"license_type": "perpetual"}, "not documented as changeable in a license: license_type"),
        ({"subscription_id": "sub_2", "note": "x"}, "not documented as changeable in a license: subscription_id"),
        ({"enabled": True}, "not documented as changeable in a license: enabled"),
    ],
)
def test_a_change_of_a_license_that_breaks_a_rule_is_refused_by_name(fields: dict[str, object], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        license_change(fields)


def test_a_change_of_a_license_within_the_rules_is_sent_as_it_is_with_dates_written_out() -> None:
    fields = {"validity_period": date(2027, 2, 1), "is_trial": False, "max_activations": 3, "metadata": {"a": 1}}
    assert license_change(fields) == fields | {"validity_period": "2027-02-01"}


def test_a_change_of_a_customer_takes_documented_fields_only() -> None:
    assert customer_change({"email": "b@example.org"}) == {"email": "b@example.org"}
    with pytest.raises(ValueError, match="nickname"):
        customer_change({"nickname": "b"})


def test_a_filter_that_is_not_documented_is_refused_before_it_brings_everything_back() -> None:
    assert license_filters({"subscription_id": "sub_1", "enabled": True}) == {
        "subscription_id": "sub_1",
        "enabled": "true",
    }
    assert license_filters({"updated_at__gte": "2027-01-01", "order_by": "updated_at"})
    with pytest.raises(ValueError, match="subscription"):
        license_filters({"subscription": "sub_1"})
    with pytest.raises(ValueError, match="offset"):
        license_filters({"offset": 5})
