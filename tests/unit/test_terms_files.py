"""Prices and products as vendors have them in files."""

import re
from typing import Any

import msgspec
import pytest

from service.terms_files import LARGEST_FILE, FileUnclear, Offer, read_offers

PRICE = {
    "id": "price_pro",
    "object": "price",
    "type": "recurring",
    "recurring": {"interval": "month"},
    "metadata": {"short_code": "pro"},
}
ONCE: dict[str, Any] = {"id": "price_once", "object": "price", "type": "one_time", "recurring": None, "metadata": {}}
PRODUCT = {
    "product": "falcon-pro",
    "attributes": {"product_short_code": "pro"},
    "pricing": {"interval": "month", "intervalLength": 1},
}
FEE = {"product": "set-up-fee", "pricing": {"price": {"USD": 10}}}


def read(document: Any, **options: Any) -> list[Offer]:
    return read_offers(msgspec.json.encode(document), **options)


def test_a_stripe_price_is_recurring_when_it_says_so() -> None:
    assert read(PRICE) == [
        Offer(name="price_pro", provider="stripe", recurring=True, attributes={"short_code": "pro"}),
    ]
    assert [offer.recurring for offer in read(ONCE)] == [False]


def test_a_list_of_stripe_prices_is_read_in_its_order() -> None:
    assert [offer.name for offer in read({"object": "list", "data": [PRICE, ONCE], "has_more": False})] == [
        "price_pro",
        "price_once",
    ]


@pytest.mark.parametrize("document", [PRODUCT, {"products": [PRODUCT]}, [PRODUCT]], ids=["one", "answer", "list"])
def test_a_fastspring_product_is_read_in_every_wrapping(document: Any) -> None:
    attributes = {"product_short_code": "pro"}
    assert read(document) == [
        Offer(name="falcon-pro", provider="fastspring", recurring=True, attributes=attributes),
    ]


def test_a_fastspring_product_without_an_interval_is_bought_once() -> None:
    assert read(FEE) == [Offer(name="set-up-fee", provider="fastspring", recurring=False, attributes={})]


VERSION = {
    "id": 7,
    "linkedSpaceId": 405,
    "product": {"id": 3, "reference": "falcon"},
    "comment": "For teams.\nproduct_short_code = pro\nquantity = seat\nexport.product_short_code = more",
}


@pytest.mark.parametrize("document", [VERSION, {"data": [VERSION], "hasMore": False}, [VERSION]])
def test_a_wallee_product_version_is_read_by_its_comment(document: Any) -> None:
    assert read(document) == [
        Offer(name="falcon", provider="wallee", recurring=True, attributes={"product_short_code": "pro"}),
        Offer(name="falcon/export", provider="wallee", recurring=True, attributes={"product_short_code": "more"}),
    ]
    assert read({**VERSION, "comment": None}) == [
        Offer(name="falcon", provider="wallee", recurring=True, attributes={})
    ]


def test_a_draft_of_a_comment_is_enough() -> None:
    [offer] = read({"comment": "product_short_code = pro"}, provider="wallee")
    assert (offer.name, offer.attributes) == ("product", {"product_short_code": "pro"})


def test_attributes_by_name_belong_to_the_store_that_was_named() -> None:
    plain = {"pro": {"short_code": "pro"}, "once": {"short_code": "pro", "license_type": "perpetual"}}
    assert [(offer.name, offer.provider, offer.recurring) for offer in read(plain, provider="stripe")] == [
        ("pro", "stripe", True),
        ("once", "stripe", True),
    ]
    assert [offer.recurring for offer in read(plain, provider="stripe", recurring=False)] == [False, False]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"pro": {"short_code": "pro"}}, "give --provider stripe, fastspring, wallee"),
        ({"object": "product", "id": "prod_1"}, "holds a Stripe 'product': give prices"),
        ({"products": ["falcon-pro"]}, "GET /products/PATH,PATH"),
        ({"object": "list", "data": []}, "holds no price and no product"),
        ({}, "is neither a Stripe price"),
        (7, "is neither a Stripe price, nor a FastSpring product"),
        ([7], "holds something that is no price and no product"),
        ({**PRODUCT, "attributes": {"max_activations": 3}}, "max_activations is 3; stores keep texts"),
        ({**PRODUCT, "attributes": ["pro"]}, "no object of names and values"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(document: Any, said: str) -> None:
    with pytest.raises(FileUnclear, match=re.escape(said)):
        read(document)


def test_what_the_file_says_of_its_store_must_fit_what_was_asked() -> None:
    with pytest.raises(FileUnclear, match="price_pro, which is of stripe, and --provider says fastspring"):
        read(PRICE, provider="fastspring")


def test_what_is_no_json_or_too_large_is_refused() -> None:
    with pytest.raises(FileUnclear, match="is not JSON"):
        read_offers(b"short_code = pro")
    with pytest.raises(FileUnclear, match="is not JSON"):
        read_offers(b"\xff")
    with pytest.raises(FileUnclear, match="is larger than 16 MiB"):
        read_offers(b" " * (LARGEST_FILE + 1))
    with pytest.raises(FileUnclear, match="holds more than 10000"):
        read([PRICE] * 10_001)
