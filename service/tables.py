"""Reads a TOML table into frozen Structs and reports every mistake at once, each with its remedy."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

SECRET = msgspec.Meta(extra={"secret": True})
"""Marks a field whose value is never shown."""

_LONGEST_SHOWN = 60
_WORDS = {bool: ("true", "false"), int: ("a whole number",), float: ("a number",), str: ("a text in quotes",)}
"""What to write for a value of that type."""


class Finding(msgspec.Struct, frozen=True):
    """One mistake in the settings: where it stands, what is wrong, and what to do."""

    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key} {self.problem}. {self.remedy}"


def read_table(kind: type[S], table: Mapping[str, object], path: tuple[str, ...], found: list[Finding]) -> S | None:
    """Builds a `kind` from a TOML table; None, with findings appended, where that is not possible.

    Fields that are Structs, or dictionaries of Structs, are nested tables. The remedy of a field is the
    `description` of its `msgspec.Meta`, else what its type allows. Values of unknown keys are never shown: somebody may
    have put a secret there.
    """
    before = len(found)
    hints = get_type_hints(kind, include_extras=True)
    found.extend(_unknown(table.keys() - hints.keys(), hints, path))
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        hint, here = hints[field.name], (*path, field.name)
        if field.name in table:
            known = len(found)
            value = _read_value(hint, table[field.name], here, found)
            if len(found) == known:
                values[field.name] = value
        elif field.required:
            found.append(Finding(key_of(here), "is missing", _remedy(hint)))
    if not any(field.required for field in msgspec.structs.fields(kind)):
        found.extend(_refused_alone(kind, values, hints, path))
    if len(found) > before:
        return None
    try:
        return kind(**values)
    except ValueError as error:
        found.append(Finding(f"[{'.'.join(path)}]", f"does not fit ({error})", "Correct this table."))
        return None


def _refused_alone(
    kind: type[msgspec.Struct], values: Mapping[str, object], hints: Mapping[str, Any], path: tuple[str, ...]
) -> Iterable[Finding]:
    """What a Struct's own checks say of each value by itself: one mistake must not hide another."""
    for name, value in values.items():
        try:
            kind(**{name: value})
        except ValueError as error:
            yield Finding(key_of((*path, name)), f"{_described(hints[name], value)} does not fit", f"{error}.")


def key_of(path: tuple[str, ...]) -> str:
    """`[sources.stripe-main] mode` for the path to a key of a table."""
    *tables, key = path
    return f"[{'.'.join(tables)}] {key}" if tables else key


def _read_value(hint: Any, value: object, path: tuple[str, ...], found: list[Finding]) -> object:
    kind = _struct_in(hint)
    if kind is None:
        return _read_leaf(hint, value, path, found)
    if not isinstance(value, Mapping):
        found.append(Finding(key_of(path), "is not a table", f"Write it as a table, [{'.'.join(path)}]."))
        return None
    if get_origin(hint) is not dict:
        return read_table(kind, value, path, found)
    return {name: _read_value(kind, inner, (*path, name), found) for name, inner in value.items()}


def _read_leaf(hint: Any, value: object, path: tuple[str, ...], found: list[Finding]) -> object:
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        found.append(Finding(key_of(path), f"{_described(hint, value)} does not fit ({error})", _remedy(hint)))
        return None


def _struct_in(hint: Any) -> type[msgspec.Struct] | None:
    """The Struct that a nested table, or each table of a dictionary of tables, is to become."""
    kind = get_args(hint)[1] if get_origin(hint) is dict else hint
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


def _unknown(names: Iterable[str], hints: Mapping[str, Any], path: tuple[str, ...]) -> Iterable[Finding]:
    for name in sorted(names):
        close = get_close_matches(name, hints, n=1)
        remedy = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(sorted(hints))}."
        if "secret" in name or "token" in name or name.endswith("key"):
            remedy = "Secrets belong into the environment; the example settings name the variables."
        yield Finding(key_of((*path, name)), "is not a known key", remedy)


def _metas(hint: Any) -> Iterable[msgspec.Meta]:
    return (meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta))


def _remedy(hint: Any) -> str:
    told = next((meta.description for meta in _metas(hint) if meta.description), None)
    return told or f"Write {_either(list(dict.fromkeys(_allowed(hint))))}."


def _allowed(hint: Any) -> Iterable[str]:
    """The values, or kinds of values, that a type takes, as one writes them into the file."""
    if get_origin(hint) is Annotated:
        return _allowed(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return [f'"{value}"' for value in get_args(hint)]
    if get_origin(hint) in (Union, UnionType):
        return [word for kind in get_args(hint) for word in _allowed(kind)]
    return _WORDS.get(hint, ())


def _either(words: list[str]) -> str:
    *others, last = words or ["another value"]
    return f"{', '.join(others)} or {last}" if others else last


def _is_secret(hint: Any) -> bool:
    return get_origin(hint) is Annotated and any(meta.extra == SECRET.extra for meta in _metas(hint))


def _described(hint: Any, value: object) -> str:
    if _is_secret(hint):
        return "holds a value that"
    text = repr(value)
    return f"= {text}" if len(text) <= _LONGEST_SHOWN else f"= {text[:_LONGEST_SHOWN]}…"
