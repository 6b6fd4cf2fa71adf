"""The plan: what LicenseSpring has to be told so that it holds what is desired, and nothing more."""

from datetime import timedelta

import pytest

from domain import facts as f
from domain.acts import LicenseDisabled
from domain.receipts import (
    AnyReceipt,
    Applied,
    CustomerChanged,
    KeysMinted,
    LicenseChanged,
    OrderCreated,
    OrderMissing,
    PushRefused,
    PushRetried,
    apply_receipt,
)
from projections.targets import Call
from projections.targets.keys import MintKeys
from projections.targets.licensespring.calls import (
    ChangeCustomer,
    ChangeLicense,
    CreateOrder,
    DisableLicense,
    EnableLicense,
    FindOrder,
)
from projections.targets.licensespring.express import express, express_dates
from projections.targets.licensespring.plan import plan
from tests.stories import (
    FEBRUARY,
    JANUARY,
    MARCH,
    MID_JANUARY,
    Story,
    acted,
    activated,
    described,
    given,
    happened,
    line,
    paid,
    period,
)

ADA = f.CustomerDescribed(reference="cus_ada", email="ada@example.com", name="Ada Example")


def bought(quantity: int = 1) -> Story:
    return given(
        happened(
            JANUARY,
            ADA,
            described(line(quantity=quantity, start=JANUARY, end=FEBRUARY)),
            activated(),
            paid("in_1", period(JANUARY, FEBRUARY)),
        )
    )


class Server:
    """What a LicenseSpring would answer to the calls of a plan, as receipts."""

    def __init__(self) -> None:
        self.applied = Applied()
        self.calls: list[Call] = []

    def take(self, receipt: AnyReceipt) -> None:
        self.applied = apply_receipt({"ls": self.applied}, receipt, JANUARY)["ls"]

    def follow(self, story: Story) -> list[type[Call]]:
        """Answers every call that the story leads to; what kinds they were."""
        self.calls = []
        while calls := plan(story.licenses, self.applied):
            assert len(self.calls) < 20, "the plan does not come to an end"
            self.calls.append(calls[0])
            self.take(answer(calls[0]))
        return [type(call) for call in self.calls]


@pytest.mark.parametrize("refused", [False, True])
def test_the_plan_is_the_same_whatever_order_the_licenses_come_in(refused: bool) -> None:
    desired, applied = bought(5).licenses, Applied()
    (mint,) = plan(desired, applied)
    assert [*plan(desired[::-1], applied), *plan(sorted(desired, key=lambda each: each.id), applied)] == [mint, mint]
    server = Server()
    server.take(answer(mint))
    (create,) = plan(desired, server.applied)
    if refused:
        server.take(
            PushRefused(
                target="ls", subjects=create.subjects, call=create.name, status=400, text="no", digest=create.digest
            )
        )
    assert plan(desired[::-1], server.applied) == ([] if refused else [create])


def answer(call: Call) -> AnyReceipt:
    match call:
        case MintKeys():
            return KeysMinted(target="ls", order=call.order, keys={name: f"KEY-{name}" for name in call.subjects})
        case CreateOrder():
            return OrderCreated(
                target="ls",
                order=call.order,
                licenses={name: str(number) for number, name in enumerate(call.subjects, 1000)},
                fields={name: {**new.fields, "enabled": True} for name, new in call.licenses.items()},
                customer="77",
                customer_fields=call.customer,
            )
        case FindOrder():
            return OrderMissing(target="ls", order=call.order, licenses=call.subjects)
        case ChangeLicense():
            return LicenseChanged(target="ls", license=call.license, fields=call.fields)
        case EnableLicense():
            return LicenseChanged(target="ls", license=call.license, fields={"enabled": True})
        case DisableLicense():
            return LicenseChanged(target="ls", license=call.license, fields={"enabled": False})
        case ChangeCustomer():
            return CustomerChanged(target="ls", customer=call.customer, fields=call.fields)
        case _:
            raise AssertionError(call)


def test_a_first_purchase_mints_its_keys_and_then_creates_one_order_with_them() -> None:
    server = Server()
    story = bought(quantity=3)
    assert server.follow(story) == [MintKeys, CreateOrder]
    mint, create = server.calls
    assert isinstance(create, CreateOrder)
    assert create.order == mint.order == f"tenure-{story.licenses[0].id}"
    assert create.keys == {each.id: f"KEY-{each.id}" for each in story.licenses}
    assert create.product_code == "APP"
    assert create.customer["email"] == "ada@example.com"


def test_nothing_is_left_to_do_once_everything_is_applied() -> None:
    server = Server()
    server.follow(bought())
    assert server.follow(bought()) == []


def test_a_renewal_changes_the_date_and_says_along_that_it_is_no_trial() -> None:
    server = Server()
    server.follow(bought())
    renewed = bought().when(happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH))))
    assert server.follow(renewed) == [ChangeLicense]
    (change,) = server.calls
    assert isinstance(change, ChangeLicense)
    assert change.fields == {"validity_period": "2026-03-01", "is_trial": False}


def test_units_added_later_get_an_order_of_their_own() -> None:
    server = Server()
    server.follow(bought(quantity=2))
    first = server.calls[1].order
    more = bought(quantity=2).when(happened(FEBRUARY, described(line(quantity=4, start=JANUARY, end=FEBRUARY))))
    assert server.follow(more) == [MintKeys, CreateOrder]
    assert server.calls[1].order != first
    assert len(server.calls[1].subjects) == 2


def test_units_taken_away_are_disabled_newest_first_and_come_back_with_the_same_key() -> None:
    server = Server()
    three, two = (described(line(quantity=count, start=JANUARY, end=FEBRUARY)) for count in (3, 2))
    story = bought(quantity=3)
    server.follow(story)
    keys = {name: held.key for name, held in server.applied.licenses.items()}
    fewer = story.when(happened(FEBRUARY, two))
    assert server.follow(fewer) == [DisableLicense]
    assert server.calls[0].subjects == (story.licenses[2].id,)
    assert server.follow(fewer.when(happened(MARCH, three))) == [EnableLicense]
    assert {name: held.key for name, held in server.applied.licenses.items()} == keys


def test_the_end_disables_and_touches_nothing_else() -> None:
    server = Server()
    server.follow(bought())
    assert server.follow(bought().when(happened(FEBRUARY, f.SubscriptionTerminated()))) == [DisableLicense]


def test_a_license_that_comes_back_is_enabled_before_a_value_can_be_refused() -> None:
    server = Server()
    server.follow(bought())
    suspended = bought().when(happened(FEBRUARY, f.SubscriptionSuspended(reason="unpaid")))
    assert server.follow(suspended) == [DisableLicense]
    back = suspended.when(happened(MARCH, activated(), paid("in_2", period(FEBRUARY, MARCH))))
    assert server.follow(back) == [EnableLicense, ChangeLicense]


def test_what_ended_before_it_was_ever_created_is_not_created() -> None:
    assert Server().follow(bought().when(happened(FEBRUARY, f.SubscriptionTerminated()))) == []


def test_an_order_with_unclear_outcome_that_is_no_longer_wanted_is_looked_for_once() -> None:
    server = Server()
    (mint, *_) = plan(bought().licenses, server.applied)
    server.take(answer(mint))
    ended = bought().when(happened(FEBRUARY, f.SubscriptionTerminated()))
    assert server.follow(ended) == [FindOrder]
    assert server.follow(ended) == []


def test_an_order_found_after_all_is_disabled_when_it_is_no_longer_wanted() -> None:
    server = Server()
    for _ in range(2):
        server.take(answer(plan(bought().licenses, server.applied)[0]))
    assert server.follow(bought().when(happened(FEBRUARY, f.SubscriptionTerminated()))) == [DisableLicense]


def test_a_refused_call_waits_until_something_else_is_desired_or_an_operator_asks() -> None:
    server = Server()
    story = bought()
    (mint,) = plan(story.licenses, server.applied)
    refused = PushRefused(
        target="ls", subjects=mint.subjects, call=mint.name, status=400, text="no", digest=mint.digest
    )
    server.take(refused)
    assert plan(story.licenses, server.applied) == []
    server.take(PushRetried(target="ls", subjects=mint.subjects))
    assert plan(story.licenses, server.applied) == [mint]
    server.take(refused)
    changed = story.when(happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH))))
    assert server.follow(changed) == [MintKeys, CreateOrder]


def test_one_refused_line_does_not_hold_up_the_other() -> None:
    server = Server()
    story = given(
        happened(
            JANUARY,
            described(
                line("si_1", start=JANUARY, end=FEBRUARY),
                line("si_2", start=JANUARY, end=FEBRUARY, attributes={"short_code": "OTHER"}),
            ),
            activated(),
        )
    )
    first, second = plan(story.licenses, server.applied)
    server.take(PushRefused(target="ls", subjects=first.subjects, call="x", status=400, text="no", digest=first.digest))
    assert plan(story.licenses, server.applied) == [second]


def test_what_an_operator_disabled_does_not_wait_for_a_unit_that_is_refused() -> None:
    server = Server()
    server.follow(bought())
    two = bought().when(happened(MID_JANUARY, described(line(quantity=2, start=JANUARY, end=FEBRUARY)), named="more"))
    (mint,) = plan(two.licenses, server.applied)
    server.take(answer(mint))
    (create,) = plan(two.licenses, server.applied)
    server.take(
        PushRefused(target="ls", subjects=create.subjects, call="x", status=400, text="no", digest=create.digest)
    )
    first = two.licenses[0].id
    assert create.subjects == (two.licenses[1].id,)
    (disable,) = plan(two.when(acted(FEBRUARY, LicenseDisabled(license=first))).licenses, server.applied)
    assert isinstance(disable, DisableLicense)
    assert disable.license == first


def test_a_surplus_unit_ends_while_the_license_that_replaces_another_unit_is_refused() -> None:
    server = Server()
    server.follow(bought(2))
    pro = line(start=JANUARY, end=FEBRUARY, attributes={"product_short_code": "PRO"})
    story = bought(2).when(happened(MID_JANUARY, described(pro), named="another"))
    replaced, surplus = (each.id for each in story.licenses if each.product_code == "APP")
    mint, *_ = plan(story.licenses, server.applied)
    server.take(answer(mint))
    create, *_ = plan(story.licenses, server.applied)
    server.take(
        PushRefused(target="ls", subjects=create.subjects, call="x", status=400, text="no", digest=create.digest)
    )
    (disable,) = plan(story.licenses, server.applied)
    assert isinstance(disable, DisableLicense)
    assert disable.license == surplus
    server.take(PushRetried(target="ls", subjects=create.subjects))
    server.follow(story)
    assert {call.license for call in server.calls if isinstance(call, DisableLicense)} == {surplus, replaced}


def test_a_license_that_nothing_derives_any_more_is_disabled() -> None:
    server = Server()
    server.follow(bought())
    assert [type(call) for call in plan([], server.applied)] == [DisableLicense]


def test_a_customer_whose_address_changed_is_updated_but_keeps_the_first_reference() -> None:
    server = Server()
    server.follow(bought())
    moved = bought().when(happened(FEBRUARY, f.CustomerDescribed(reference="cus_2", email="ada@new.example")))
    assert server.follow(moved) == [ChangeCustomer]
    (change,) = server.calls
    assert isinstance(change, ChangeCustomer)
    assert change.fields == {"email": "ada@new.example"}


@pytest.mark.parametrize(
    ("beyond_midnight", "day"),
    [(timedelta(0), "2026-02-01"), (timedelta(microseconds=1), "2026-02-02"), (timedelta(hours=23), "2026-02-02")],
)
def test_an_expiry_is_rounded_up_to_the_first_date_not_before_it(beyond_midnight: timedelta, day: str) -> None:
    end = FEBRUARY + beyond_midnight
    (license_,) = given(
        happened(JANUARY, described(line(start=JANUARY, end=end)), activated(), paid("in_1", period(JANUARY, end)))
    ).licenses
    assert express(license_)["validity_period"] == day
    assert express(license_)["grace_period"] == 48


def test_what_the_store_does_not_say_is_left_to_the_product() -> None:
    (license_,) = given(
        happened(JANUARY, described(line(attributes={"short_code": "APP"}, recurring=False)), activated())
    ).licenses
    assert express(license_) == {}


def test_a_license_without_grace_on_the_server_has_its_margin_in_the_date() -> None:
    attributes = {"short_code": "APP", "license_type": "consumption", "max_consumptions": "100"}
    (license_,) = given(
        happened(
            JANUARY,
            described(line(start=JANUARY, end=FEBRUARY, attributes=attributes)),
            activated(),
            paid("in_1", period(JANUARY, FEBRUARY)),
        )
    ).licenses
    assert express_dates(license_) == {"is_trial": False, "validity_period": "2026-02-03"}
