"""The sandbox of NetLicensing: entities, their rules, and what a vendor may set."""

from typing import Any

import pytest

from service.sandbox import netlicensing
from service.sandbox.fastspring import catalog as at_fastspring
from service.sandbox.netlicensing import SandboxSettings
from service.sandbox.netlicensing.schema import MODELS
from service.sandbox.stripe import catalog as at_stripe
from tests.unit.sandbox.netlicensing_vendor import Vendor, properties, settings


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


def test_an_entity_shows_what_was_sent_as_texts_with_what_it_belongs_to(vendor: Vendor) -> None:
    vendor.licensee("ann", name="Ann", markedForTransfer="true", tenureCustomer="c-1")
    assert vendor.get("/licensee/ann") == {
        "number": "ann",
        "productNumber": "falcon",
        "name": "Ann",
        "active": "true",
        "markedForTransfer": "true",
        "tenureCustomer": "c-1",
        "inUse": "false",
    }
    made = vendor.license("l-1", "falcon-time-month", startDate="2030-02-01", timeVolume="45", timeVolumePeriod="DAY")
    assert made == {
        "number": "l-1",
        "licenseeNumber": "ann",
        "licenseTemplateNumber": "falcon-time-month",
        "active": "true",
        "hidden": "false",
        "name": "falcon-time-month",
        "startDate": "2030-02-01T00:00:00.000Z",
        "timeVolume": "45",
        "timeVolumePeriod": "DAY",
        "price": "29.00",
        "currency": "EUR",
        "inUse": "false",
    }
    assert vendor.get("/licensee/ann")["inUse"] == "true"
    assert vendor.get("/licensetemplate/falcon-time-month")["productModuleNumber"] == "falcon-time"


def test_an_update_changes_what_it_names_and_an_empty_custom_property_is_deleted(vendor: Vendor) -> None:
    vendor.licensee()
    before = vendor.license("l-1", "falcon-time-month", startDate="now", colour="red", size="9")
    after = vendor.post("/license/l-1", active="false", colour="", timeVolume="2")
    assert after == {**{key: value for key, value in before.items() if key != "colour"}, "active": "false"} | {
        "timeVolume": "2"
    }
    assert vendor.get("/license/l-1") == after


def test_an_entity_without_a_number_gets_one_that_is_unused(vendor: Vendor) -> None:
    numbers = {vendor.post("/licensee", productNumber="falcon")["number"] for _ in range(20)}
    assert len(numbers) == 20
    assert all(vendor.get(f"/licensee/{number}")["productNumber"] == "falcon" for number in numbers)


@pytest.mark.parametrize(
    ("method", "path", "form", "expected"),
    [
        ("GET", "/licensee/nobody", {}, (404, "NotFoundException")),
        ("POST", "/license/nothing", {"active": "false"}, (404, "NotFoundException")),
        ("DELETE", "/license/nothing", {}, (404, "NotFoundException")),
        ("GET", "/token", {}, (404, "NotFoundException")),
        ("PUT", "/licensee/ann", {}, (405, "IllegalOperationException")),
        ("POST", "/licensee", {}, (400, "MalformedRequestException")),
        ("POST", "/licensee", {"productNumber": "none"}, (404, "NotFoundException")),
        ("POST", "/licensee/ann", {"active": "maybe"}, (400, "UnexpectedValueException")),
        ("POST", "/licensee/ann", {"productNumber": "falcon-pro"}, (400, "IllegalOperationException")),
        ("POST", "/product", {"number": "p"}, (400, "MalformedRequestException")),
        ("POST", "/product/falcon", {"number": "eagle"}, (400, "IllegalOperationException")),
        ("DELETE", "/product/falcon", {}, (400, "IllegalOperationException")),
        ("POST", "/license", {"licenseTemplateNumber": "export"}, (400, "MalformedRequestException")),
        ("POST", "/license", {"licenseeNumber": "ann"}, (400, "MalformedRequestException")),
        ("POST", "/license", {"licenseeNumber": "ann", "licenseTemplateNumber": "x"}, (404, "NotFoundException")),
    ],
)
def test_what_cannot_be_is_refused_by_status_and_name(
    vendor: Vendor, method: str, path: str, form: dict[str, str], expected: tuple[int, str]
) -> None:
    vendor.licensee()
    before = vendor.control.dump()
    assert vendor.refusal(method, path, **form) == expected
    assert vendor.control.dump() == before


@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("falcon-time-month", {}),
        ("falcon-time-month", {"startDate": "soon"}),
        ("falcon-time-month", {"startDate": "now", "timeVolume": "-1"}),
        ("falcon-time-month", {"startDate": "now", "timeVolumePeriod": "HOUR"}),
        ("falcon-session", {"maxSessions": "many"}),
        ("falcon-10-projects", {"quantity": "-2"}),
        ("falcon-rental-day", {"startDate": "now"}),
        ("falcon-rental-day", {"startDate": "now", "parentfeature": "l-0"}),
        ("falcon-pro-time", {"startDate": "now"}),
    ],
)
def test_a_license_that_does_not_fit_its_template_is_refused_and_not_kept(
    vendor: Vendor, template: str, form: dict[str, str]
) -> None:
    vendor.licensee()
    vendor.license("l-0", "export")
    sent = {"number": "l-1", "licenseeNumber": "ann", "licenseTemplateNumber": template, **form}
    assert vendor.refusal("POST", "/license", **sent)[0] == 400
    assert vendor.refusal("GET", "/license/l-1") == (404, "NotFoundException")


@pytest.mark.parametrize(
    ("module", "form"),
    [
        ("falcon-time", {"licenseType": "FEATURE"}),
        ("falcon-time", {"licenseType": "TIMEVOLUME"}),
        ("falcon-try", {"licenseType": "FEATURE"}),
        ("falcon-time", {"licenseType": "TIMEVOLUME", "timeVolume": "1", "price": "1.00"}),
        ("falcon-features", {"licenseType": "FEATURE", "automatic": "true", "price": "1", "currency": "EUR"}),
        ("falcon-features", {"licenseType": "FEATURE", "price": "1", "currency": "USD"}),
    ],
)
def test_a_template_that_does_not_fit_its_module_is_refused(vendor: Vendor, module: str, form: dict[str, str]) -> None:
    sent = {"number": "t", "name": "T", "productModuleNumber": module, **form}
    assert vendor.refusal("POST", "/licensetemplate", **sent)[0] == 400


def test_numbers_are_unique_across_the_account_within_a_kind(vendor: Vendor) -> None:
    vendor.licensee("ann")
    assert vendor.refusal("POST", "/licensee", number="ann", productNumber="falcon-pro") == (
        400,
        "IllegalOperationException",
    )
    vendor.license("ann", "export")
    vendor.licensee("Ann")


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, (400, "IllegalOperationException")),
        ({"duplicate_number_id": "ValidationException"}, (400, "ValidationException")),
        ({"duplicate_number_status": 409}, (409, "IllegalOperationException")),
        ({"duplicate_number_status": 200}, (200, "IllegalOperationException")),
        ({"error_id": "number"}, (400, "1003")),
    ],
)
def test_how_a_number_in_use_is_refused_is_a_setting(chosen: dict[str, Any], expected: tuple[int, str]) -> None:
    vendor = Vendor(settings(**chosen))
    vendor.licensee("ann", colour="red")
    assert vendor.refusal("POST", "/licensee", number="ann", productNumber="falcon", colour="blue") == expected
    assert vendor.get("/licensee/ann")["colour"] == "red"


def test_numbers_may_be_compared_without_case() -> None:
    vendor = Vendor(settings(number_case="insensitive"))
    vendor.licensee("Ann")
    assert vendor.get("/licensee/aNN")["number"] == "Ann"
    assert vendor.refusal("POST", "/licensee", number="ANN", productNumber="falcon")[0] == 400


@pytest.mark.parametrize(("how", "status", "start"), [("accepted", 200, "01"), ("ignored", 200, "31")])
def test_whether_a_start_date_can_be_moved_is_a_setting(how: Any, status: int, start: str) -> None:
    vendor = Vendor(settings(start_date_change=how))
    vendor.licensee()
    vendor.license("l-1", "falcon-time-month", startDate="2030-01-31")
    assert vendor.call("POST", "/license/l-1", {"startDate": "2030-01-01"}).status == status
    assert vendor.get("/license/l-1")["startDate"] == f"2030-01-{start}T00:00:00.000Z"


def test_a_start_date_that_cannot_be_moved_may_still_be_sent_again() -> None:
    vendor = Vendor(settings(start_date_change="refused"))
    vendor.licensee()
    vendor.license("l-1", "falcon-time-month", startDate="2030-01-31")
    assert vendor.post("/license/l-1", startDate="2030-01-31T00:00:00Z", timeVolume="3")["timeVolume"] == "3"
    assert vendor.refusal("POST", "/license/l-1", startDate="2030-02-01")[0] == 400


@pytest.mark.parametrize(
    ("sent", "spelling", "understood"),
    [
        ("both", "parentfeature", True),
        ("both", "parentFeature", True),
        ("parentfeature", "parentfeature", True),
        ("parentfeature", "parentFeature", False),
        ("parentFeature", "parentfeature", False),
    ],
)
def test_which_spelling_of_the_parent_feature_counts_is_a_setting(sent: Any, spelling: str, understood: bool) -> None:
    vendor = Vendor(settings(parent_feature_sent=sent, parent_feature_shown="parentfeature"))
    vendor.licensee()
    vendor.license("car", "falcon-rental-thing")
    form = {"licenseeNumber": "ann", "licenseTemplateNumber": "falcon-rental-day", "startDate": "now", "number": "t"}
    answer = vendor.call("POST", "/license", {**form, spelling: "car"})
    assert answer.status == (200 if understood else 400)
    if understood:
        assert vendor.get("/license/t")["parentfeature"] == "car"


@pytest.mark.parametrize(
    ("field", "sent", "nodes"),
    [
        ("both", {"quota": "3"}, 3),
        ("both", {"quantity": "4"}, 4),
        ("both", {}, 1),
        ("quota", {"quota": "3", "quantity": "9"}, 3),
        ("quantity", {"quota": "9", "quantity": "4"}, 4),
    ],
)
def test_which_name_counts_machines_is_a_setting(field: Any, sent: dict[str, str], nodes: int) -> None:
    vendor = Vendor(settings(node_locked_field=field))
    vendor.licensee()
    vendor.license("l-1", "falcon-node", **sent)
    assert vendor.control.effective()["ann"]["modules"]["falcon-nodes"]["nodes"] == nodes


def test_the_name_that_does_not_count_machines_changes_nothing() -> None:
    vendor = Vendor(settings(node_locked_field="quota"))
    vendor.licensee()
    vendor.license("l-1", "falcon-node", quota="3")
    assert vendor.post("/license/l-1", quantity="9")["quota"] == "3"
    assert vendor.post("/license/l-1", quota="5")["quota"] == "5"


def test_the_plan_limits_what_can_be_made() -> None:
    vendor = Vendor(settings(quota={"licensee": 1}))
    vendor.licensee("ann")
    assert vendor.refusal("POST", "/licensee", number="bob", productNumber="falcon")[0] == 402


def test_an_inactive_licensee_or_template_takes_no_new_license(vendor: Vendor) -> None:
    vendor.licensee(active="false")
    sent = {"licenseeNumber": "ann", "licenseTemplateNumber": "export"}
    assert vendor.refusal("POST", "/license", **sent)[0] == 400
    vendor.post("/licensee/ann", active="true")
    vendor.post("/licensetemplate/export", active="false")
    assert vendor.refusal("POST", "/license", **sent)[0] == 400


def test_deleting_with_cascade_takes_all_that_belongs_to_it(vendor: Vendor) -> None:
    vendor.licensee()
    vendor.license("l-1", "export")
    assert vendor.refusal("DELETE", "/licensee/ann") == (400, "IllegalOperationException")
    assert vendor.call("DELETE", "/licensee/ann", forceCascade="true").status == 204
    assert vendor.control.holdings() == {"licensees": {}, "licenses": {}}
    assert vendor.call("DELETE", "/product/falcon").status == 204
    assert vendor.refusal("GET", "/licensetemplate/export")[0] == 404


def test_automatic_templates_give_a_new_licensee_a_license(vendor: Vendor) -> None:
    vendor.post("/licensetemplate/reports", automatic="true")
    vendor.licensee()
    (license_,) = vendor.control.holdings()["licenses"].values()
    assert (license_["licenseTemplateNumber"], license_["licenseeNumber"]) == ("reports", "ann")


def test_the_utilities_name_the_models_and_types(vendor: Vendor) -> None:
    page = vendor.call("GET", "/utility/licenseTypes").body
    assert page is not None
    assert [properties(one)["name"] for one in page["items"]["item"]] == [
        "FEATURE",
        "TIMEVOLUME",
        "FLOATING",
        "QUANTITY",
    ]
    assert vendor.call("GET", "/utility/licensingModels").status == 200
    assert vendor.call("GET", "/utility/countries").status == 200
    assert vendor.call("GET", "/utility/planets").status == 404


def test_a_catalog_that_cannot_be_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="catalog"):
        Vendor(settings(bundles=(netlicensing.BundleSeed(number="b", templates=("nothing",)),)))
    with pytest.raises(ValueError, match="api_keys"):
        Vendor(SandboxSettings(api_keys=(), logins=()))


def test_a_snapshot_brings_everything_back(vendor: Vendor) -> None:
    vendor.licensee()
    vendor.license("l-1", "falcon-session", maxSessions="2")
    vendor.asked("falcon-sessions", sessionId="s", action="checkOut")
    snapshot, effective = vendor.control.dump(), vendor.control.effective()
    vendor.control.delete("licensee", "ann")
    vendor.control.restore(snapshot)
    assert vendor.control.dump() == snapshot
    assert vendor.control.effective() == effective
    assert vendor.licensee("bob")["number"] == "bob"


def test_the_standard_catalog_has_every_model_and_what_the_lives_of_other_sandboxes_buy() -> None:
    sold = netlicensing.falcon()
    modules = {module.licensing_model for product in sold.products for module in product.modules}
    assert modules == MODELS.keys()
    numbers = {*(product.number for product in sold.products), *(bundle.number for bundle in sold.bundles)}
    features = {template.number for one in sold.products for module in one.modules for template in module.templates}
    lives = [price.metadata for price in (*at_stripe.RECURRING, at_stripe.PERPETUAL, at_stripe.YEAR_PASS)]
    for attributes in (*lives, *(product.attributes for product in at_fastspring.ALL)):
        code = attributes.get("short_code") or attributes.get("product_short_code")
        assert code is None or code in numbers
        assert attributes.get("feature_code") in {None, *features}


def test_a_model_and_a_type_are_fixed_once_there_are_licenses(vendor: Vendor) -> None:
    model = {"number": "m", "name": "M", "productNumber": "falcon", "licensingModel": "Quota"}
    vendor.post("/productmodule", **model)
    vendor.post("/productmodule/m", licensingModel="PayPerUse")
    vendor.post("/licensetemplate", number="t", name="T", productModuleNumber="m", licenseType="QUANTITY", quantity="1")
    vendor.licensee()
    vendor.license("l-1", "t")
    assert vendor.refusal("POST", "/productmodule/m", licensingModel="Quota") == (400, "IllegalOperationException")
    assert vendor.refusal("POST", "/licensetemplate/t", licenseType="FEATURE") == (400, "IllegalOperationException")
    assert vendor.refusal("POST", "/license/l-1", licenseTemplateNumber="export")[0] == 400
    assert vendor.post("/license/l-1", licenseTemplateNumber="t", licenseeNumber="ann")["number"] == "l-1"


@pytest.mark.parametrize(("how", "status"), [("ignored", 200), ("refused", 400)])
def test_whether_a_license_may_name_a_price_is_a_setting(how: Any, status: int) -> None:
    vendor = Vendor(settings(license_price=how))
    vendor.licensee()
    sent = {"licenseeNumber": "ann", "licenseTemplateNumber": "falcon-time-month", "startDate": "now", "number": "l-1"}
    assert vendor.call("POST", "/license", {**sent, "price": "1.00", "currency": "EUR"}).status == status
    if status == 200:
        assert vendor.get("/license/l-1")["price"] == "29.00"


def test_a_time_volume_may_begin_now_where_no_start_is_sent() -> None:
    vendor = Vendor(settings(start_date_missing="now"))
    vendor.licensee()
    assert vendor.license("l-1", "falcon-time-month")["startDate"] == "2030-01-31T12:00:00.000Z"
