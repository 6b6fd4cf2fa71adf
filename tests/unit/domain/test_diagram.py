"""The state diagram in the documentation is that of the machine; and how such parts of a README are kept."""

from pathlib import Path

import pytest

from domain.diagram import DIAGRAM, README, main, mermaid
from domain.lifecycle import LOOKUP, State


def test_the_diagram_in_the_readme_is_that_of_the_machine() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == DIAGRAM.put_into(text), "stale: run `python -m domain.diagram`"


def test_every_move_of_the_machine_is_an_arrow_with_its_triggers_and_nothing_else_is() -> None:
    drawn: dict[tuple[str, str], set[str]] = {}
    for line in mermaid().splitlines():
        if " --> " in line and "[*]" not in line:
            ends, triggers = line.strip().split(": ")
            source, target = ends.split(" --> ")
            drawn[source, target] = {trigger.replace(" ", "_") for trigger in triggers.split(", ")}
    moves: dict[tuple[str, str], set[str]] = {}
    for trigger, row in LOOKUP.items():
        for source_state, target_state in row.items():
            if source_state is not target_state:
                moves.setdefault((source_state.value, target_state.value), set()).add(trigger)
    assert drawn == moves


def test_a_change_of_the_machine_changes_the_diagram() -> None:
    changed = {**LOOKUP, "subscription_reactivated": {State.TERMINATED: State.PENDING}}
    assert mermaid(changed) != mermaid()


@pytest.fixture
def stale(tmp_path: Path) -> Path:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{DIAGRAM.begin}old\n{DIAGRAM.end}after\n", encoding="utf-8")
    return readme


def test_check_fails_on_a_stale_diagram_says_what_to_do_and_changes_nothing(
    stale: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stale.read_text(encoding="utf-8")
    assert main(["--check"], stale) == 1
    assert "run `python -m domain.diagram`" in capsys.readouterr().err
    assert stale.read_text(encoding="utf-8") == before


def test_writing_puts_the_diagram_between_its_markers_and_leaves_the_rest(stale: Path) -> None:
    assert main([], stale) == 0
    assert main(["--check"], stale) == 0
    text = stale.read_text(encoding="utf-8")
    assert text.startswith("before\n" + DIAGRAM.begin)
    assert text.endswith(DIAGRAM.end + "after\n")
    assert "old" not in text


def test_a_readme_without_the_markers_is_refused_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing\n", encoding="utf-8")
    assert main([], readme) == 1
    assert DIAGRAM.begin in capsys.readouterr().err
    assert readme.read_text(encoding="utf-8") == "nothing\n"
