"""Whoever is erased is gone from everything, and nothing else follows from what is left.

All customers of a simulated store go through the real store and the real runner, and are erased one after the other, as
every provider writes of them; and pure properties of the redacted form, for any JSON.
"""

import asyncio
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.erasure import Body, Person, Redaction, fold
from domain.erasure.folding import replaced
from domain.providers import Provider
from domain.providers.fastspring import PROVIDER as FASTSPRING
from domain.providers.stripe import PROVIDER as STRIPE
from projections.targets import Target
from service.sandbox import fastspring, stripe
from service.sandbox.fastspring.people import demo_customers as customers_of_fastspring
from service.sandbox.stripe.people import demo_customers as customers_of_stripe
from service.store.verifying import verify
from tests.deliveries import events_of
from tests.erasing import forget, traces
from tests.projecting import Projected, projecting
from tests.sealed import seal

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
PEOPLE: list[tuple[Provider, Callable[..., Sequence[Any]], Any]] = [
    *((STRIPE, customers_of_stripe, shape) for shape in stripe.Shape),
    *((FASTSPRING, customers_of_fastspring, shape) for shape in fastspring.Shape),
]


async def licenses(projected: Projected) -> list[Any]:
    """Every row of a license without who it is for, and every state."""
    rows = await projected.rows()
    found: list[Any] = [row[:4] for row in rows["stream"]]
    for identifier, stream, target, _, enabled, withheld, key, desired, *_ in rows["license"]:
        told = {k: v for k, v in msgspec.json.decode(desired).items() if k not in {"customer", "users", "because"}}
        found.append((identifier, stream, target, enabled, withheld, key, told))
    return found


@pytest.mark.anyio
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("provider", "people", "shape"), PEOPLE)
async def test_every_customer_of_a_store_can_be_erased_and_every_license_stays(
    database: str, provider: Provider, people: Callable[..., Sequence[Any]], shape: Any
) -> None:
    targets: dict[str, Target] = {}
    customers = people(NOW, shape)
    async with projecting(database, provider=provider, targets=targets) as projected:
        for person in customers:
            await projected.append(events_of(person.deliveries, provider=provider))
        await projected.runner.project_until_idle()
        before = await licenses(projected)
        for number, person in enumerate(customers):
            assert traces(database, [person.email, person.name])
            sought = Person(emails=frozenset({person.email}))
            await asyncio.to_thread(forget, database, projected.sources, sought)
            await projected.runner.project_until_idle()
            assert traces(database, [person.email, person.name]) == []
            for other in customers[number + 1 :]:
                assert traces(database, [other.email])
        assert await licenses(projected) == before
        await seal(database)
        assert (await asyncio.to_thread(verify, database)).findings == []


# --- the redacted form ------------------------------------------------------------------------------------------

KEYS = st.sampled_from(
    ["email", "name", "first", "customer", "address", "city", "id", "description", "phone", "items", "recipients", "x"]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**6),
    st.text(max_size=8),
    st.sampled_from(["ada@example.com", "ADA@Example.com", "Ada Example", "Ada", "bob@example.com", "cus_1", "APP"]),
)
ANY_JSON = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)
ADA = Person(emails=frozenset({"ada@example.com"}), references=frozenset({("acme", "cus_1")}))


def form_of(value: Any) -> Any:
    """The types of a value, and the values that are not texts."""
    match value:
        case dict():
            return {key: form_of(each) for key, each in value.items()}
        case list():
            return [form_of(each) for each in value]
        case str():
            return str
        case bool() | None:
            return value
        case _:
            return Decimal


@given(content=ANY_JSON, own=st.booleans())
def test_the_redacted_form_of_any_json_has_its_shape_and_nothing_of_the_person(content: Any, own: bool) -> None:
    redaction = Redaction(ADA, "a1")
    encoded = msgspec.json.Encoder(decimal_format="number").encode(content)
    body = Body(source="acme", content=encoded, own=own)
    redaction.learn(body)
    redacted = redaction.redact(body)
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    assert form_of(decode(redacted)) == form_of(decode(encoded))
    assert b"ada@example.com" not in redacted.lower()
    again = msgspec.structs.replace(body, content=redacted)
    assert redaction.redact(again) == redacted, "what is redacted stays as it is"
    assert Redaction(ADA, "b2").redact(again) == redacted, "by a later act too"


@given(junk=st.binary(max_size=200))
def test_whatever_is_no_json_is_redacted_by_value(junk: bytes) -> None:
    redaction = Redaction(ADA, "a1")
    body = Body(source="acme", content=junk + b" ada@example.com " + junk, content_type="text/plain")
    redaction.learn(body)
    assert b"ada@example.com" not in redaction.redact(body)


LETTERS = st.sampled_from("ai\u0131İIs\u017fßẞSKké")
NAMES = st.lists(st.text(LETTERS, min_size=3, max_size=6), min_size=2, max_size=3).map(" ".join)
WRITTEN: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
    [
        str,
        str.upper,
        str.lower,
        str.casefold,
        quote,
        quote_plus,
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00"),
    ]
)


@given(name=NAMES, around=st.text(st.sampled_from("éß .:%\\"), max_size=4), written=WRITTEN)
def test_a_name_of_any_letters_goes_in_any_case_and_encoding_and_what_is_around_it_stays(
    name: str, around: str, written: Callable[[str], str]
) -> None:
    redaction = Redaction(ADA, "a1")
    about = {"email": "ada@example.com", "name": name}
    text = f"{around} <{written(name)}> {around}"
    body = Body(source="acme", content=msgspec.json.encode({"customer": about, "x": {"y": text}}), own=True)
    redaction.learn(body)
    told = msgspec.json.decode(redaction.redact(body))
    assert told["x"]["y"] == f"{around} <{told['customer']['name']}> {around}"


@given(text=st.text(st.one_of(st.characters(), st.sampled_from("%\\u40İßé\u0307")), max_size=40))
def test_a_folded_text_knows_its_places_in_the_original(text: str) -> None:
    assert replaced(text, re.compile("(?s:.+)"), lambda whole: whole if text else "") == fold(text)
    assert fold("".join(map(fold, text))) or not text
