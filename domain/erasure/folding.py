"""Texts as they are compared: however a letter is cased, composed or escaped. Pure."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import lru_cache

_MARKS = "\u0300-\u036f"
_BEGIN = r"%(?:25)*"
_GOES_ON = rf"{_BEGIN}[89abAB][0-9a-fA-F]"
_PERCENT = "|".join(
    (
        rf"{_BEGIN}[0-7][0-9a-fA-F]",
        rf"{_BEGIN}[cCdD][0-9a-fA-F]{_GOES_ON}",
        rf"{_BEGIN}[eE][0-9a-fA-F](?:{_GOES_ON}){{2}}",
        rf"{_BEGIN}[fF][0-7](?:{_GOES_ON}){{3}}",
    )
)
# Only the first of a row of backslashes begins an escape: a long row is read once, not once from each.
_SLASHES = r"(?<!\\)\\+"
_HIGH, _LOW = rf"{_SLASHES}u[dD][89abAB][0-9a-fA-F]{{2}}", rf"{_SLASHES}u[dD][c-fC-F][0-9a-fA-F]{{2}}"
# What a Turkish capital with a dot becomes in lower case: more than one letter, and an i all the same.
_DOTTED = rf"[iI](?:\u0307|\\+u0307|{_BEGIN}[cC]{{2}}{_BEGIN}87)"
_SPECIAL = re.compile(
    rf"(?=[%\\iI\x80-\U0010ffff])(?:{_DOTTED}|[^\x00-\x7f]|{_PERCENT}|{_HIGH}{_LOW}|{_SLASHES}(?:u[0-9a-fA-F]{{4}}|/))"
)
_OCTET = re.compile(rf"{_BEGIN}([0-9a-fA-F]{{2}})")
_UNIT = re.compile(r"u([0-9a-fA-F]{4})")

# Part of a longer word or address is another one; after an escaped end of a line a word begins.
_BEFORE = rf"(?:(?<![\w.+{_MARKS}-])|(?<=\\[nrt]))"
_AFTER = rf"(?![\w{_MARKS}-]|\.\w)"


class Folded:
    """A text as it is compared (`text`), which knows the places in the original."""

    def __init__(self, original: str) -> None:
        self._at: list[int] = []
        self._pieces: list[tuple[int, int, bool]] = []
        if _is_simple(original):
            self.text = original.lower()
            return
        told: list[str] = []
        size = end = 0
        for special in _SPECIAL.finditer(original):
            size = self._piece(told, size, original[end : special.start()].lower(), (end, special.start(), False))
            end = special.end()
            size = self._piece(told, size, _letter(special.group()), (special.start(), end, True))
        self._piece(told, size, original[end:].lower(), (end, len(original), False))
        self.text = "".join(told)

    def _piece(self, told: list[str], size: int, text: str, place: tuple[int, int, bool]) -> int:
        if text:
            told.append(text)
            self._at.append(size)
            self._pieces.append(place)
        return size + len(text)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the original a part of `text` stands that is not empty."""
        if not self._at:
            return start, end
        first, last = bisect_right(self._at, start) - 1, bisect_right(self._at, end - 1) - 1
        begin, _, whole = self._pieces[first]
        start = begin if whole else begin + start - self._at[first]
        begin, finish, whole = self._pieces[last]
        return start, finish if whole else begin + end - self._at[last]


def fold(text: str) -> str:
    """The text as it is compared: without case, with letters decomposed, and escapes of URLs and JSON undone."""
    lower = text.lower()
    return lower if _is_simple(text) else _SPECIAL.sub(lambda special: _letter(special.group()), lower)


def any_of(folded: Iterable[str]) -> re.Pattern[str] | None:
    """What finds such folded texts in a folded one, as whole words and addresses; None for none."""
    longest_first = sorted(set(folded), key=lambda value: (-len(value), value))
    if not longest_first:
        return None
    # A form writes a space as a plus.
    forms = (re.escape(each).replace(r"\ ", "[ +]") for each in longest_first)
    return re.compile(f"{_BEFORE}(?:{'|'.join(forms)}){_AFTER}")


def replaced(text: str, pattern: re.Pattern[str], stand_in: Callable[[str], str]) -> str:
    """The text with a stand-in, for the folded text found, wherever the pattern finds something."""
    folded = Folded(text)
    parts: list[str] = []
    done = 0
    for match in pattern.finditer(folded.text):
        start, end = folded.span(*match.span())
        parts += text[done:start], stand_in(match.group())
        done = end
    return "".join((*parts, text[done:])) if parts else text


def _is_simple(text: str) -> bool:
    return text.isascii() and "%" not in text and "\\" not in text


@lru_cache(maxsize=4096)
def _letter(written: str) -> str:
    """One letter, folded; what only looks like an escape stays as it is."""
    if written[0] in "iI":
        return "i"
    if written[0] == "%":
        try:
            written = bytes.fromhex("".join(_OCTET.findall(written))).decode()
        except UnicodeDecodeError:
            return written.lower()
    elif written[0] == "\\":
        units = b"".join(bytes.fromhex(unit) for unit in _UNIT.findall(written))
        written = units.decode("utf-16-be", "surrogatepass") if units else "/"
    decomposed = unicodedata.normalize("NFD", written).casefold()
    # Turkish has an i without a dot, of which the capital is I, and one with a dot, of which it is not.
    return unicodedata.normalize("NFD", decomposed).replace("i\u0307", "i").replace("\u0131", "i")
