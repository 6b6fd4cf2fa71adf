"""What is shown of a space: one object with some of its links expanded, or a page of a search.

The language of searches is known by `field:value`, `AND`, `OR` and quotes of the public SDK's own tests; a dot in a
field leads over a link, whatever is expanded. What the API answers to fields that it does not have is a guess: 400.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from service.sandbox.wallee.book import Shown
from service.sandbox.wallee.model import Anything, Kind
from service.sandbox.wallee.objects import Json, Link, written

MOST = 100
USUAL = 10


class Unreadable(ValueError):
    """A search or an expansion that means nothing; the text says what is allowed."""


class Look(NamedTuple):
    """One moment of a space and how it is shown."""

    shown: Shown
    space: int
    nulls: bool
    live: bool = True

    def written(self, thing: Anything) -> Json:
        return written(thing, self.space, live=self.live)


class Page(NamedTuple):
    data: list[Json]
    limit: int
    offset: int
    has_more: bool

    def json(self) -> Json:
        return {"data": self.data, "hasMore": self.has_more, "limit": self.limit, "offset": self.offset}


def read(look: Look, kind: Kind, identifier: int, expand: Collection[str] = ()) -> Json | None:
    """The object, or None where there is none. Raises Unreadable for a link that it has not."""
    thing = look.shown.every(kind).get(identifier)
    if thing is None:
        return None
    shown = look.written(thing)
    _check(look, shown, frozenset(expand))
    return _resolved(look, shown, frozenset(expand))


def search(
    look: Look,
    kind: Kind,
    query: str = "",
    *,
    order: str = "",
    limit: int = USUAL,
    offset: int = 0,
    expand: Collection[str] = (),
) -> Page:
    """A page of what matches, oldest first unless `order` (`id:DESC`, `createdOn:ASC`, …) says otherwise."""
    if not 1 <= limit <= MOST or offset < 0:
        raise Unreadable(f"limit lies between 1 and {MOST}, and offset is 0 or more")
    wanted = _parsed(query)
    found = [it for it in (look.written(each) for each in look.shown.every(kind).values()) if wanted(look, it)]
    for field, direction in reversed(_orders(order)):
        found.sort(key=lambda it: _sortable(_value(look, it, field)), reverse=direction == "DESC")
    some = found[offset : offset + limit]
    for each in some:
        _check(look, each, frozenset(expand))
    data = [_resolved(look, each, frozenset(expand)) for each in some]
    return Page(data, limit, offset, offset + limit < len(found))


# --- links --------------------------------------------------------------------------------------------------


def _resolved(look: Look, it: Json, expand: frozenset[str]) -> Json:
    return {name: _shown(look, value, name, expand) for name, value in it.items() if look.nulls or value is not None}


def _shown(look: Look, value: Any, name: str, expand: frozenset[str]) -> Any:
    if isinstance(value, Link):
        if name not in expand:
            return {"id": value.id}
        inner = frozenset(each.removeprefix(f"{name}.") for each in expand if each.startswith(f"{name}."))
        return _resolved(look, _linked(look, value), inner)
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if look.nulls or each is not None}
    return value


def _linked(look: Look, link: Link) -> Json:
    return look.written(look.shown.every(link.kind)[link.id])


def _check(look: Look, it: Json, expand: frozenset[str]) -> None:
    for path in expand:
        first, _, rest = path.partition(".")
        if first not in it or not isinstance(it[first], Link | None):
            raise Unreadable(f"{first} cannot be expanded")
        if rest and it[first] is not None:
            _check(look, _linked(look, it[first]), frozenset({rest}))


# --- searches -----------------------------------------------------------------------------------------------

_TERM = re.compile(r"""\s*([A-Za-z][A-Za-z.]*):("(?:[^"]*)"|[^\s"]+)""")


class _Wanted(NamedTuple):
    """Alternatives, each of which is a conjunction of fields with their values."""

    alternatives: tuple[Mapping[str, str], ...]

    def __call__(self, look: Look, it: Json) -> bool:
        return any(
            all(_text(_value(look, it, field)) == value for field, value in each.items()) for each in self.alternatives
        )


def _parsed(query: str) -> _Wanted:
    if not query.strip():
        return _Wanted(({},))
    return _Wanted(tuple(dict(_terms(part)) for part in re.split(r"\s+OR\s+", query)))


def _terms(part: str) -> Iterator[tuple[str, str]]:
    for term in re.split(r"\s+AND\s+", part):
        found = _TERM.fullmatch(term.rstrip())
        if found is None:
            raise Unreadable(f"{term.strip()!r} is no field:value; join several with AND or OR")
        yield found[1], found[2].strip('"')


def _orders(order: str) -> list[tuple[str, str]]:
    orders = []
    for each in order.split(",") if order else ():
        field, _, direction = each.strip().partition(":")
        if direction not in {"ASC", "DESC"}:
            raise Unreadable(f"{each!r} is no order; write field:ASC or field:DESC")
        orders.append((field, direction))
    return orders


def _value(look: Look, it: Json, field: str) -> Any:
    """The value of a field, over links where it has dots. Raises Unreadable where there is no such field."""
    first, _, rest = field.partition(".")
    if first not in it:
        raise Unreadable(f"there is no field {first!r} to search or order by")
    value = it[first]
    if isinstance(value, Link):
        return _value(look, _linked(look, value), rest or "id")
    return _value(look, value, rest) if rest and isinstance(value, dict) else value


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, value
