"""Entries of a timeline for programs: with their bodies, and as CSV."""

import csv
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TextIO

from domain.events import Event
from projections.timeline import Entry


class EntryWithBody(Entry, frozen=True, kw_only=True):
    """An entry with the exact body of the request that carried it: as text where it is UTF-8, else in Base64."""

    body: str
    encoding: Literal["utf-8", "base64"]
    size: int
    """In bytes."""


def with_bodies(entries: Iterable[Entry], events: Iterable[Event]) -> list[EntryWithBody]:
    """The entries, each with the body of its event."""
    bodies = {event.position: event.body for event in events}
    return [_with_body(entry, bodies[entry.position]) for entry in entries]


def _with_body(entry: Entry, body: bytes) -> EntryWithBody:
    known = {name: getattr(entry, name) for name in entry.__struct_fields__}
    try:
        return EntryWithBody(**known, body=body.decode(), encoding="utf-8", size=len(body))
    except UnicodeDecodeError:
        return EntryWithBody(**known, body=b64encode(body).decode(), encoding="base64", size=len(body))


_COLUMNS: dict[str, Callable[[Entry], object]] = {
    "occurred_at": lambda entry: entry.occurred_at.isoformat(),
    "received_at": lambda entry: entry.received_at.isoformat(),
    "recorded_at": lambda entry: entry.recorded_at.isoformat(),
    "lag_seconds": lambda entry: entry.lag,
    "late": lambda entry: "yes" if entry.late else "no",
    "same_as": lambda entry: entry.same_as,
    "kind": lambda entry: entry.kind,
    "type": lambda entry: entry.type,
    "event_id": lambda entry: entry.event_id,
    "facts": lambda entry: " ".join(entry.facts),
    "summary": lambda entry: "; ".join(entry.summary),
    "before": lambda entry: entry.before,
    "after": lambda entry: entry.after,
    "anomalies": lambda entry: "; ".join(entry.anomalies),
    "warnings": lambda entry: "; ".join(entry.warnings),
    "error": lambda entry: entry.error,
    "folded": lambda entry: "yes" if entry.folded else "no",
    "partition": lambda entry: entry.partition,
    "position": lambda entry: entry.position,
    "cause": lambda entry: entry.cause,
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(out: TextIO, entries: Sequence[Entry]) -> None:
    """One line per entry below a line of names, after RFC 4180 but for the ends of lines, which are this system's."""
    bodied = [each for each in entries if isinstance(each, EntryWithBody)]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_COLUMNS, *(("body", "encoding") if bodied else ())])
    for entry in entries:
        # The body is exact, whatever a spreadsheet makes of it.
        more = (entry.body, entry.encoding) if isinstance(entry, EntryWithBody) else ()
        writer.writerow([*(_cell(value(entry)) for value in _COLUMNS.values()), *more])


def _cell(value: object) -> object:
    # What comes from outside must not be a formula to a spreadsheet.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
