"""Lists of the past: all streams are folded as they were, a few at a time, and rows are printed as they are found."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TypeVar

import msgspec

from domain.events import PARTITIONS
from domain.past import Past
from projections.past import Then, lots, stand
from projections.queries import LicenseView, StreamView
from projections.sources import source_for
from service.commands.failures import usage
from service.commands.lists import until
from service.commands.output import harmless
from service.commands.progress import Reading
from service.commands.reading import ask
from service.lookup import Reader, find_stream, find_then
from service.picking import pick_licenses, pick_stream

T = TypeVar("T")

_WIDTH = 80


def past_of(as_of: datetime | None, known_at: datetime | None, *, everything: bool) -> Past:
    """What is asked about. Raises CommandFailed for --all of the present."""
    past = Past(as_of=as_of, known_at=known_at)
    if everything and past.is_present:
        raise usage("--all is for the past: give --as-of or --known-at with it, or raise --limit.")
    return past


def list_past_subscriptions(
    config: Path | None,
    past: Past,
    *,
    state: str | None,
    source: str | None,
    problems: bool,
    most: int | None,
    as_json: bool,
) -> None:
    """Prints subscriptions and purchases as they stood, by partition and name."""
    pick = partial(pick_stream, state=state, source=source, problems=problems)
    _list(config, past, pick, _Lines(_of_stream, "No subscriptions then.", as_json=as_json), most)


def list_past_licenses(config: Path | None, past: Past, text: str | None, *, most: int | None, as_json: bool) -> None:
    """Prints licenses as they stood, of one subscription if `text` names it. Raises NotFound, Ambiguous, TooLong."""
    lines = _Lines(_of_license, "No licenses then.", as_json=as_json)
    if text is None:
        _list(config, past, pick_licenses, lines, most)
        return

    async def question(reader: Reader) -> Sequence[LicenseView]:
        return (await find_then(reader, await find_stream(reader, text, by_key=True), past)).licenses

    for view in ask(config, question)[:most]:
        lines.add(view)
    lines.end()


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """One row for people: below a heading, a line and what does not fit into it."""

    heading: str = ""
    line: Sequence[str]
    more: str = ""


class _Lines:
    """Prints row by row: a JSON array, or lines of words; what many rows share stands above them."""

    def __init__(self, words: Callable[..., Words], empty: str, *, as_json: bool) -> None:
        self._words = words
        self._empty = empty
        self._heading = ""
        self._as_json = as_json
        self.count = 0

    def add(self, row: object) -> None:
        if self._as_json:
            text = msgspec.json.format(msgspec.json.encode(row), indent=2).decode().replace("\n", "\n  ")
            sys.stdout.write(f"{',' if self.count else '['}\n  {text}")
        else:
            self._say(self._words(row))
        self.count += 1

    def _say(self, words: Words) -> None:
        if words.heading != self._heading:
            self._heading = words.heading
            sys.stdout.write(f"{harmless(words.heading)}\n")
        sys.stdout.write("  ".join(harmless(word) for word in words.line).rstrip() + "\n")
        if words.more:
            sys.stdout.write(fill(harmless(words.more), _WIDTH, initial_indent="    ", subsequent_indent="    ") + "\n")

    def end(self) -> None:
        if self._as_json:
            sys.stdout.write("\n]\n" if self.count else "[]\n")
        elif not self.count:
            sys.stdout.write(f"{self._empty}\n")


def _list(
    config: Path | None, past: Past, pick: Callable[[Then], Sequence[T]], lines: _Lines, most: int | None
) -> None:
    with Reading("folding", amid=True) as progress:
        cut = ask(config, lambda reader: _read_on(reader, past, pick, lines, most, progress))
    lines.end()
    if cut:
        sys.stderr.write(f"tenure: the first {lines.count} by partition and name; --all prints all\n")


async def _read_on(
    reader: Reader,
    past: Past,
    pick: Callable[[Then], Sequence[T]],
    lines: _Lines,
    most: int | None,
    progress: Reading,
) -> bool:
    """Whether there was more than `most`."""
    progress.expect(sum((await reader.log.heads(range(PARTITIONS))).values()))
    async for lot in lots(reader.log, past):
        for stream, events in lot.streams:
            then = stand(stream, events, source_for(reader.sources, stream), past)
            for row in pick(then) if then else ():
                if lines.count == most:
                    return True
                lines.add(row)
        progress.read(lot.size)
    return False


def _of_stream(view: StreamView) -> Words:
    latest = f"{view.latest_at:%Y-%m-%d}" if view.latest_at else ""
    return Words(line=(f"{view.state:<10}", f"{latest:<10}", view.stream), more=view.problem)


def _of_license(view: LicenseView) -> Words:
    # A column as wide as a date.
    line = ("", view.id, f"{until(view.desired).plain:<10}", view.desired.product_code, f"{view.target}: {held(view)}")
    return Words(heading=view.stream, line=line, more=view.withheld)


def held(view: LicenseView) -> str:
    """What the license server is known to have held of it."""
    if view.applied is None or not view.applied.remote:
        return "not there"
    return "disabled" if view.applied.fields.get("enabled") is False else "enabled"
