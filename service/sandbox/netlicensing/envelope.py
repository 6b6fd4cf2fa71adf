"""Answers in NetLicensing's JSON envelope: every value a text, items as properties and nested lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from service.sandbox.netlicensing.errors import Refused
from service.sandbox.netlicensing.settings import SandboxSettings

NOT_TOLD = 204


class Item(NamedTuple):
    """One item: its type, its properties, and its named groups of properties."""

    type: str
    properties: Mapping[str, str]
    lists: Mapping[str, Mapping[str, str]] = {}


class Page(NamedTuple):
    """Items of a list, with the place of the page among all; `number` counts from 0."""

    items: Sequence[Item]
    number: int
    pages: int
    total: int


class Answer(NamedTuple):
    """What an operation answers; a body of None goes with 204."""

    status: int
    body: dict[str, Any] | None
    headers: Mapping[str, str] = {}


NOTHING = Answer(NOT_TOLD, None)


def of_item(settings: SandboxSettings, item: Item) -> Answer:
    return Answer(200, _envelope(items={"item": _some(settings, [_item(settings, item)])}))


def of_items(settings: SandboxSettings, items: Sequence[Item], *, ttl: str | None = None) -> Answer:
    """Items that are no page of a list, such as the answer of a validation."""
    shown = {"item": _some(settings, [_item(settings, item) for item in items])}
    return Answer(200, _envelope(items=shown, ttl=ttl))


def of_page(settings: SandboxSettings, page: Page) -> Answer:
    if not page.total and settings.empty_list != "empty":
        return NOTHING if settings.empty_list == "no_content" else Answer(200, _envelope(items=None))
    return Answer(
        200,
        _envelope(
            items={
                "item": _some(settings, [_item(settings, item) for item in page.items]),
                "pagenumber": str(page.number),
                "itemsnumber": str(len(page.items)),
                "totalpages": str(page.pages),
                "totalitems": str(page.total),
                "hasnext": "true" if page.number + 1 < page.pages else "false",
            }
        ),
    )


def of_refusal(settings: SandboxSettings, error: Refused) -> Answer:
    """An error in the envelope; with the status 200 it is an ERROR inside a success."""
    return Answer(error.status, with_info(settings, "ERROR", error.name, error.text))


def with_info(
    settings: SandboxSettings, kind: Literal["ERROR", "WARNING", "INFO"], name: str, text: str
) -> dict[str, Any]:
    number = NUMBERS.get(name, "1000")
    info = {"id": name if settings.error_id == "name" else number, "type": kind, "value": text}
    return {**_envelope(items=None), "infos": {"info": _some(settings, [info])}}


NUMBERS: Mapping[str, str] = {
    "NotFoundException": "1001",
    "MalformedRequestException": "1002",
    "IllegalOperationException": "1003",
    "UnexpectedValueException": "1004",
    "ValidationException": "1005",
}
"""What stands for the names where errors are numbered: made up."""


def _envelope(*, items: dict[str, Any] | None, ttl: str | None = None) -> dict[str, Any]:
    return {"signature": None, "ttl": ttl, "infos": {"info": []}, "items": items}


def _item(settings: SandboxSettings, item: Item) -> dict[str, Any]:
    lists = [{"name": name, "property": _properties(settings, group), "list": []} for name, group in item.lists.items()]
    return {"type": item.type, "property": _properties(settings, item.properties), "list": _some(settings, lists)}


def _properties(settings: SandboxSettings, properties: Mapping[str, str]) -> Any:
    return _some(settings, [{"name": name, "value": value} for name, value in properties.items()])


def _some(settings: SandboxSettings, things: list[dict[str, Any]]) -> Any:
    """An array, or the only element itself where that is the setting."""
    return things[0] if settings.single_element == "object" and len(things) == 1 else things
