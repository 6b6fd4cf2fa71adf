"""What a target is known to hold, from its answers alone."""

from collections.abc import Mapping
from functools import reduce

import msgspec
import pytest

from domain.receipts import (
    AnyReceipt,
    Applied,
    AppliedLicense,
    CatalogRead,
    CustomerChanged,
    KeysClaimed,
    KeysGenerated,
    KeysMinted,
    LicenseChanged,
    OrderChanged,
    OrderCreated,
    OrderMissing,
    PushRefused,
    PushRetried,
    Refusal,
    apply_receipt,
    read_receipt,
    type_of,
)
from tests.stories import JANUARY, answered

MINTED = KeysMinted(target="ls", order="o-1", keys={"lic_1": "AAAA", "lic_2": "BBBB"})
CREATED = OrderCreated(
    target="ls",
    order="o-1",
    licenses={"lic_1": "101", "lic_2": "102"},
    fields={"lic_1": {"enabled": True, "seats": 3}, "lic_2": {"enabled": True, "seats": 3}},
    customer="7",
    customer_fields={"email": "a@example.com"},
)
CHANGED = LicenseChanged(target="ls", license="lic_1", fields={"enabled": False})
REFUSED = PushRefused(target="ls", subjects=("lic_1",), call="PATCH", status=400, text="no", digest="d1")
RECEIPTS: tuple[AnyReceipt, ...] = (
    MINTED,
    KeysGenerated(target="ls", product="pro", keys=("AAAA",)),
    KeysClaimed(target="ls", product="pro", licenses=("lic_1",)),
    CREATED,
    OrderMissing(target="ls", order="o-1", licenses=("lic_1", "lic_2")),
    CHANGED,
    OrderChanged(target="ls", order="o-1", fields={"manager:a@example.com": True}),
    CustomerChanged(target="ls", customer="7", fields={"email": "b@example.com"}),
    REFUSED,
    PushRetried(target="ls", subjects=("lic_1",), author="ops"),
)


def after(*receipts: AnyReceipt) -> Applied:
    """What the target `ls` holds after these answers."""
    nothing: Mapping[str, Applied] = {}
    return reduce(lambda applied, receipt: apply_receipt(applied, receipt, JANUARY), receipts, nothing)["ls"]


@pytest.mark.parametrize("receipt", RECEIPTS, ids=type_of)
def test_a_receipt_is_read_back_from_its_event(receipt: AnyReceipt) -> None:
    event = answered(JANUARY, receipt)
    assert read_receipt(event) == receipt
    assert event.type == f"tenure.{msgspec.json.decode(event.body)['receipt']}"


def test_minted_keys_are_known_before_anything_exists_at_the_target() -> None:
    assert after(MINTED).licenses == {
        "lic_1": AppliedLicense(order="o-1", key="AAAA"),
        "lic_2": AppliedLicense(order="o-1", key="BBBB"),
    }


def test_the_first_key_of_a_license_stands_and_the_rest_of_a_later_minting_counts() -> None:
    later = KeysMinted(target="ls", order="o-2", keys={"lic_2": "XXXX", "lic_3": "CCCC"})
    held = after(MINTED, later)
    assert (held.license("lic_2").order, held.license("lic_2").key) == ("o-1", "BBBB")
    assert (held.license("lic_3").order, held.license("lic_3").key) == ("o-2", "CCCC")


def test_a_created_order_gives_each_license_its_id_there_and_the_fields_it_was_given() -> None:
    held = after(MINTED, CREATED)
    assert held.license("lic_1") == AppliedLicense(
        order="o-1", key="AAAA", remote="101", fields={"enabled": True, "seats": 3}
    )
    assert held.customers == {"7": {"email": "a@example.com"}}


def test_an_order_that_was_looked_for_in_vain_leaves_its_keys_to_be_used_again() -> None:
    held = after(MINTED, OrderMissing(target="ls", order="o-1", licenses=("lic_1",)))
    assert held.license("lic_1") == AppliedLicense(order="o-1", key="AAAA", missing=True)
    assert held.license("lic_2").missing is False


def test_an_order_that_was_missing_and_then_created_is_missing_no_longer() -> None:
    held = after(MINTED, OrderMissing(target="ls", order="o-1", licenses=("lic_1", "lic_2")), CREATED)
    assert held == after(MINTED, CREATED)


def test_a_change_is_laid_over_the_fields_known_before() -> None:
    held = after(MINTED, CREATED, CHANGED)
    assert held.license("lic_1").fields == {"enabled": False, "seats": 3}
    assert held.license("lic_2").fields == {"enabled": True, "seats": 3}


def test_licenses_that_are_used_by_people_are_prepared_without_keys_and_as_firmly() -> None:
    prepared = KeysMinted(target="ls", order="o-1", keys={"lic_1": ""}, user_based=True)
    held = after(prepared, KeysMinted(target="ls", order="o-2", keys={"lic_1": "XXXX"}))
    assert held.license("lic_1") == AppliedLicense(order="o-1", user_based=True)


def test_a_bundles_other_licenses_are_known_each_by_itself() -> None:
    created = msgspec.structs.replace(CREATED, companions={"lic_1": {"103": {"enabled": True}, "104": {}}})
    changed = LicenseChanged(target="ls", license="lic_1", fields={}, companions={"103": {"enabled": False}})
    held = after(MINTED, created, changed).license("lic_1")
    assert held.companions == {"103": {"enabled": False}, "104": {}}
    assert held.fields == {"enabled": True, "seats": 3}
    assert list(held.parts) == ["101", "103", "104"]
    assert after(MINTED).license("lic_1").parts == {}


def test_what_is_known_of_an_order_is_laid_over_what_was_known_before() -> None:
    created = msgspec.structs.replace(CREATED, order_fields={"manager:a": True})
    changed = OrderChanged(target="ls", order="o-1", fields={"manager:b": True, "manager:a": False})
    assert after(MINTED, created, changed).orders == {"o-1": {"manager:a": False, "manager:b": True}}


def test_refusals_of_several_things_stand_side_by_side_and_a_later_one_of_the_same_replaces_the_earlier() -> None:
    def refused(digest: str) -> PushRefused:
        return msgspec.structs.replace(REFUSED, digest=digest)

    refusal = after(refused("features:1"), refused("dates:1"), refused("features:2")).refusals["lic_1"]
    assert refusal.covers("features:2")
    assert refusal.covers("dates:1")
    assert not refusal.covers("features:1")


def test_a_change_of_the_customer_is_laid_over_the_fields_known_before() -> None:
    changed = CustomerChanged(target="ls", customer="7", fields={"name": "Ada"})
    assert after(CREATED, changed).customers == {"7": {"email": "a@example.com", "name": "Ada"}}


def test_a_created_order_without_a_customer_makes_none() -> None:
    assert after(msgspec.structs.replace(CREATED, customer="", customer_fields={})).customers == {}


def test_a_refusal_stands_until_its_subject_changes() -> None:
    refused = after(MINTED, CREATED, REFUSED)
    assert refused.refusals == {"lic_1": Refusal(call="PATCH", status=400, text="no", digest="d1", at=JANUARY)}
    assert after(MINTED, CREATED, REFUSED, CHANGED).refusals == {}
    other = msgspec.structs.replace(CHANGED, license="lic_2")
    assert after(MINTED, CREATED, REFUSED, other).refusals == refused.refusals


def test_a_refused_customer_is_forgiven_when_the_customer_is_changed() -> None:
    refused = msgspec.structs.replace(REFUSED, subjects=("7",))
    assert after(CREATED, refused, CustomerChanged(target="ls", customer="7", fields={})).refusals == {}


def test_an_operator_who_asks_again_lifts_the_refusals_named_and_no_others() -> None:
    refused = msgspec.structs.replace(REFUSED, subjects=("lic_1", "lic_2"))
    assert list(after(refused, PushRetried(target="ls", subjects=("lic_1",))).refusals) == ["lic_2"]


def test_targets_know_nothing_of_each_other() -> None:
    applied = apply_receipt({"ls": after(MINTED)}, msgspec.structs.replace(REFUSED, target="nl"), JANUARY)
    assert applied["ls"] == after(MINTED)
    assert list(applied["nl"].refusals) == ["lic_1"]


def generated(*keys: str, after: int = 0, product: str = "pro") -> KeysGenerated:
    return KeysGenerated(target="ls", product=product, keys=keys, after=after)


def test_of_two_records_of_generated_keys_the_first_counts() -> None:
    assert after(generated("A", "B"), generated("X", "Y")).generated == {"pro": ("A", "B")}


def test_more_generated_keys_are_added_behind_the_others() -> None:
    assert after(generated("A", "B"), generated("C", after=2), generated("X", after=2)).generated == {
        "pro": ("A", "B", "C")
    }


def test_generated_keys_that_leave_a_gap_are_nobodys() -> None:
    assert after(generated("A"), generated("X", after=2)).generated == {"pro": ("A",)}


def test_each_product_has_its_own_generated_keys() -> None:
    assert after(generated("A"), generated("B", product="lite")).generated == {"pro": ("A",), "lite": ("B",)}


def test_places_are_claimed_behind_each_other_and_of_two_claims_of_one_the_first_counts() -> None:
    def claimed(license_: str, after: int) -> KeysClaimed:
        return KeysClaimed(target="ls", product="pro", licenses=(license_,), after=after)

    receipts = (claimed("lic_1", 0), claimed("lic_2", 0), claimed("lic_2", 1), claimed("lic_3", 5))
    assert after(*receipts).claimed == {"pro": ("lic_1", "lic_2")}


def test_products_that_no_generator_was_asked_for_are_known() -> None:
    unasked = KeysGenerated(target="ls", product="lite", keys=("C",), asked=False)
    assert after(generated("A"), unasked).unasked == ("lite",)


def test_applying_changes_nothing_that_was_held_before() -> None:
    before = {"ls": after(MINTED, CREATED)}
    copy = msgspec.msgpack.encode(before)
    for receipt in RECEIPTS:
        apply_receipt(before, receipt, JANUARY)
    assert msgspec.msgpack.encode(before) == copy


@pytest.mark.parametrize("receipt", RECEIPTS, ids=type_of)
def test_the_same_receipt_twice_in_a_row_counts_once(receipt: AnyReceipt) -> None:
    assert after(MINTED, CREATED, receipt, receipt) == after(MINTED, CREATED, receipt)


def test_a_receipt_written_before_there_were_holders_is_read_as_ever() -> None:
    text = b'{"receipt":"keys_minted","target":"ls","order":"o","keys":{"a":"K"}}'
    receipt = msgspec.json.decode(text, type=AnyReceipt)
    after = apply_receipt({}, receipt, JANUARY)["ls"].license("a")
    assert (after.order, after.key, after.holder) == ("o", "K", "")


def test_what_a_catalog_says_lets_refused_licenses_be_tried_again() -> None:
    refused = PushRefused(target="nl", subjects=("a",), call="read catalog", status=None, text="none", digest="x:1")
    before = apply_receipt({}, refused, JANUARY)
    read = CatalogRead(target="nl", product="APP", entries={"T": {"type": "FEATURE"}}, licenses=("a",))
    after = apply_receipt(before, read, JANUARY)["nl"]
    assert after.refusals == {}
    assert after.catalog == {"APP": {"T": {"type": "FEATURE"}}}
