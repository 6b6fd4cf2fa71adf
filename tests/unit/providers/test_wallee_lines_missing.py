"""Given answers that do not say what was bought, then it stays as it was understood last and a person is told."""

import pytest

from domain.history import Fold
from domain.licensing import entitle
from domain.policy import Policy
from domain.providers.wallee import PROVIDER
from tests.payloads import wallee as w
from tests.payloads.wallee import COMPONENT, IN, MARCH, Json

SEATS = w.whole(versions=[w.version(chosen={str(COMPONENT): 10})])
DUO = w.whole(
    w.subscription(comment="a.product_short_code = pa\nb.product_short_code = pb"),
    versions=[w.version(chosen={"311": 1, "312": 2})],
    components=[w.component(311, "a"), w.component(312, "b")],
)
NAMELESS = {"id": COMPONENT, "version": 1, "reference": {"id": 5}}


def commented(comment: str) -> Json:
    return {"subscription": w.subscription(version=4, comment=comment)}


def after(*pages: Json) -> Fold:
    return w.folded(*(w.read(page, asked=MARCH.replace(minute=number)) for number, page in enumerate(pages)))


def working(fold: Fold) -> int:
    return sum(each.enabled for each in entitle(IN, fold.subscription, Policy()).licenses)


def waits_for(fold: Fold) -> list[str]:
    announced = w.folded(w.delivered(w.webhook())).subscription.announced
    fold.subscription.announced = announced
    return [want.why for want in PROVIDER.wants(IN, fold.subscription) if want.essential]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"components": []}, "component 311 of the subscription was not found, or has no SKU"),
        ({"components": [NAMELESS]}, "component 311"),
        ({"components": [w.component(sku="seats")]}, "counts units by 'seat', and chosen by SKU are seats"),
        (commented("quantity = saet\nproduct_short_code = falcon"), "counts units by 'saet'"),
        (commented("quantity = 5\nproduct_short_code = falcon"), "counts units by '5'"),
        ({"versions": [w.version(componentConfigurations=None)]}, "chosen by SKU are none"),
        ({"subscription": w.subscription(version=4, currentProductVersion=None)}, "the version of its product"),
        ({"subscription": w.subscription(version=4, currentProductVersion={"id": 301})}, "what version 301"),
    ],
)
def test_no_seat_is_taken_away_where_it_is_not_told_how_many_there_are(change: Json, said: str) -> None:
    page = {**SEATS, **change}
    if "product" in said and "version" in said:
        page["versions"] = [w.version(number=7102, productVersion=None)]
    fold = after(SEATS, page)
    assert working(fold) == 10
    [why] = waits_for(fold)
    assert said in why


@pytest.mark.parametrize("change", [{"components": []}, {"versions": []}, commented("quantity = saet\nshort_code = x")])
def test_a_new_one_waits_instead_of_being_guessed(change: Json) -> None:
    fold = after({**SEATS, **change})
    assert (working(fold), len(waits_for(fold))) == (0, 1)
    fold = after({**SEATS, **change}, w.whole(w.subscription(version=5), versions=SEATS["versions"]))
    assert (working(fold), waits_for(fold)) == (10, [])


def test_a_component_that_is_not_found_keeps_its_line_and_the_others_go_on() -> None:
    fold = after(DUO, {**DUO, "components": [w.component(311, "a")]})
    assert (working(fold), len(waits_for(fold))) == (3, 1)


def test_a_component_that_the_comment_needs_not_may_be_nameless() -> None:
    chosen = [w.version(chosen={str(COMPONENT): 10, "312": 1})]
    fold = after({**SEATS, "versions": chosen})
    assert (working(fold), waits_for(fold)) == (10, [])


def test_a_component_that_was_not_chosen_any_more_is_removed() -> None:
    fewer = w.whole(
        DUO["subscription"], versions=[w.version(number=7102, chosen={"311": 1})], components=[w.component(311, "a")]
    )
    fold = after(DUO, fewer)
    assert (working(fold), waits_for(fold)) == (1, [])


@pytest.mark.parametrize("items", [None, []])
def test_a_purchase_whose_items_are_told_no_more_keeps_them(items: list[Json] | None) -> None:
    bought = w.transaction(lineItems=[w.item(product_short_code="falcon")])
    pages = [{"transaction": bought}, {"transaction": {**bought, "version": 5, "lineItems": items}}]
    about = f"payment/transactions/{w.TRANSACTION}#"
    events = [w.answered(f"{about}{page}", pages[page], stream=w.IN_TRANSACTION)[0] for page in (0, 1)]
    licenses = entitle(w.IN_TRANSACTION, w.folded(*events).subscription, Policy()).licenses
    assert [each.enabled for each in licenses] == [True]


def test_a_date_that_is_an_empty_text_is_not_told() -> None:
    assert working(after({**SEATS, "charges": [w.charge(plannedExecutionDate="")]})) == 10


def test_nobody_waits_once_it_is_over() -> None:
    fold = after(SEATS, {**SEATS, "subscription": w.subscription("TERMINATED", version=9), "components": []})
    assert (working(fold), waits_for(fold)) == (0, [])
