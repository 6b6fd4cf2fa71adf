"""A person's values by themselves: found in one place, they go wherever else they stand. Pure."""

import re
from decimal import Decimal

from domain.erasure.folding import any_of, fold, replaced
from domain.erasure.keys import Kind
from domain.erasure.standins import TEXT, StandIns, is_stand_in

_SHORTEST_NAME = 3
_SHORTEST = 5
_SHORTEST_NUMBER = 8
"""Digits of a number by itself: a shorter one, such as a postal code, may be an amount or somebody's order."""
_ONLY_NUMBER = re.compile(r"[\d\s.,']+")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_AMOUNT = re.compile(r"[.,]\d{1,2}\b(?![.,])")
_REMEMBERED = 20_000
_LONGEST_REMEMBERED = 100


class Values:
    """What is known of a person by value, and the stand-ins for it: of one act of erasure."""

    def __init__(self, act: str) -> None:
        self._stand_ins = StandIns(act)
        self._kinds: dict[str, Kind] = {}
        self._patterns: tuple[re.Pattern[str] | None, re.Pattern[str] | None] | None = None
        self._replacements: dict[str, str] = {}
        self._seen: dict[tuple[str, bool], str] = {}

    def found(self, value: str, kind: Kind) -> None:
        """Takes note of one."""
        text = value.strip()
        text = text.casefold() if kind == "email" else text
        if text and text not in self._kinds and not is_stand_in(text) and kind not in ("free", "here"):
            self._kinds[text] = kind
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
        known = self._seen.get((text, free))
        if known is not None:
            return known
        told = text
        if sure is not None:
            told = replaced(told, sure, self._stand_in)
        if free and names is not None:
            told = replaced(told, names, self._stand_in)
        if len(text) <= _LONGEST_REMEMBERED and len(self._seen) < _REMEMBERED:
            self._seen[text, free] = told  # the same keys and ids stand in every event
        return told

    def _stand_in(self, folded: str) -> str:
        return self._replacements[folded.replace("+", " ")]

    def _compiled(self) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
        """What is replaced wherever it stands, and what only in texts that people read."""
        if self._patterns is None:
            sure: dict[str, str] = {}
            names: dict[str, str] = {}
            for value, kind in self._kinds.items():
                stand_in = str(self.blanked(value, kind))
                if kind == "email" or (kind == "name" and " " in value) or _is_distinct(value):
                    sure.setdefault(fold(value), stand_in)
                if kind == "name":
                    for word in value.split():
                        if len(word) >= _SHORTEST_NAME:
                            names.setdefault(fold(word), self._stand_ins.name(word))
            told = {**names, **sure}
            self._replacements = {value.replace("+", " "): stand_in for value, stand_in in told.items()}
            self._patterns = (any_of(sure), any_of(names))
            self._seen.clear()
        return self._patterns


def is_number_of_person(value: str) -> bool:
    """Whether what may be a tax or an amount of it is a number such as a VAT number."""
    return sum(map(str.isdigit, value)) > _SHORTEST and not _AMOUNT.search(value)


def _is_distinct(value: str) -> bool:
    """Whether a text is nobody else's by chance: a street with its number, a telephone number, an IP address."""
    digits = sum(map(str.isdigit, value))
    if _ONLY_NUMBER.fullmatch(value) and not _IP.fullmatch(value):
        return digits >= _SHORTEST_NUMBER
    return len(value) >= _SHORTEST and (digits >= _SHORTEST or (digits > 0 and " " in value) or "://" in value)
