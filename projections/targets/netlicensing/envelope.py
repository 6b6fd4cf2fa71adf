"""What NetLicensing answers: one envelope for everything, in which all values are texts. Pure.

`infos.info` are messages, `items.item` what was asked for. Where there is one of something, an object may stand in
place of the list (client-python, models/response.py); and a success may carry a message of type ERROR, which makes it
none.
"""

from collections.abc import Iterator

import msgspec

_DEEPEST = 4


class Item(msgspec.Struct, frozen=True):
    """One entity: `kind` such as `License`, and its properties as texts."""

    kind: str
    properties: dict[str, str]

    def __getitem__(self, name: str) -> str:
        """The property of that name, empty where it is not told; names are compared exactly."""
        return self.properties.get(name, "")


class Problem(msgspec.Struct, frozen=True):
    """A message of type ERROR; `id` is the name of an exception, or a number."""

    id: str
    text: str


class Envelope(msgspec.Struct, frozen=True):
    """An answer. `more` says that a list goes on on the next page."""

    items: tuple[Item, ...] = ()
    problems: tuple[Problem, ...] = ()
    more: bool = False

    def of(self, kind: str) -> tuple[Item, ...]:
        """The items of that kind; servers may tell other things beside."""
        return tuple(each for each in self.items if each.kind == kind)


def envelope_in(body: bytes) -> Envelope | None:
    """The envelope of a body; None where it is none, an empty one where there is no body."""
    if not body.strip():
        return Envelope()
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(answer, dict) or not answer.keys() & {"items", "infos"}:
        return None
    items, infos = _object(answer.get("items")), _object(answer.get("infos"))
    return Envelope(
        tuple(Item(_text(each.get("type")), dict(_properties(each))) for each in _objects(items.get("item"))),
        tuple(
            Problem(_text(each.get("id")), _text(each.get("value")))
            for each in _objects(infos.get("info"))
            if _text(each.get("type")).upper() == "ERROR"
        ),
        _text(items.get("hasnext")).lower() == "true",
    )


def _properties(item: dict[str, object], depth: int = 0) -> Iterator[tuple[str, str]]:
    """All properties, those of nested lists under `{list}.{name}`."""
    for each in _objects(item.get("property")):
        if name := _text(each.get("name")):
            yield name, _text(each.get("value"))
    if depth < _DEEPEST:
        for group in _objects(item.get("list")):
            for name, value in _properties(group, depth + 1):
                yield f"{_text(group.get('name'))}.{name}", value


def _objects(value: object) -> list[dict[str, object]]:
    rows = value if isinstance(value, list) else [value]
    return [each for each in rows if isinstance(each, dict)]


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""
