"""A person's values by themselves: found in one place, they go wherever else they stand. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import quote, quote_plus

from domain.erasure.keys import Kind
from domain.erasure.standins import TEXT, StandIns, is_stand_in

_SHORTEST_NAME = 3
_SHORTEST = 5


class Values:
    """What is known of a person by value, and the stand-ins for it: of one act of erasure."""

    def __init__(self, act: str) -> None:
        self._stand_ins = StandIns(act)
        self._kinds: dict[str, Kind] = {}
        self._patterns: tuple[re.Pattern[str] | None, re.Pattern[str] | None] | None = None
        self._replacements: dict[str, str] = {}

    def found(self, value: str, kind: Kind) -> None:
        """Takes note of one."""
        text = value.strip()
        if text and not is_stand_in(text) and kind != "free":
            self._kinds.setdefault(text.casefold() if kind == "email" else text, kind)
            self._patterns = None

    def blanked(self, value: str | int | Decimal, kind: Kind) -> str | int | Decimal:
        """What stands in for the whole of a value."""
        if not isinstance(value, str):
            return type(value)(0)
        match kind:
            case "email":
                return self._stand_ins.email(value)
            case "name":
                return self._stand_ins.name(value)
            case _:
                return TEXT if value.strip() else value

    def without(self, text: str, *, free: bool) -> str:
        """A text without the person's values; `free`: one that people read, which may hold a first name alone."""
        sure, names = self._compiled()
        if sure is not None:
            text = sure.sub(self._stand_in, text)
        if free and names is not None:
            text = names.sub(self._stand_in, text)
        return text

    def _stand_in(self, match: re.Match[str]) -> str:
        return self._replacements[match.group().casefold()]

    def _compiled(self) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
        """What is replaced wherever it stands, and what only in texts that people read."""
        if self._patterns is None:
            sure: dict[str, str] = {}
            names: dict[str, str] = {}
            for value, kind in self._kinds.items():
                stand_in = str(self.blanked(value, kind))
                if kind == "email" or (kind == "name" and " " in value) or _is_distinct(value):
                    for form in {value, quote(value), quote(value, safe="@"), quote_plus(value)}:
                        sure.setdefault(form.casefold(), stand_in)
                if kind == "name":
                    for word in value.split():
                        if len(word) >= _SHORTEST_NAME:
                            names.setdefault(word.casefold(), self._stand_ins.name(word))
            self._replacements = {**names, **sure}
            self._patterns = (_any_of(sure), _any_of(names))
        return self._patterns


def _is_distinct(value: str) -> bool:
    """Whether a text is nobody else's by chance: a street with its number, a telephone number, an IP address."""
    digits = sum(character.isdigit() for character in value)
    return len(value) >= _SHORTEST and (digits >= _SHORTEST or (digits > 0 and " " in value) or "://" in value)


def _any_of(values: Mapping[str, str]) -> re.Pattern[str] | None:
    if not values:
        return None
    longest_first = sorted(values, key=lambda value: (-len(value), value))
    # Part of a longer word or address is another one; after `%3D` and the like a word begins.
    before, after = r"(?:(?<![\w.+-])|(?<=%[0-9A-Fa-f]{2}))", r"(?![\w-]|\.\w)"
    return re.compile(f"{before}(?:{'|'.join(map(re.escape, longest_first))}){after}", re.IGNORECASE)
