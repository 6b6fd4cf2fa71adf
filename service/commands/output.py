"""How commands print: JSON for programs, tables for people."""

import os
import sys
from collections.abc import Sequence

import msgspec
from rich.console import Console
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


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, empty: str) -> None:
    """A table that folds long cells rather than cutting them, the first column apart; without rows, says `empty`."""
    # What is piped is for other programs: nothing is folded there that fits into a long line.
    console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED)
    if not rows:
        console.print(empty, markup=False, highlight=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        # What a person copies from the first column stays in one piece.
        table.add_column(column, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(harmless(cell)) for cell in row))
    console.print(table)


def harmless(text: str) -> str:
    """Text from outside without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
