"""Which bodies are taken for naming the person who is to be forgotten."""

import json
from urllib.parse import urlencode

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


@pytest.mark.parametrize(
    "other", ["joann@same.org", "jo.ann@same.org", "jo-ann@same.org", "ann@same.org.uk", "éann@same.org"]
)
def test_who_has_an_address_that_contains_this_one_is_somebody_else(other: str) -> None:
    sought = needles(Person(emails=frozenset({"ann@same.org"})))
    for body in (f'{{"email":"{other}"}}', json.dumps({"email": other}), urlencode({"email": other})):
        assert not names(sought, body.encode())
    assert names(sought, b'{"text":"write to:\\nann@same.org"}')


@pytest.mark.parametrize(
    ("email", "body"),
    [
        ("jörg@x.de", '{"email":"JÖRG@x.de"}'),
        ("jörg@x.de", '{"email":"j\\u00d6rg@x.de"}'),
        ("jörg@x.de", '{"meta":"{\\"email\\":\\"j\\\\u00d6rg@x.de\\"}"}'),
        ("jörg@x.de", '{"email":"Jo\u0308rg@x.de"}'),
        ("jörg@x.de", "email=J%C3%96rg%40x.de"),
        ("groß@x.de", '{"email":"groß@x.de"}'),
        ("gross@x.de", '{"email":"GROẞ@x.de"}'),
        ("a+b@x.de", '{"url":"?e=a%2Bb@x.de"}'),
        ("a+b@x.de", '{"url":"?e=a+b%40x.de"}'),
        ("a+b@x.de", '{"url":"?then=%3Fe%3Da%252Bb%2540x.de"}'),
        ("tom@trunc.com", '{"email":"tom\\u0040trunc.com", "na'),
    ],
)
def test_an_address_is_found_in_any_case_composition_and_encoding(email: str, body: str) -> None:
    assert names(needles(Person(emails=frozenset({email.casefold()}))), body.encode())


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["\\", "%25", "%", "i", "\\u00"])
def test_a_long_row_of_what_begins_an_escape_is_read_once(text: str) -> None:
    """A hundred thousand times from each to the end takes longer than anybody waits."""
    body = text * 200_000 + " ada@example.com"
    assert names(needles(ADA), body.encode())
