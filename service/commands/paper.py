"""What commands print on: terminals as they are, and else lines without trailing blanks, as a ticket wants them."""

import re
import sys
from typing import Any, TextIO, cast

from rich.console import Console
from rich.text import Text

_TRAILING = re.compile(r"[ \t]+(?=\n)")
_NARROWEST = 20
"""Columns that text gets however deep it stands."""


class _Trimmed:
    """A stream whose lines end at their last word. Whatever is written has to hold whole ends of lines."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(_TRAILING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def paper(*, width: int | None = None, highlight: bool = True) -> Console:
    """A console on standard output."""
    file = sys.stdout if sys.stdout.isatty() else cast("TextIO", _Trimmed(sys.stdout))
    return Console(file=file, width=width, highlight=highlight)


def print_hanging(console: Console, text: Text, first: int = 2, rest: int = 4) -> None:
    """Prints one line, what does not fit below it: so many blanks before the first, so many before the rest."""
    room = max(_NARROWEST, console.width - max(first, rest))
    for number, line in enumerate(text.wrap(console, room, overflow="fold")):
        line.rstrip()
        console.print(Text.assemble(" " * (rest if number else first), line), soft_wrap=True)
