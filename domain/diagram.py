"""The state diagram in `domain/README.md`, drawn from the machine itself: `python -m domain.diagram [--check]`.

`transitions` draws Mermaid too, but states its styles and every trigger that leaves the state as it is; a reader looks
for what moves a subscription.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from domain.documented import Part
from domain.lifecycle import LOOKUP, State

README = Path(__file__).with_name("README.md")


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


def _drawn() -> str:
    return f"```mermaid\n{mermaid()}```\n"


DIAGRAM = Part(module="domain.diagram", what="state diagram", made=_drawn)


def main(arguments: list[str] | None = None, readme: Path = README) -> int:
    """Writes the diagram, or with `--check` only says whether it is stale; 0 when it is as it should be."""
    return DIAGRAM.main(arguments, readme)


if __name__ == "__main__":
    sys.exit(main())
