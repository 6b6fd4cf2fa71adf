"""How commands print: JSON for programs, tables for people."""

import os
import sys
from collections.abc import Sequence

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_COLOURS = {
    "pending": "dim",
    "trialing": "cyan",
    "active": "green",
    "past_due": "yellow",
    "suspended": "magenta",
    "terminated": "red",
}


def state_text(state: str) -> Text:
    """A state in its colour."""
    return Text(harmless(state), style=_COLOURS.get(state, ""))


def print_json(value: object) -> None:
    """One JSON document on standard output, indented, times in ISO 8601."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(f"{text}\n")


def print_line(text: str) -> None:
    sys.stdout.write(f"{harmless(text)}\n")


_PIPED = 200
_GAP = 2
"""Between two columns."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, empty: str) -> None:
    """A table that folds long cells rather than cutting them; without rows, says `empty`.

    The first column stays whole. Where there is no room for the longest word of the last one, which a person may have
    to type (the name of a variable), that column stands below the others instead.
    """
    # What is piped is for other programs: nothing is folded there that fits into a long line.
    console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED)
    if not rows:
        console.print(empty, markup=False, highlight=False)
        return
    texts = [[cell if isinstance(cell, Text) else Text(harmless(cell)) for cell in row] for row in rows]
    *before, last = (max(map(cell_len, cells)) for cells in _words(columns, texts))
    if sum(before) + _GAP * len(before) + last > console.width:
        _print_below(console, texts)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        # What a person copies from the first column stays in one piece.
        least = last if place == len(columns) - 1 else None
        table.add_column(column, overflow="fold", no_wrap=place == 0, min_width=least)
    for row in texts:
        table.add_row(*row)
    console.print(table)


def _words(columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> list[list[str]]:
    """Of each column what must not be broken: of the last one each word, of the others the whole cells."""
    of_columns = zip(columns, zip(*rows, strict=True), strict=True)
    cells = [[column, *(text.plain for text in texts)] for column, texts in of_columns]
    return [*cells[:-1], [word for cell in cells[-1] for word in cell.split() or [""]]]


def _print_below(console: Console, rows: Sequence[Sequence[Text]]) -> None:
    for *cells, last in rows:
        console.print(Text("  ").join(cell for cell in cells if cell.plain))
        if last.plain:
            console.print(Padding(last, (0, 0, 0, 4)), overflow="fold")


def harmless(text: str) -> str:
    """Text from outside without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
