"""The state diagram in `domain/README.md`, drawn from the machine itself: `python -m domain.diagram [--check]`.

`transitions` draws Mermaid too, but states its styles and every trigger that leaves the state as it is; a reader looks
for what moves a subscription.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from domain.lifecycle import LOOKUP, State

README = Path(__file__).with_name("README.md")
BEGIN = "<!-- drawn by `python -m domain.diagram`: begin -->\n"
END = "<!-- drawn by `python -m domain.diagram`: end -->\n"


def mermaid(lookup: Mapping[str, Mapping[State, State]] = LOOKUP) -> str:
    """The machine as a Mermaid state diagram: one arrow between two states, with all triggers that lead there."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for trigger, moves in lookup.items():
        for source, target in moves.items():
            if source is not target:
                arrows.setdefault((source, target), []).append(_words(trigger))
    states = [f"    {state}: {_words(state)}" for state in State if _words(state) != state]
    order = list(State)
    drawn = [
        f"    {source} --> {target}: {', '.join(triggers)}"
        for (source, target), triggers in sorted(
            arrows.items(), key=lambda arrow: [order.index(end) for end in arrow[0]]
        )
    ]
    return "\n".join(["stateDiagram-v2", *states, f"    [*] --> {State.PENDING}", *drawn, ""])


def _words(name: str) -> str:
    return name.replace("_", " ")


def with_diagram(text: str) -> str:
    """The text with a fresh diagram between its markers. Raises ValueError where they are not there once, in order."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"put these two lines into it, once each:\n{BEGIN}{END}")
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}```mermaid\n{mermaid()}```\n{END}{tail}"


def main(arguments: list[str] | None = None, readme: Path = README) -> int:
    """Writes the diagram, or with `--check` only says whether it is stale; 0 when it is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m domain.diagram", description="Draws the state diagram.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the diagram is stale")
    check = parser.parse_args(arguments).check
    before = readme.read_text(encoding="utf-8")
    try:
        after = with_diagram(before)
    except ValueError as error:
        sys.stderr.write(f"{readme} has no place for the diagram: {error}\n")
        return 1
    if before == after:
        return 0
    if check:
        sys.stderr.write(f"The diagram in {readme} is not that of the machine: run `python -m domain.diagram`.\n")
        return 1
    readme.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
