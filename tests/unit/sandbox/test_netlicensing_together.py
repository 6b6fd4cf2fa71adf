"""Given records at a simulated NetLicensing, then how they are listed, transferred and obtained in bundles."""

from pathlib import Path
from typing import Any

import pytest

from service.sandbox import netlicensing
from tests.unit.sandbox.netlicensing_vendor import Vendor, lists, properties, settings

FOLDER = Path(netlicensing.__file__).parent


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


def test_lists_are_filtered_and_paged(vendor: Vendor) -> None:
    for number in range(5):
        vendor.licensee(f"c-{number}", colour="red" if number % 2 else "blue")
        vendor.license(f"l-{number}", "export", licensee=f"c-{number}")
    page = vendor.call("GET", "/licensee", filter="productNumber=falcon;page=1;items=2").body
    assert page is not None
    shown = page["items"]
    assert [properties(one)["number"] for one in shown["item"]] == ["c-2", "c-3"]
    assert {name: value for name, value in shown.items() if name != "item"} == {
        "pagenumber": "1",
        "itemsnumber": "2",
        "totalpages": "3",
        "totalitems": "5",
        "hasnext": "true",
    }
    assert totals(vendor, "license", "licenseeNumber=c-3") == "1"
    assert totals(vendor, "licensee", "colour=red;productNumber=falcon") == "2"
    assert totals(vendor, "licensee", "productNumber=falcon-pro") == "0"
    assert totals(vendor, "licensee", "nonsense=1") == "5"
    assert vendor.call("GET", "/licensee", filter="nonsense").status == 400
    assert vendor.call("GET", "/licensee", filter="page=x").status == 400


def totals(vendor: Vendor, path: str, criteria: str) -> Any:
    page = vendor.call("GET", f"/{path}", filter=criteria).body
    assert page is not None
    return page["items"]["totalitems"]


def test_the_forms_of_lists_are_settings() -> None:
    vendor = Vendor(settings(single_element="object", empty_list="null", unknown_filter="refused"))
    empty = vendor.call("GET", "/licensee")
    assert (empty.status, empty.body and empty.body["items"]) == (200, None)
    vendor.call("POST", "/licensee", {"number": "ann", "productNumber": "falcon"})
    one = vendor.call("GET", "/licensee").body
    assert one is not None
    assert one["items"]["item"]["type"] == "Licensee"
    assert vendor.call("GET", "/licensee", filter="nonsense=1").status == 400
    refused = vendor.call("GET", "/licensee/bob").body
    assert refused is not None
    assert refused["infos"]["info"]["id"] == "NotFoundException"
    assert Vendor(settings(empty_list="no_content")).call("GET", "/licensee").status == 204


def test_a_transfer_moves_every_license_of_a_marked_licensee(vendor: Vendor) -> None:
    vendor.licensee("old", markedForTransfer="true")
    vendor.licensee("new")
    vendor.license("l-1", "export", licensee="old")
    assert vendor.call("POST", "/licensee/new/transfer", {"sourceLicenseeNumber": "old"}).status == 204
    assert vendor.get("/license/l-1")["licenseeNumber"] == "new"
    assert vendor.get("/licensee/old")["markedForTransfer"] == "true"


def test_a_transfer_needs_the_mark_one_product_and_two_licensees(vendor: Vendor) -> None:
    vendor.licensee("plain")
    vendor.licensee("elsewhere", product="falcon-pro", markedForTransfer="true")
    vendor.licensee("ann", markedForTransfer="true")
    refusals = [
        vendor.refusal("POST", "/licensee/ann/transfer", sourceLicenseeNumber=source)[0]
        for source in ("plain", "elsewhere", "ann", "nobody", "")
    ]
    assert refusals == [400, 400, 400, 404, 400]


def test_the_mark_may_be_used_up_by_a_transfer() -> None:
    vendor = Vendor(settings(after_transfer="unmarked"))
    vendor.licensee("old", markedForTransfer="true")
    vendor.licensee("new")
    vendor.call("POST", "/licensee/new/transfer", {"sourceLicenseeNumber": "old"})
    assert vendor.get("/licensee/old")["markedForTransfer"] == "false"


def test_a_bundle_is_obtained_whole_and_anew_each_time(vendor: Vendor) -> None:
    vendor.licensee()
    for _ in range(2):
        answer = vendor.call("POST", "/bundle/falcon-suite/obtain", {"licenseeNumber": "ann"})
        assert answer.body is not None
        made = [properties(one) for one in answer.body["items"]["item"]]
        assert [one["licenseTemplateNumber"] for one in made] == ["falcon-time-month", "export", "reports"]
        assert made[0]["startDate"] == "2030-01-31T12:00:00.000Z"
        assert not any(lists(one) for one in answer.body["items"]["item"])
    assert len(vendor.control.holdings()["licenses"]) == 6


def test_a_bundle_for_a_licensee_of_another_product_is_refused_whole(vendor: Vendor) -> None:
    vendor.licensee(product="falcon-pro")
    assert vendor.refusal("POST", "/bundle/falcon-suite/obtain", licenseeNumber="ann")[0] == 400
    assert vendor.refusal("POST", "/bundle/falcon-suite/obtain")[0] == 400
    assert vendor.control.holdings()["licenses"] == {}


@pytest.mark.parametrize("field", ["licenseTemplateNumbers", "licenseTemplatesNumbers"])
def test_how_the_templates_of_a_bundle_are_spelled_is_a_setting(field: Any) -> None:
    vendor = Vendor(settings(bundle_templates_field=field))
    made = vendor.post("/bundle", number="b", name="B", **{field: "export, reports"})
    assert made[field] == "export, reports"
    other = "licenseTemplatesNumbers" if field == "licenseTemplateNumbers" else "licenseTemplateNumbers"
    assert vendor.refusal("POST", "/bundle", number="c", name="C", **{other: "export"})[0] == 400
    assert vendor.refusal("POST", "/bundle", number="c", name="C", **{field: "nothing"})[0] == 404


def test_a_rental_in_a_bundle_belongs_to_the_thing_before_it(vendor: Vendor) -> None:
    vendor.post("/bundle", number="b", name="B", licenseTemplateNumbers="falcon-rental-thing,falcon-rental-day")
    vendor.licensee()
    vendor.call("POST", "/bundle/b/obtain", {"licenseeNumber": "ann"})
    features = vendor.control.effective()["ann"]["modules"]["falcon-rental"]["features"]
    assert [feature["valid"] for feature in features.values()] == [True]
