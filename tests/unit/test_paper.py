"""What commands print: no trailing blanks where it is pasted from, and what is wrapped stands below its beginning."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from service.commands.paper import paper, print_hanging

LONG = "stripe-main/subscription/sub_1 needs what was bought, and nobody answered when asked for it"


def test_lines_that_are_not_for_a_terminal_end_at_their_last_word(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("one", "two")
    table.add_row("a longer cell", "and one more")
    paper(width=80).print(table)
    lines = capsys.readouterr().out.split("\n")
    assert lines == ["one            two", "a longer cell  and one more", ""]


def test_a_terminal_is_written_to_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    assert paper(width=80).file is terminal


def test_what_does_not_fit_hangs_below_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_hanging(paper(width=40), Text(LONG), first=2, rest=6)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("  stripe-main")
    assert len(rest) > 1
    assert all(line.startswith(" " * 6) and line[6] != " " for line in rest)
    assert max(map(len, [first, *rest])) <= 40
    assert " ".join(" ".join([first, *rest]).split()) == LONG


def test_what_has_hardly_any_room_is_printed_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    print_hanging(paper(width=8), Text("x" * 50), first=4)
    assert capsys.readouterr().out.replace("\n", "").replace(" ", "") == "x" * 50
