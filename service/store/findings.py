"""What verification can find wrong, and how it says so."""

from typing import Literal, Self

import msgspec

Kind = Literal[
    "altered body",
    "altered field",
    "back-dated",
    "removed",
    "inserted",
    "swapped",
    "truncated tail",
    "missing seal",
    "altered seal",
    "rewritten",
]

MEANINGS: dict[Kind, str] = {
    "altered body": "the body is not the one that was stored: it does not agree with the event's digest",
    "altered field": "the event is not the one that was sealed: a field, a header, or body and digest were changed",
    "back-dated": "the event was not sealed with these times: it says it was recorded before the one in front of it",
    "removed": "an event was removed",
    "inserted": "an event was inserted that was not sealed here",
    "swapped": "the event was sealed at another position",
    "truncated tail": "the events from here to the end were removed",
    "missing seal": "the seal was removed",
    "altered seal": "the seal was changed, the event was not",
    "rewritten": "history up to here was made anew or cut: the archive holds another chain",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The first position of a partition that is not as it was sealed, and what is wrong there.

    Whose event stands there, as far as it does: `stream`, `event_id`, and `occurred_at` in ISO 8601, UTC. Of an event
    that was altered that is what it says now.
    """

    partition: int
    position: int
    kind: Kind
    detail: str
    unsure: bool = False
    """Whether the link alone is known to be broken, and the kind is still to be found out."""
    stream: str | None = None
    event_id: str | None = None
    occurred_at: str | None = None

    @classmethod
    def of(cls, kind: Kind, partition: int, position: int, detail: str = "", *, unsure: bool = False) -> Self:
        meaning = f"{MEANINGS[kind]} ({detail})" if detail else MEANINGS[kind]
        return cls(partition=partition, position=position, kind=kind, detail=meaning, unsure=unsure)
