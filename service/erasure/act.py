"""One act of erasure: looks, checks that nothing else follows, and replaces."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import msgspec
from psycopg import Connection
from psycopg.errors import DeadlockDetected, SerializationFailure

from domain.erasure import ERASED, Body, Erased, Person, Redaction, encode_erased
from domain.events import Event, NewEvent, Stream
from domain.history import refold
from domain.providers import Provider
from projections.sources import Source, source_for
from service.erasure.finding import Search
from service.erasure.outcome import other_outcome
from service.erasure.words import ErasureRefused, Found, Holder, Touched, WordsNamePerson
from service.store import erasing

ATTEMPTS = 10
PASSES = 5
"""How often bodies are replaced: what arrived or was erased by another act meanwhile takes one more."""


class Erasure:
    """One act: what it would touch (`found`), and doing it (`run`)."""

    def __init__(self, connection: Connection[Any], sources: Mapping[str, Source], person: Person) -> None:
        self._connection = connection
        self._sources = sources
        self._sought = person
        self._act = uuid4().hex[:12]
        self._search = Search(connection, sources, person)
        self._redaction = Redaction(person, self._act)
        self._upto: dict[int, int] = {}
        self._done: set[tuple[int, int]] = set()
        self._erased: list[Event] = []
        self._holders: dict[tuple[str, Stream], Holder] = {}
        self._lasting: set[str] = set()
        self._passes = 0
        self._left = 0
        self._why_left = ""

    def look(self, progress: Callable[[int], None] | None = None) -> Sequence[erasing.Replacement]:
        """What is to be replaced of what has been appended since the last look. Raises ErasureRefused."""
        after, self._upto = self._upto, erasing.heads(self._connection)
        self._search.look(after, self._upto, progress)
        events = [
            event
            for place, event in sorted(self._search.events.items())
            if place not in self._done and not self._is_told(event)
        ]
        self._redaction.is_about(self._search.person)
        for event in events:
            self._redaction.learn(self._body(event))
        replacements = [
            erasing.Replacement(event, redacted)
            for event in events
            if (redacted := self._redaction.redact(self._body(event))) != event.body
        ]
        self._left = len(replacements)
        self._note(events, replacements)
        self._check(replacements)
        return replacements

    def several(self) -> Sequence[str]:
        """The references, as SOURCE/ID, at sources that know the person by more than one: or several people."""
        person = self._search.person
        return [
            f"{source}/{reference}"
            for source, reference in sorted(person.references)
            if len(person.references_at(source)) > 1
        ]

    def run(self, replacements: Sequence[erasing.Replacement], author: str, reason: str) -> None:
        """Replaces, and then what arrived meanwhile, until nothing did; `found` says what is left after PASSES.

        Raises ErasureRefused and WordsNamePerson where nothing was erased.
        """
        known = frozenset(self.several())
        try:
            while replacements and self._passes < PASSES:
                self._passes += 1
                self.check_words(author=author, reason=reason)
                self._check_references(known)
                replacements = self._pass(replacements, author, reason)
        except ErasureRefused as refused:
            if not self._erased:
                raise
            self._why_left = str(refused)
        if self._left and not self._why_left:
            self._why_left = "They arrived during the act, or another act changed them, each time that it looked again."

    def _pass(
        self, replacements: Sequence[erasing.Replacement], author: str, reason: str
    ) -> Sequence[erasing.Replacement]:
        """Replaces, and looks for what is left."""
        try:
            self._erase(replacements, self._told(replacements, author, reason))
        except erasing.ErasedMeanwhile:
            # The bodies that were read are not those that are there: begins anew, with the same stand-ins.
            self._search = Search(self._connection, self._sources, self._sought)
            self._upto, self._done = {}, set()
        else:
            self._done.update(self._search.events)
            self._erased += [each.event for each in replacements]
            self._left = 0
        return self.look()

    def check_words(self, **words: str) -> None:
        """Refuses words for the history, each by its option, that name the person. Raises WordsNamePerson."""
        for option, text in words.items():
            if self._redaction.redact_text(text, free=True) != text:
                raise WordsNamePerson(
                    f"--{option} is kept for ever and names the person, perhaps by a first or last name alone:"
                    " reword it, such as with a ticket's number, initials, or `article 17` for `Art. 17`."
                )

    def _check_references(self, known: frozenset[str]) -> None:
        """Refuses to go on to a customer whom nobody has agreed to yet."""
        new = [each for each in self.several() if each not in known]
        if new:
            raise ErasureRefused(f"Another customer was found meanwhile, of {', '.join(new)}.")

    def _is_told(self, event: Event) -> bool:
        """Whether the event is one by which this act says what it did."""
        return event.origin == "operator" and event.event_id.startswith(f"{ERASED}:{self._act}:")

    def _erase(self, replacements: Sequence[erasing.Replacement], told: Sequence[NewEvent]) -> None:
        for attempt in range(ATTEMPTS):
            try:
                erasing.erase(self._connection, replacements, told, self._redaction)
            except (DeadlockDetected, SerializationFailure):
                # The runner writes the same rows, in another order.
                if attempt == ATTEMPTS - 1:
                    raise ErasureRefused("The database is too busy with these streams: try again.") from None
            else:
                return

    def found(self, replacements: Sequence[erasing.Replacement]) -> Found:
        """What the act touches, of which those replacements are still to be done."""
        events = [*self._erased, *(each.event for each in replacements)]
        person = self._search.person
        return Found(
            act=self._act if self._erased else "",
            references=tuple(sorted("/".join(each) for each in person.references)),
            addresses=len(person.emails),
            events=len(events),
            streams=tuple(
                Touched(stream=stream, partition=theirs[0].partition, positions=tuple(e.position for e in theirs))
                for stream, theirs in by_stream(events).items()
            ),
            holders=tuple(self._holders[key] for key in sorted(self._holders)),
            lasting=tuple(sorted(self._lasting)),
            several=tuple(self.several()),
            left=self._left if self._why_left else 0,
            why_left=self._why_left,
        )

    def _body(self, event: Event) -> Body:
        return Body(
            source=event.source,
            content=event.body,
            content_type=event.content_type,
            item=event.item,
            own=self._search.is_own(event),
        )

    def _told(self, replacements: Sequence[erasing.Replacement], author: str, reason: str) -> list[NewEvent]:
        """One event for each stream, which says so where whoever reads that stream sees it."""
        now = datetime.now(UTC)
        return [
            NewEvent(
                stream=stream,
                event_id=f"{ERASED}:{self._act}:{self._passes}:{theirs[0].position}",
                type=ERASED,
                origin="operator",
                occurred_at=now,
                received_at=now,
                body=encode_erased(
                    Erased(
                        act=self._act,
                        author=author,
                        reason=reason,
                        positions=tuple(event.position for event in theirs),
                    )
                ),
            )
            for stream, theirs in by_stream(each.event for each in replacements).items()
        ]

    def _note(self, events: Sequence[Event], replacements: Sequence[erasing.Replacement]) -> None:
        """What stays: in names, which are sealed, and at license servers."""
        for event in events:
            names = f"{event.stream} {event.event_id} {event.item} {event.cause}".casefold()
            if any(email in names or quote(email).casefold() in names for email in self._search.person.emails):
                self._lasting.add(event.stream)
        for stream in by_stream(each.event for each in replacements):
            fold = refold(erasing.read_stream(self._connection, stream), self._provider(stream))
            for target, applied in fold.applied.items():
                there = tuple(sorted(each.remote for each in applied.licenses.values() if each.remote))
                if there or applied.customers:
                    self._holders[target, stream] = Holder(
                        target=target, stream=stream, licenses=there, customers=tuple(sorted(applied.customers))
                    )

    def _provider(self, stream: Stream) -> Provider:
        return source_for(self._sources, stream).provider

    def _check(self, replacements: Sequence[erasing.Replacement]) -> None:
        """Refuses what would change a license, which a value that stands for something else, too, could do."""
        bodies = {(each.event.partition, each.event.position): each.body for each in replacements}
        for stream in by_stream(each.event for each in replacements):
            events = erasing.read_stream(self._connection, stream)
            after = [
                msgspec.structs.replace(event, body=bodies.get((event.partition, event.position), event.body))
                for event in events
            ]
            told = other_outcome(source_for(self._sources, stream), stream, events, after)
            if told:
                raise ErasureRefused(f"{stream}: not erased, because without the personal data {told}")


def by_stream(events: Iterable[Event]) -> dict[Stream, list[Event]]:
    """The events of each stream, in the store's order."""
    found: dict[Stream, list[Event]] = {}
    for event in sorted(events, key=lambda each: (each.partition, each.position)):
        found.setdefault(event.stream, []).append(event)
    return found
