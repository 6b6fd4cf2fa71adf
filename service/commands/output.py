"""How commands print: JSON for programs, tables for people."""

import os
import sys
from collections.abc import Iterator, Sequence

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from domain.past import Past
from service.commands.paper import paper

INSTANT = "%Y-%m-%d %H:%M:%S"
"""How an instant is written for people, in UTC."""
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
_INDENT = 4


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, empty: str, alike: str | None = None
) -> None:
    """A table that folds long cells rather than cutting them; without rows, says `empty`.

    The column `alike` is left out where all rows say the same in it. Whatever stands before the last column stays
    whole. Where there is no room for that, or for the longest word of the last one, which a person may have to type
    (the name of a variable), each row takes several lines, and so does the header.
    """
    # What is piped is for other programs: nothing is folded there that fits into a long line.
    console = paper(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED)
    if not rows:
        console.print(empty, markup=False, highlight=False)
        return
    texts = [[cell if isinstance(cell, Text) else Text(harmless(cell)) for cell in row] for row in rows]
    if alike in columns and len({row[columns.index(alike)].plain for row in texts}) == 1:
        columns, texts = _without(columns.index(alike), columns, texts)
    *before, last = (max(map(cell_len, cells)) for cells in _words(columns, texts))
    if sum(before) + _GAP * len(before) + last > console.width:
        _print_below(console, columns, texts)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns[:-1]:
        table.add_column(column, overflow="fold", no_wrap=True)
    table.add_column(columns[-1], overflow="fold", min_width=last)
    for row in texts:
        table.add_row(*row)
    console.print(table)


def _without(place: int, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> tuple[list[str], list[list[Text]]]:
    return [*columns[:place], *columns[place + 1 :]], [[*row[:place], *row[place + 1 :]] for row in rows]


def _words(columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> list[list[str]]:
    """Of each column what must not be broken: of the last one each word, of the others the whole cells."""
    of_columns = zip(columns, zip(*rows, strict=True), strict=True)
    cells = [[column, *(text.plain for text in texts)] for column, texts in of_columns]
    return [*cells[:-1], [word for cell in cells[-1] for word in cell.split() or [""]]]


def _print_below(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    header = [Text(column, style="bold") for column in columns]
    widths = [max(cell.cell_len for cell in cells) for cells in zip(header, *rows, strict=True)]
    lines = _packed(widths, console.width)
    for row in (header, *rows):
        for number, places in enumerate(lines):
            line = Text(" " * _GAP).join(_padded(row[place], widths[place]) for place in places)
            line.rstrip()
            if line.plain:
                console.print(Padding(line, (0, 0, 0, _INDENT if number else 0), expand=False), overflow="fold")


def _packed(widths: Sequence[int], room: int) -> list[list[int]]:
    """Which columns stand on which line: as many on each as there is room for, and one at least."""
    lines: list[list[int]] = [[0]]
    used = widths[0]
    for place, width in enumerate(widths[1:], 1):
        if used + _GAP + width > room:
            lines.append([place])
            used = _INDENT + width
        else:
            lines[-1].append(place)
            used += _GAP + width
    return lines


def _padded(text: Text, width: int) -> Text:
    padded = text.copy()
    padded.pad_right(width - text.cell_len)
    return padded


def harmless(text: str) -> str:
    """Text from outside without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def clocks(past: Past) -> Iterator[str]:
    """What is left out, in words."""
    if past.as_of:
        yield f"as of {past.as_of:{INSTANT}}: what happened later is left out"
    if past.known_at:
        yield f"as known at {past.known_at:{INSTANT}}: what was recorded later is left out"
