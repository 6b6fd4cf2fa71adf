"""The plan: what NetLicensing has to be told so that it holds what is desired, and nothing more."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from domain.licensing import License
from domain.licensing.license import Because
from domain.receipts import (
    THERE,
    AnyReceipt,
    Applied,
    CatalogRead,
    CustomerChanged,
    Fields,
    KeysClaimed,
    KeysGenerated,
    KeysMinted,
    LicenseChanged,
    OrderCreated,
    PushRefused,
    apply_receipt,
)
from domain.subscription import Customer, EventRef
from projections.targets import Call
from projections.targets.netlicensing.calls import (
    ChangeLicense,
    ChangeLicensee,
    CreateLicense,
    CreateLicensee,
    DisableLicense,
    NameLicenses,
    ReadCatalog,
)
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.parts import adding_up
from projections.targets.netlicensing.plan import plan
from tests.netlicensing import desired, desired_of
from tests.stories import JANUARY, MARCH

MONTH: Fields = {"type": "TIMEVOLUME", "model": "subscription", "module": "M", "product": "APP", "offered": True}
SEATS: Fields = {"type": "FLOATING", "model": "floating", "module": "S", "product": "APP", "offered": True}
ENTRIES: dict[str, Fields] = {"app-month": MONTH}


class Server:
    """What a NetLicensing would answer to the calls of a plan, as receipts."""

    def __init__(self, entries: dict[str, Fields] | None = None, options: Options | None = None) -> None:
        self.applied = Applied()
        self.entries = ENTRIES if entries is None else entries
        self.options = options or Options()
        self.calls: list[Call] = []

    def take(self, receipt: AnyReceipt) -> None:
        self.applied = apply_receipt({"nl": self.applied}, receipt, JANUARY)["nl"]

    def refuse(self, call: Call) -> None:
        self.take(
            PushRefused(target="nl", subjects=call.subjects, call=call.name, status=400, text="no", digest=call.digest)
        )

    def plan(self, *wish: License) -> list[Call]:
        return plan(wish, self.applied, self.options)

    def follow(self, *wish: License) -> list[type[Call]]:
        """Answers every call that follows; what kinds they were."""
        self.calls = []
        while calls := self.plan(*wish):
            assert len(self.calls) < 30, "the plan does not come to an end"
            self.calls.append(calls[0])
            self.take(self.answer(calls[0]))
        return [type(call) for call in self.calls]

    def answer(self, call: Call) -> AnyReceipt:
        match call:
            case ReadCatalog():
                return CatalogRead(target="nl", product=call.product, entries=self.entries, licenses=call.subjects)
            case NameLicenses():
                return KeysMinted(target="nl", order=call.order, keys=call.keys, holders=call.holders)
            case CreateLicensee():
                return CustomerChanged(target="nl", customer=call.holder, fields={**call.fields, THERE: True})
            case CreateLicense():
                fields: Fields = {**call.fields, "template": call.template, THERE: True}
                if call.remote:
                    return self.changed(call.license, call.number, fields, call.remote)
                return OrderCreated(
                    target="nl", order=call.order, licenses={call.license: call.number}, fields={call.license: fields}
                )
            case ChangeLicense():
                return self.changed(call.license, call.number, call.fields, call.remote)
            case DisableLicense():
                off: Fields = {"enabled": False, "replaced": call.replaced}
                return self.changed(call.license, call.number, off, call.remote)
            case ChangeLicensee():
                return CustomerChanged(target="nl", customer=call.holder, fields=call.fields)
            case _:
                raise AssertionError(call)

    def changed(self, license_: str, number: str, fields: Fields, remote: str) -> LicenseChanged:
        if number == remote:
            return LicenseChanged(target="nl", license=license_, fields=fields)
        return LicenseChanged(target="nl", license=license_, fields={}, companions={number: fields})

    def holder(self, wish: License) -> str:
        return self.applied.license(wish.id).holder


def test_a_first_purchase_reads_the_catalog_names_and_creates() -> None:
    assert Server().follow(desired()) == [ReadCatalog, NameLicenses, CreateLicensee, CreateLicense]


def test_nothing_is_left_to_do_afterwards_whatever_order_the_licenses_come_in() -> None:
    server, wish = Server(), [desired(unit) for unit in (1, 2, 3)]
    server.follow(*wish)
    assert server.plan(*wish) == server.plan(*wish[::-1]) == []


def test_ten_changes_in_a_row_are_one_call_and_a_repeat_is_none() -> None:
    server = Server()
    server.follow(desired())
    later = desired(expiry=MARCH, margin_hours=24, custom_fields={"Team": "red"})
    (call,) = server.plan(later)
    assert isinstance(call, ChangeLicense)
    assert call.fields == {"timeVolume": 31 + 28 + 1, "custom_field:Team": "red"}
    assert server.follow(later) == [ChangeLicense]
    assert server.plan(later) == []


def test_time_is_set_and_never_added_and_the_start_stays() -> None:
    server = Server()
    server.follow(desired(margin_hours=0))
    moved = desired(expiry=MARCH, margin_hours=0, begins=JANUARY - timedelta(days=40))
    (call,) = server.plan(moved)
    assert isinstance(call, ChangeLicense)
    assert call.fields == {"timeVolume": 59}


def test_a_change_that_is_refused_is_told_in_parts_access_first() -> None:
    server = Server()
    server.follow(desired())
    server.follow(desired(enabled=False))
    wish = desired(expiry=MARCH, custom_fields={"Team": "red"})
    (whole,) = server.plan(wish)
    server.refuse(whole)
    calls = server.plan(wish)
    fields = [call.fields for call in calls if isinstance(call, ChangeLicense)]
    assert fields == [{"enabled": True}, {"timeVolume": 61}, {"custom_field:Team": "red"}]
    server.refuse(calls[2])
    assert [call.digest for call in server.plan(wish)] == [call.digest for call in calls[:2]]


def test_what_takes_away_comes_last() -> None:
    server = Server()
    server.follow(desired(1), desired(2))
    calls = server.plan(desired(1, enabled=False), desired(2, expiry=MARCH), desired(3))
    assert [type(call) for call in calls] == [NameLicenses, ChangeLicense, DisableLicense]
    server.follow(desired(1, enabled=False), desired(2, expiry=MARCH), desired(3))
    assert isinstance(server.calls[-1], DisableLicense)


def test_what_a_customer_has_stays_while_its_replacement_cannot_be_made() -> None:
    server = Server()
    server.follow(desired())
    old, new = desired(enabled=False), desired(product_code="OTHER")
    (read,) = server.plan(old, new)
    server.refuse(read)
    assert server.plan(old, new) == []
    act = Because("operator act: disabled by ada: asked", EventRef("a1", "operator.license_disabled", JANUARY))
    (disable,) = server.plan(msgspec.structs.replace(old, because={"enabled": act}), new)
    assert isinstance(disable, DisableLicense), "what a person disabled waits for nothing"


def test_a_license_that_is_off_is_left_as_it_was_and_costs_no_call() -> None:
    server = Server()
    server.follow(desired())
    assert server.follow(desired(enabled=False)) == [DisableLicense]
    assert server.plan(desired(enabled=False, expiry=MARCH, custom_fields={"Team": "red"})) == []


def test_licenses_that_nothing_derives_any_more_are_taken_back() -> None:
    server = Server()
    server.follow(desired())
    assert server.follow() == [DisableLicense]


def test_a_subscription_that_ends_says_nothing_of_the_licensee_it_shares() -> None:
    server = Server()
    server.follow(desired())
    gone = desired(enabled=False, customer=Customer(reference="cus_ada", name="Somebody Else"))
    assert server.follow(gone) == [DisableLicense]


def test_the_customers_name_follows_but_nothing_is_forgotten_where_nothing_is_known() -> None:
    server = Server()
    server.follow(desired())
    (call,) = server.plan(desired(customer=Customer(reference="cus_ada", name="Ada Other")))
    assert isinstance(call, ChangeLicensee)
    assert call.fields == {"name": "Ada Other"}
    assert server.plan(desired(customer=Customer(reference="cus_ada"))) == []


def test_the_buyer_is_saved_only_if_that_is_wanted_and_taken_back_when_not_any_more() -> None:
    buyer = Customer(reference="cus_ada", name="Ada", email="ada@example.com", company="Ada Ltd")
    server = Server(options=Options(save_buyer=True))
    server.follow(desired(customer=buyer))
    (create,) = (call for call in server.calls if isinstance(call, CreateLicensee))
    assert create.fields["customerEmail"] == "ada@example.com"
    server.options = Options()
    (call,) = server.plan(desired(customer=buyer))
    assert isinstance(call, ChangeLicensee)
    assert call.fields == {"customerEmail": "", "customerCompany": ""}


def test_a_template_that_is_replaced_within_a_license_goes_when_the_new_one_is_there() -> None:
    server = Server({"app-month": MONTH, "app-seats": SEATS})
    server.follow(desired(policy_code="app-month"))
    both = desired(policy_code="app-seats", floating_users=3)
    assert server.follow(both) == [CreateLicense, DisableLicense]
    assert server.follow(desired(policy_code="app-month, app-seats", floating_users=3)) == [ChangeLicense]


def test_a_renewal_goes_on_though_the_template_named_anew_does_not_exist() -> None:
    server = Server()
    server.follow(desired())
    wish = desired(policy_code="TYPO", expiry=MARCH)
    read, change = server.plan(wish)
    server.refuse(read)
    assert isinstance(change, ChangeLicense)
    assert change.fields == {"timeVolume": 61}


def test_a_refused_choice_keeps_up_what_works_and_wakes_nothing_that_was_replaced() -> None:
    server = Server({"app-month": MONTH, "app-seats": SEATS})
    server.follow(desired(policy_code="app-month"))
    seats = desired(policy_code="app-seats", floating_users=3)
    server.follow(seats)
    typo = msgspec.structs.replace(seats, policy_code="typo")
    (read,) = server.plan(typo)
    assert isinstance(read, ReadCatalog)
    server.refuse(read)
    assert server.plan(typo) == []
    # Suspended and resumed meanwhile: what worked last works again.
    assert server.follow(msgspec.structs.replace(typo, enabled=False)) == [DisableLicense]
    (*_, change) = server.plan(typo)
    assert isinstance(change, ChangeLicense)
    assert change.fields == {"enabled": True}
    held = server.applied.license(typo.id).parts
    assert held[change.number]["template"] == "app-seats"
    server.take(server.answer(change))
    assert [type(call) for call in server.plan(typo)] == [ReadCatalog]


def test_a_unit_too_many_ends_though_another_unit_of_the_line_cannot_be_made() -> None:
    server, seats = Server({"app-seats": SEATS}), {"floating_users": 1}
    server.follow(desired(1, **seats), desired(3, **seats))
    wish = [desired(1, **seats), desired(2, **seats), desired(3, enabled=False, **seats)]
    while not isinstance(call := server.plan(*wish)[0], CreateLicense):
        server.take(server.answer(call))
    server.refuse(call)
    assert DisableLicense in server.follow(*wish)
    assert server.applied.license(wish[2].id).fields["enabled"] is False


def test_a_unit_waits_only_for_what_takes_its_own_place() -> None:
    server = Server({"app-seats": SEATS})
    server.follow(desired(1, floating_users=1), desired(2, floating_users=1))
    old = [desired(unit, floating_users=1, enabled=False) for unit in (1, 2)]
    new = desired(1, product_code="OTHER")
    read, disable = server.plan(*old, new)
    assert isinstance(read, ReadCatalog)
    assert isinstance(disable, DisableLicense)
    assert disable.license == old[1].id


def test_a_refused_end_is_tried_again_when_it_comes_a_second_time() -> None:
    def suspended(event: str) -> License:
        why = Because("the subscription is suspended", EventRef(event, "suspended", JANUARY))
        return desired(enabled=False, because={"enabled": why})

    server = Server()
    server.follow(desired())
    (first,) = server.plan(suspended("evt_1"))
    server.refuse(first)
    assert server.plan(suspended("evt_1")) == []
    assert server.follow(desired()) == []
    assert server.follow(suspended("evt_2")) == [DisableLicense]


# --- whose licensee -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("licensee", "same"), [("customer", (True, True)), ("purchase", (False, True)), ("unit", (False, False))]
)
def test_licensees_are_of_customers_purchases_or_units(licensee: Any, same: tuple[bool, bool]) -> None:
    server = Server({"app-seats": SEATS}, Options(licensee=licensee))
    first, second = (desired_of("shop/subscription/a", unit, floating_users=2) for unit in (1, 2))
    server.follow(first, second)
    other = Server({"app-seats": SEATS}, Options(licensee=licensee))
    elsewhere = desired_of("shop/subscription/b", floating_users=2)
    other.follow(elsewhere)
    assert (server.holder(first) == other.holder(elsewhere), server.holder(first) == server.holder(second)) == same


def test_the_same_customer_of_another_source_or_product_is_another_licensee() -> None:
    holders = set()
    for wish in (desired(), desired(stream="other/subscription/a"), desired(product_code="TOOL")):
        server = Server({"month": {**MONTH, "product": wish.product_code}})
        server.follow(wish)
        holders.add(server.holder(wish))
    assert len(holders) == 3


def test_units_whose_times_would_add_up_have_licensees_of_their_own() -> None:
    server, units = Server(), [desired(unit) for unit in (1, 2, 3)]
    server.follow(*units)
    assert len({server.holder(each) for each in units}) == 3


def test_it_is_told_when_times_of_units_add_up_and_only_then() -> None:
    units, shared, own = [desired(unit) for unit in (1, 2, 3)], Server(), Server()
    own.follow(*units)
    assert adding_up(units, own.applied, "nl", own.options) == []
    # As the license generator gives one key for all of them.
    shared.follow(units[0])
    names = {str(each.id): shared.holder(units[0]) for each in units[1:]}
    shared.take(KeysMinted(target="nl", order="o", keys=names, holders=names))
    shared.follow(*units)
    assert adding_up(units, shared.applied, "nl", shared.options) == [
        '3 units of APP share one licensee at nl and their times add up: set licensee = "unit" in [targets.nl.options]'
    ]
    assert adding_up(units[:1], shared.applied, "nl", shared.options) == []
    over = [units[0], *(msgspec.structs.replace(each, enabled=False) for each in units[1:])]
    assert adding_up(over, shared.applied, "nl", shared.options) == []
    for_ever = [msgspec.structs.replace(each, expiry=None) for each in units]
    assert adding_up(for_ever, shared.applied, "nl", shared.options) == []


def test_a_subscription_keeps_its_licensee_when_the_customer_becomes_known() -> None:
    server = Server({"app-seats": SEATS})
    before = desired(floating_users=2, customer=Customer(name="Ada"))
    server.follow(before)
    after = [desired(unit, floating_users=2) for unit in (1, 2)]
    server.follow(*after)
    assert {server.holder(each) for each in after} == {server.holder(before)}


# --- keys that a license generator gave -----------------------------------------------------------------------


def generated(server: Server, *keys: str, claimed: tuple[License, ...]) -> None:
    server.take(KeysGenerated(target="nl", product="app", keys=keys))
    server.take(KeysClaimed(target="nl", product="app", licenses=tuple(each.id for each in claimed)))


def sold(unit: int = 1) -> License:
    return desired(unit, fulfillment="R1/app", floating_users=2)


def test_a_generated_key_is_the_number_of_the_licensee() -> None:
    server = Server({"app-seats": SEATS})
    generated(server, "K1", "K1", claimed=(sold(1), sold(2)))
    server.follow(sold(1), sold(2))
    assert {server.holder(sold(1)), server.holder(sold(2))} == {"K1"}
    assert len({held.remote for held in server.applied.licenses.values()}) == 2
    assert [type(call) for call in server.calls].count(CreateLicensee) == 1


def test_or_that_of_the_license_where_the_vendor_wants_it_so() -> None:
    server = Server({"app-seats": SEATS}, Options(key="license"))
    generated(server, "K1", "K2", claimed=(sold(1), sold(2)))
    server.follow(sold(1), sold(2))
    assert [held.remote for held in server.applied.licenses.values()] == ["K1", "K2"]
    assert server.holder(sold(1)) == server.holder(sold(2)) != "K1"


def test_units_bought_later_join_the_licensee_that_the_customer_was_told() -> None:
    server = Server({"app-seats": SEATS})
    generated(server, "K1", claimed=(sold(1),))
    server.follow(sold(1))
    (call,) = server.plan(sold(1), sold(2))
    assert isinstance(call, NameLicenses)
    assert call.fulfillment == "R1/app"
    assert call.keys == {sold(2).id: "K1"}


def test_records_of_a_plan_can_be_kept() -> None:
    server = Server()
    server.follow(desired())
    assert msgspec.json.decode(msgspec.json.encode(server.applied), type=Applied) == server.applied
