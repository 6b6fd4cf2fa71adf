"""Given a transaction of no subscription, then what was bought once, and whether it is licensed."""

from typing import Any

import pytest

from domain.history import Fold
from domain.licensing import License, entitle
from domain.policy import Policy
from domain.providers import open_wants
from domain.providers.wallee import PROVIDER
from tests.payloads import wallee as w
from tests.payloads.wallee import FEBRUARY, IN_TRANSACTION, MARCH, TRANSACTION, Json

TERMS: Json = {"product_short_code": "falcon", "license_type": "perpetual"}
TWO = [w.item(quantity=2.0, **TERMS), w.item("handbook"), w.item("falcon-for-good", type_="DISCOUNT", **TERMS)]


def bought(state: str = "FULFILL", items: list[Json] | None = None, **more: Any) -> Json:
    shown = w.transaction(state, lineItems=TWO if items is None else items, confirmedOn=w.date(w.JANUARY), **more)
    return {"transaction": shown, "charges": []}


def after(*pages: Json) -> Fold:
    events = [w.delivered(w.webhook("Transaction", TRANSACTION))]
    for number, page in enumerate(pages):
        about = f"payment/transactions/{TRANSACTION}#{number}"
        [event] = w.answered(about, page, stream=IN_TRANSACTION, asked=(FEBRUARY, MARCH)[min(number, 1)])
        events.append(event)
    return w.folded(*events)


def licenses(fold: Fold, **policy: Any) -> tuple[License, ...]:
    return entitle(IN_TRANSACTION, fold.subscription, Policy(**policy)).licenses


def wants(fold: Fold) -> list[Any]:
    return open_wants(PROVIDER, IN_TRANSACTION, fold.subscription)


def test_what_is_paid_is_licensed_by_the_attributes_of_its_items() -> None:
    fold = after(bought())
    assert fold.subscription.state.value == "active"
    held = licenses(fold)
    assert [(each.line, each.product_code, each.license_type, each.enabled) for each in held] == [
        ("falcon-for-good", "falcon", "perpetual", True)
    ] * 2
    assert {each.expiry for each in held} == {None}
    assert held[0].customer.email == "ada@example.com"


def test_items_without_license_attributes_are_no_licenses() -> None:
    fold = after(bought(items=[w.item("handbook")]))
    assert (licenses(fold), fold.subscription.state.value) == ((), "active")


@pytest.mark.parametrize("state", ["CONFIRMED", "PROCESSING", "AUTHORIZED", "COMPLETED"])
def test_what_is_not_fulfilled_is_not_paid(state: str) -> None:
    fold = after(bought(state))
    assert (licenses(fold), fold.subscription.state.value) == ((), "pending")
    assert licenses(after(bought(state), bought()))


@pytest.mark.parametrize("state", ["CREATE", "PENDING"])
def test_what_is_in_the_cart_is_nothing_yet_and_is_read_again(state: str) -> None:
    terms: Json = {**TERMS, "unpaid_active_license_period": "5d"}
    fold = after(bought(state, [w.item(**terms)]))
    assert not licenses(fold)
    assert not fold.subscription.identified
    assert wants(fold)


@pytest.mark.parametrize("state", ["FAILED", "VOIDED", "DECLINE"])
def test_what_failed_is_over_however_often_it_is_read(state: str) -> None:
    fold = after(bought("CONFIRMED"), bought(state), bought(state))
    assert (fold.subscription.state.value, fold.subscription.anomalies) == ("terminated", 0)
    assert not [each for each in licenses(fold) if each.enabled]


def test_all_its_money_back_disables_and_a_part_of_it_does_not() -> None:
    part = after(bought(), bought(refundedAmount=10.0))
    assert all(each.enabled for each in licenses(part))
    assert not any(each.enabled for each in licenses(part, on_partial_refund="disable"))
    full = after(bought(), bought(refundedAmount=30.0))
    assert full.subscription.state.value == "terminated"
    assert not any(each.enabled for each in licenses(full))
    for pages in ([bought(refundedAmount=30.0)], [bought(refundedAmount=30.0)] * 2):
        subscription = after(*pages).subscription
        assert (subscription.state.value, subscription.anomalies) == ("terminated", 0)


def test_a_purchase_is_read_anew_after_each_announcement() -> None:
    fold = after(bought())
    [want] = wants(fold)
    assert want.about.startswith(f"payment/transactions/{TRANSACTION}#")
    assert not want.essential


def test_the_payment_of_a_charge_is_no_purchase_and_is_not_read_again() -> None:
    page = {"transaction": w.transaction(lineItems=TWO), "charges": [{"id": 1}]}
    fold = after(page)
    assert (licenses(fold), fold.subscription.identified, wants(fold)) == ((), False, [])


def test_what_is_read_of_an_older_version_counts_for_nothing() -> None:
    fold = after(bought(version=5), bought("CONFIRMED", version=4))
    assert fold.subscription.state.value == "active"


def test_two_items_of_one_number_are_two_lines() -> None:
    fold = after(bought(items=[w.item(**TERMS), w.item(**TERMS)]))
    assert [each.line for each in licenses(fold)] == ["falcon-for-good", "falcon-for-good/2"]


def test_a_part_of_a_unit_is_licensed_as_a_whole_one() -> None:
    assert len(licenses(after(bought(items=[w.item(quantity=1.2, **TERMS)])))) == 2


@pytest.mark.parametrize("quantity", [-1, 1e300, 3_000_000_000])
def test_a_quantity_that_is_none_cannot_be_read(quantity: float) -> None:
    event = w.answered("payment/transactions/9001#1", bought(items=[w.item(quantity=quantity)]), stream=IN_TRANSACTION)
    with pytest.raises(Exception, match="Expected a quantity"):
        PROVIDER.translate(event[0])


def test_wrong_attributes_are_a_problem_that_says_what_is_allowed() -> None:
    fold = after(bought(items=[w.item(product_short_code="falcon", max_activations="many")]))
    [problem] = entitle(IN_TRANSACTION, fold.subscription, Policy()).problems
    assert "max_activations of product falcon-for-good is 'many'; allowed: a whole number" in problem


def test_a_license_before_the_payment_counts_from_when_it_was_confirmed() -> None:
    terms: Json = {"product_short_code": "falcon", "unpaid_active_license_period": "5d"}
    [held] = licenses(after(bought("AUTHORIZED", [w.item(**terms)])))
    assert (held.enabled, held.expiry) == (True, w.JANUARY.replace(day=6))


@pytest.mark.parametrize(
    ("environments", "test"),
    [
        ({"environment": "PREVIEW"}, True),
        ({"environment": "PREVIEW", "authorizationEnvironment": "TEST"}, True),
        ({"environment": "PREVIEW", "authorizationEnvironment": "PRODUCTION"}, False),
        ({"environment": "LIVE"}, False),
        ({"environment": None}, False),
        ({}, False),
    ],
)
def test_only_what_says_so_is_a_test(environments: Json, test: bool) -> None:
    assert after(bought(**environments)).subscription.test is test
