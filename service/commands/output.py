"""How commands print: JSON for programs, tables for people."""

import sys
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_json(value: object) -> None:
    """One JSON document on standard output, indented, times in ISO 8601."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(f"{text}\n")


def print_line(text: str) -> None:
    sys.stdout.write(f"{harmless(text)}\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, empty: str) -> None:
    """A table that folds long cells rather than cutting them; `empty` in its place when there are no rows."""
    console = Console()
    if not rows:
        console.print(empty, markup=False, highlight=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(harmless(cell)) for cell in row))
    console.print(table)


def harmless(text: str) -> str:
    """Text from outside without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
