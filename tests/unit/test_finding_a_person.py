"""Which bodies are taken for naming the person who is to be forgotten."""

import pytest

from domain.erasure import Person
from service.erasure.finding import names, needles

ADA = Person(emails=frozenset({"ada@example.com"}), references=frozenset({("shop", "cus_1")}))


@pytest.mark.parametrize(
    "body",
    [
        b'{"email":"ada@example.com"}',
        b'{"email":"ADA@Example.com"}',
        b'{"email":"ada\\u0040example.com"}',
        b'{"meta":"{\\"email\\":\\"ada\\\\u0040example.com\\"}"}',
        b"email=ada%40example.com&quantity=2",
        b'{"url":"https://shop.example/?e=ada%40example.com"}',
        b'{"customer":"cus_1"}',
    ],
)
def test_a_body_that_names_the_person_is_found_however_it_is_written(body: bytes) -> None:
    assert names(needles(ADA), body)
    assert not names(needles(ADA), body.replace(b"cus_1", b"cus_12").replace(b".com", b".org"))
