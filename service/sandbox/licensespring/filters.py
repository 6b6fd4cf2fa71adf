"""How list filters read: Django's lookups over tables of fields.

As in the real service, a filter whose name is unknown is ignored, and so is one without a value: the unfiltered
list comes back. A value that cannot be read is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec

from service.sandbox.licensespring import errors, fields
from service.sandbox.licensespring.durations import parse_date, parse_instant
from service.sandbox.licensespring.errors import FieldError
from service.sandbox.licensespring.records import Record
from service.sandbox.licensespring.rows import Rows

R = TypeVar("R", bound=Record)

Values = Iterable[Any]
Reader = Callable[[str], Any]


class Filter(msgspec.Struct, Generic[R], frozen=True):
    """One query parameter: a row passes when any of its values stands in the relation to the one sent."""

    values_of: Callable[[Rows, R], Values]
    read: Reader
    holds: Callable[[Any, Any], bool]
    find: Callable[[Rows, Any], list[R]] | None = None
    """Finds the rows with exactly the value by an index."""


class Kind(Enum):
    TEXT = "text"
    WHOLE = "whole"
    FLAG = "flag"
    INSTANT = "instant"


class Field(msgspec.Struct, Generic[R], frozen=True):
    """A row of a filter table. `lookups` are Django's suffixes, `exact` standing for the bare name."""

    name: str
    kind: Kind
    values_of: Callable[[Rows, R], Values]
    lookups: tuple[str, ...] = ("exact",)
    find: Callable[[Rows, Any], list[R]] | None = None


def _instant(sent: str) -> datetime:
    try:
        return datetime.combine(parse_date(sent), time(), tzinfo=UTC)
    except FieldError:
        return parse_instant(sent.replace(" ", "+") if sent.count(" ") and "T" in sent else sent)


def _flag(sent: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(sent.lower())


def _listed(read: Reader) -> Reader:
    return lambda sent: {read(part) for part in sent.split(",") if part}


READ: Mapping[Kind, Reader] = {
    Kind.TEXT: lambda sent: sent,
    Kind.WHOLE: fields.whole,
    Kind.FLAG: _flag,
    Kind.INSTANT: _instant,
}


def _day(compare: Callable[[date, date], bool]) -> Callable[[datetime, date], bool]:
    return lambda value, sent: compare(value.date(), sent)


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, sent: value > sent,
    "gte": lambda value, sent: value >= sent,
    "lt": lambda value, sent: value < sent,
    "lte": lambda value, sent: value <= sent,
}
HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "exact": lambda value, sent: value == sent,
    "__exact": lambda value, sent: value == sent,
    "icontains": lambda value, sent: sent.lower() in value.lower(),
    "startswith": lambda value, sent: value.startswith(sent),
    "in": lambda value, sent: value in sent,
    **COMPARE,
    **{f"date__{name}": _day(compare) for name, compare in COMPARE.items()},
}
RANGE = (*COMPARE, *(f"date__{name}" for name in COMPARE))


def filters(*table: Field[R]) -> Mapping[str, Filter[R]]:
    """The query parameters of a filter table."""
    return {_parameter(field.name, lookup): _filter(field, lookup) for field in table for lookup in field.lookups}


def _parameter(name: str, lookup: str) -> str:
    if lookup == "exact":
        return name
    return f"{name}__{lookup.removeprefix('__')}"


def _filter(field: Field[R], lookup: str) -> Filter[R]:
    read = READ[field.kind]
    if lookup == "isnull":
        return Filter(
            lambda rows, row: [all(value is None for value in field.values_of(rows, row))],
            _flag,
            HOLDS["exact"],
        )
    if lookup == "in":
        read = _listed(read)
    elif lookup.startswith("date__"):
        read = parse_date
    find = field.find if lookup in ("exact", "__exact") else None
    return Filter(field.values_of, read, HOLDS[lookup], find)


def select(rows: Rows, everything: Iterable[R], table: Mapping[str, Filter[R]], query: Mapping[str, str]) -> list[R]:
    """The rows that pass all filters of the query. Raises ApiError 400 for a value that cannot be read."""
    wanted = []
    for name in table.keys() & query.keys():
        if query[name] == "":
            continue
        try:
            sent = table[name].read(query[name])
        except FieldError as error:
            raise errors.fields({name: str(error)}) from None
        if sent is not None:
            wanted.append((table[name], sent))
    by_index = next((one.find(rows, sent) for one, sent in wanted if one.find is not None), None)
    candidates = everything if by_index is None else by_index
    return [row for row in candidates if all(_passes(rows, row, one, sent) for one, sent in wanted)]


def _passes(rows: Rows, row: R, one: Filter[R], sent: Any) -> bool:
    return any(value is not None and one.holds(value, sent) for value in one.values_of(rows, row))
