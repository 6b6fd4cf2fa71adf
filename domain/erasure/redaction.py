"""The redacted form of a body: one person's values gone, whatever licenses follow from as it was. Pure.

By structure: in what is about the person, the values of keys that hold personal data. By value: every value found so,
in any event of the person, wherever else it stands. Ids, products, quantities, dates and amounts stay, and so does what
is about somebody else.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import msgspec

from domain.erasure.folding import fold
from domain.erasure.keys import (
    KEPT_OF_ADDRESS,
    OF_ADDRESS,
    OTHERS,
    PERSONS,
    REFERENCES,
    WITHIN_ADDRESS,
    WITHIN_PERSON,
    Kind,
    is_address,
    kind_of_key,
    kind_of_part,
    plain,
)
from domain.erasure.person import Person
from domain.erasure.standins import is_stand_in
from domain.erasure.values import Values, is_number_of_person

# Numbers keep their digits: an amount of 29.00 stays 29.00.
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")

_NESTED = ("{", "[")
_FORM = "application/x-www-form-urlencoded"

Whose = Literal["person", "somebody", "nobody"]
About = Literal["address", "somebody", ""]
"""Whether an object is about somebody, with the address among the rest."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A stored body. `own`: the part at `item` is of a stream that is the person's."""

    source: str
    content: bytes
    content_type: str = "application/json"
    item: str = ""
    own: bool = False


class Redaction:
    """What is known of the person's values, and the stand-ins for them: of one act of erasure.

    Show it all bodies (`learn`), then ask for the redacted form of each (`redact`).
    """

    def __init__(self, person: Person, act: str) -> None:
        self._values = Values(act)
        self.is_about(person)

    def is_about(self, person: Person) -> None:
        """The person, of whom more may have become known."""
        self.person = person
        self._emails = frozenset(map(fold, person.emails))
        for email in sorted(person.emails):
            self._values.found(email, "email")

    def learn(self, body: Body) -> None:
        """Takes note of the person's values in a body."""
        content = _decoded(body)
        if content is not None:
            self._walk(content, body, "nobody", (), record=True)

    def redact(self, body: Body) -> bytes:
        """The body in its redacted form: the same bytes where it holds nothing of the person, or was redacted."""
        content = _decoded(body)
        if content is None:
            text = body.content.decode("utf-8", "surrogateescape")
            return self._values.without(text, free=True).encode("utf-8", "surrogateescape")
        redacted = self._walk(content, body, "nobody", (), record=False)
        if redacted == content:
            return body.content
        if body.content_type.startswith(_FORM):
            return urlencode(redacted).encode()
        return _encoder.encode(redacted)

    def redact_value(self, value: Any) -> Any:
        """Some decoded value, such as a row's, without the person's values: by value alone."""
        return self._walk(value, Body(source="", content=b""), "nobody", (), record=False)

    def redact_text(self, text: str, *, free: bool) -> str:
        """A text without the person's values; `free`: one that people read, which may hold a first name alone."""
        return self._values.without(text, free=free)

    def _walk(self, value: Any, body: Body, whose: Whose, path: tuple[str, ...], *, record: bool) -> Any:
        if body.own and whose == "nobody" and _pointer(path) == body.item:
            whose = "person"
        match value:
            case dict():
                whose = self._whose(value, body, whose, path)
                about = _is_about_somebody(value, path)
                return {
                    self._key(key, record=record): self._member(key, each, body, whose, path, about, record=record)
                    for key, each in value.items()
                }
            case list():
                if value and isinstance(value[0], tuple):
                    whose = self._whose(dict(value), body, whose, path)
                return [
                    self._pair(each, body, whose, (*path, str(place)), record=record)
                    for place, each in enumerate(value)
                ]
            case str():
                return self._text(value, body, whose, path, record=record)
            case _:
                return value

    def _key(self, key: str, *, record: bool) -> str:
        return key if record else self._values.without(key, free=False)

    def _text(self, value: str, body: Body, whose: Whose, path: tuple[str, ...], *, record: bool) -> str:
        """A text, which may itself be JSON, as custom fields and metadata often are."""
        if value[:1] in _NESTED:
            try:
                content = _decoder.decode(value)
            except (ValueError, RecursionError):
                pass
            else:
                redacted = self._walk(content, body, whose, (*path, "0"), record=record)
                return value if redacted == content else _encoder.encode(redacted).decode()
        return value if record else self._values.without(value, free=_free(path))

    def _pair(self, value: Any, body: Body, whose: Whose, path: tuple[str, ...], *, record: bool) -> Any:
        """A member of a list, which in a form is a name with its value."""
        if isinstance(value, tuple):
            name, told = value
            return name, self._member(name, told, body, whose, (), "somebody", record=record)
        return self._walk(value, body, whose, path, record=record)

    def _member(
        self, key: str, value: Any, body: Body, whose: Whose, path: tuple[str, ...], about: About, *, record: bool
    ) -> Any:
        name, below = plain(key), (*path, key)
        if whose == "person":
            kind = self._kind(name, value, path, about)
            if kind and _is_single(value):
                return self._blanked(value, kind, record=record)
            if kind and isinstance(value, list) and all(map(_is_single, value)):
                return [self._blanked(each, kind, record=record) for each in value]
            if is_address(name) and isinstance(value, dict):
                return self._address(value, body, below, record=record)
        return self._walk(value, body, whose, below, record=record)

    def _kind(self, name: str, value: Any, path: tuple[str, ...], about: About) -> Kind | None:
        """What of the person a key holds; None where nothing is to be blanked."""
        kind = kind_of_key(name) or kind_of_part(name, path)
        if kind is None and about:
            kind = WITHIN_PERSON.get(name) or (WITHIN_ADDRESS.get(name) if about == "address" else None)
        if is_address(name) and isinstance(value, str):
            return "text"
        if kind == "number":
            return "text" if isinstance(value, str) and is_number_of_person(value) else None
        return None if kind == "free" else kind

    def _address(self, value: dict[str, Any], body: Body, path: tuple[str, ...], *, record: bool) -> Any:
        """Everything but the country, and of what is no address but a contact, its own way."""
        told: dict[str, Any] = {}
        for key, each in value.items():
            name = plain(key)
            if isinstance(each, str) and name not in KEPT_OF_ADDRESS:
                told[key] = self._blanked(each, kind_of_key(name) or WITHIN_PERSON.get(name, "text"), record=record)
            else:
                told[key] = self._walk(each, body, "person", (*path, key), record=record)
        return told

    def _whose(self, value: Mapping[str, Any], body: Body, whose: Whose, path: tuple[str, ...]) -> Whose:
        """An object that names an address or a customer is about them; any other is about whom it is part of."""
        emails = {
            fold(each.strip())
            for key, each in value.items()
            if isinstance(each, str) and kind_of_key(plain(key)) == "email" and each.strip()
        }
        references = self.person.references_at(body.source)
        named = {
            each for key, each in value.items() if isinstance(each, str) and (key == "id" or plain(key) in REFERENCES)
        }
        if emails & self._emails or (len(emails) == 0 and named & references):
            return "person"
        if emails and (whose != "person" or any(plain(key) in OTHERS for key in path)):
            return "somebody" if not any(is_stand_in(each) for each in emails) else whose
        customer = value.get("customer")
        if whose != "person" and isinstance(customer, str) and customer and references and customer not in references:
            return "somebody"
        return "person" if named & references else whose

    def _blanked(self, value: Any, kind: Kind, *, record: bool) -> Any:
        if record and isinstance(value, str):
            self._values.found(value, kind)
        return self._values.blanked(value, kind)


def _is_about_somebody(value: Mapping[str, Any], path: tuple[str, ...]) -> About:
    names = {plain(key) for key in value}
    if names & OF_ADDRESS:
        return "address"
    told = any(kind_of_key(name) in ("email", "text") or is_address(name) for name in names)
    return "somebody" if told or any(plain(key) in PERSONS for key in _last_name(path)) else ""


def _is_single(value: Any) -> bool:
    return isinstance(value, str | int | Decimal) and not isinstance(value, bool)


def _last_name(path: tuple[str, ...]) -> Iterator[str]:
    """The name of the object, which in a list is the list's."""
    for key in reversed(path):
        if not key.isdigit():
            yield key
            return


def _free(path: tuple[str, ...]) -> bool:
    return any(kind_of_key(plain(key)) == "free" for key in _last_name(path))


def _pointer(path: tuple[str, ...]) -> str:
    return "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in path)


def _decoded(body: Body) -> Any:
    """The body's JSON, or a form's names and values; None where it is neither."""
    try:
        if body.content_type.startswith(_FORM):
            return parse_qsl(body.content.decode(), keep_blank_values=True, strict_parsing=True)
        return _decoder.decode(body.content)
    except (ValueError, RecursionError):
        return None
