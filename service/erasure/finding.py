"""Finding a person: every event of the store that holds something of theirs.

The store is read, not the projections: those may be behind, and know nothing of what nobody could understand.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from domain.erasure import Person, any_of, fold
from domain.events import Event, Stream
from domain.facts import CustomerDescribed, Fact
from domain.history import TRANSLATED
from projections.sources import Source, source_for
from service.erasure.words import ErasureRefused
from service.store import erasing

MOST_EVENTS = 100_000
MOST_BYTES = 512 * 1024 * 1024


class Search:
    """Finds the events of a person, however far the store has come meanwhile."""

    def __init__(self, connection: Connection[Any], sources: Mapping[str, Source], person: Person) -> None:
        self.person = person
        self.events: dict[tuple[int, int], Event] = {}
        self.streams: set[Stream] = set()
        """Streams whose customer the person is."""
        self._connection = connection
        self._sources = sources
        self._copied: set[str] = set()
        """What was relayed from elsewhere into those."""
        self._originals: set[str] = set()
        """Those of it that were looked up."""
        self._followed: dict[Stream, int] = {}
        """How far those streams were read."""
        self._size = 0

    def look(
        self, after: Mapping[int, int], upto: Mapping[int, int], progress: Callable[[int], None] | None = None
    ) -> None:
        """Looks through the events between those positions, and again while that tells more of the person."""
        scanned: Person | None = None
        known = -1
        while scanned != self.person or known != self._known():
            if scanned != self.person:
                # What becomes known of a person only now may stand in what was looked through before.
                after = after if scanned is None else {}
                scanned = self.person
                self._scan(after, upto, progress)
            known = self._known()
            self._follow()

    def _scan(
        self, after: Mapping[int, int], upto: Mapping[int, int], progress: Callable[[int], None] | None = None
    ) -> None:
        sought = needles(self.person)
        for event in erasing.scan(self._connection, after, upto, progress):
            if names(sought, event.body) or event.stream in self.streams or _named(event) in self._copied:
                self._take(event)

    def _known(self) -> int:
        return len(self.streams) + len(self._copied)

    def is_own(self, event: Event) -> bool:
        """Whether what an event does not say otherwise is about the person."""
        if event.stream not in self.streams and _named(event) not in self._copied:
            return False
        told = [each for each in self._facts(event) if isinstance(each, CustomerDescribed)]
        named = [each for each in told if each.email or each.reference]
        return not named or self.person.is_described(event.source, named)

    def _follow(self) -> None:
        """Takes the rest of the person's streams, and the originals of what was relayed there."""
        for stream in sorted(self.streams):
            for event in erasing.read_stream(self._connection, stream, self._followed.get(stream, 0)):
                self._followed[stream] = event.position
                self._take(event)
        new = self._copied - self._originals
        self._originals |= new
        for original in erasing.originals(self._connection, sorted(new)):
            self._take(original)

    def _take(self, event: Event) -> None:
        place = (event.partition, event.position)
        if place not in self.events:
            self.events[place] = event
            self._size += len(event.body)
            if len(self.events) > MOST_EVENTS or self._size > MOST_BYTES:
                raise ErasureRefused(
                    f"More than {len(self.events) - 1:,} events name that address or customer: that is no person, but"
                    " perhaps the shop's own address. Give --customer SOURCE/ID instead."
                )
        facts = self._facts(event)
        if self.person.is_described(event.source, facts):
            self.person = self.person.learning(event.source, facts)
            self.streams.add(event.stream)
        if event.origin == "relay" and event.stream in self.streams:
            self._copied.add(event.cause)

    def _facts(self, event: Event) -> Sequence[Fact]:
        if event.origin not in TRANSLATED:
            return ()
        try:
            return source_for(self._sources, event.stream).provider.translate(event)
        except Exception:  # noqa: BLE001 - what cannot be understood is found by value
            return ()


def _named(event: Event) -> str:
    return f"{event.stream}#{event.event_id}"


def needles(person: Person) -> re.Pattern[str]:
    """What a folded body that names the person holds: whole addresses, and references as they are."""
    addresses = any_of(map(fold, person.emails))
    references = (re.escape(fold(reference)) for _, reference in person.references)
    whole = sorted(rf"(?<![\w-]){each}(?![\w-])" for each in set(references))
    return re.compile("|".join([*([addresses.pattern] if addresses else []), *whole]) or "(?!)")


def names(sought: re.Pattern[str], body: bytes) -> bool:
    """Whether a body names the person, as JSON, as a form or in a URL, however it is escaped."""
    return sought.search(fold(body.decode("utf-8", "replace"))) is not None
