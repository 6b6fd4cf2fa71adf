"""Lists: `filter=` criteria, joined by `;`, among them `page` and `items`."""

from __future__ import annotations

from collections.abc import Mapping

from service.sandbox.netlicensing import errors, views
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.envelope import Page
from service.sandbox.netlicensing.records import Kind
from service.sandbox.netlicensing.schema import ENTITIES, READ_ONLY
from service.sandbox.netlicensing.values import count

MOST_ITEMS = 1000
PAGING = ("page", "items")
RELATED = {"number", "productNumber", "productModuleNumber", "licenseeNumber", "licenseTemplateNumber"}


def listed(change: Change, kind: Kind, query: Mapping[str, str]) -> Page:
    """The page of the entities whose properties are as the criteria say. Raises Refused for a malformed filter.

    `page` and `items` may stand in the filter or beside it. More than 1000 items are lowered to that without a word.
    """
    criteria = _criteria(query.get("filter", ""))
    paging = {name: criteria.pop(name, query.get(name, "")) for name in PAGING}
    number = int(count("page", paging["page"] or "0", change.now))
    size = int(count("items", paging["items"] or str(change.settings.page_items), change.now)) or 1
    size = min(size, MOST_ITEMS)
    known = {*RELATED, *ENTITIES[kind].readers, *READ_ONLY}
    shown = [views.item(change, record) for record in change.store.all(kind)]
    for name, value in criteria.items():
        if name not in known and not any(name in item.properties for item in shown):
            if change.settings.unknown_filter == "refused":
                raise errors.malformed(f"Unknown filter '{name}'.")
            continue
        shown = [item for item in shown if item.properties.get(name, "") == value]
    pages = -(-len(shown) // size)
    return Page(shown[number * size : (number + 1) * size], number, pages, len(shown))


def _criteria(sent: str) -> dict[str, str]:
    read = {}
    for criterion in filter(None, sent.split(";")):
        name, equals, value = criterion.partition("=")
        if not equals:
            raise errors.malformed(f"Filter '{criterion}' is no name=value.")
        read[name.strip()] = value.strip()
    return read
