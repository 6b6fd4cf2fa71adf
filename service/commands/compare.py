"""`tenure compare`: which licenses were believed active at an instant, and which really were."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from domain.events import PARTITIONS, Stream
from domain.past import Past
from projections.comparing import Difference, Side, compare
from projections.past import lots
from projections.sources import source_for
from service.commands.failures import usage
from service.commands.output import INSTANT, harmless, print_json
from service.commands.paper import paper, print_hanging
from service.commands.progress import Reading
from service.commands.reading import ask
from service.commands.timeline import span
from service.lookup import Reader

_MOST_NAMED = 5


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How many licenses were believed active, how many really were, and each that differs.

    `known_at` is null where all counts that is known now. `unclear` are streams of which even that does not say what
    they licensed: something had to be fetched first, or an event is not understood.
    """

    at: datetime
    known_at: datetime | None
    believed: int
    really: int
    differences: Sequence[Difference]
    unclear: Sequence[Stream]


def compare_at(config: Path | None, at: datetime, known_at: datetime | None, *, as_json: bool) -> None:
    """Prints both answers and the differences."""
    with Reading("comparing") as progress:
        comparison = ask(config, lambda reader: _compare(reader, at, known_at, progress))
    if as_json:
        print_json(comparison)
    else:
        show(paper(), comparison)


async def _compare(reader: Reader, at: datetime, known_at: datetime | None, progress: Reading) -> Comparison:
    now = await reader.queries.now()
    if at > now:
        raise usage(
            f"--at lies in the future ({at:{INSTANT}} UTC; it is {now:{INSTANT}}): nobody believes anything of it."
        )
    progress.expect(sum((await reader.log.heads(range(PARTITIONS))).values()))
    believed = really = 0
    differences: list[Difference] = []
    unclear: list[Stream] = []
    async for lot in lots(reader.log, Past(as_of=at, known_at=known_at)):
        for stream, events in lot.streams:
            compared = compare(stream, events, source_for(reader.sources, stream), at, known_at)
            believed += compared.believed
            really += compared.really
            differences += compared.differences
            unclear += [stream] if compared.unclear else []
        progress.read(lot.size)
    return Comparison(
        at=at, known_at=known_at, believed=believed, really=really, differences=differences, unclear=unclear
    )


def show(console: Console, told: Comparison) -> None:
    """Prints for people; reads well from 80 columns on, and without colour."""
    since = f"as known at {told.known_at:{INSTANT}}" if told.known_at else "as known now"
    console.print(Text.assemble((f"{told.at:{INSTANT}} UTC", "bold"), f", as believed then and {since}"))
    console.print(f"  believed active  {told.believed:>9,}", highlight=False)
    console.print(f"  really active    {told.really:>9,}", highlight=False)
    wrongly = [each for each in told.differences if each.believed is not None and each.believed.active]
    missed = [each for each in told.differences if each not in wrongly]
    for title, some in (("Believed active, and was not", wrongly), ("Was active, and not believed so", missed)):
        if some:
            console.print()
            console.print(Text.assemble((title, "bold"), f": {len(some):,}"))
            for _, alike in groupby(some, key=lambda each: msgspec.structs.replace(each, license="")):
                _show_alike(console, list(alike))
    if not told.differences:
        console.print("No license was other than believed.")
    if told.unclear:
        named = ", ".join(told.unclear[:_MOST_NAMED])
        more = f" and {len(told.unclear) - _MOST_NAMED:,} more" if len(told.unclear) > _MOST_NAMED else ""
        console.print()
        console.print(
            Text(f"What these licensed cannot be said (tenure timeline ID tells why): {harmless(named)}{more}"),
            style="yellow",
        )


def _show_alike(console: Console, alike: Sequence[Difference]) -> None:
    """Licenses of one subscription that differ in the same way, once."""
    each = alike[0]
    what = harmless(f"{each.product_code} at {each.target}")
    print_hanging(console, Text.assemble((harmless(each.stream), "cyan"), f"  {len(alike)} x {what}"), rest=6)
    names = ", ".join(one.license for one in alike[:_MOST_NAMED])
    more = f" and {len(alike) - _MOST_NAMED:,} more" if len(alike) > _MOST_NAMED else ""
    for line in (f"{names}{more}", *_lines(each)):
        print_hanging(console, Text(harmless(line)), first=4, rest=6)


def _lines(each: Difference) -> Iterator[str]:
    yield f"believed: {_words(each.believed)}"
    yield f"really:   {_words(each.really)}"
    came = each.arrived
    how = "" if came.origin == "webhook" else f" (by {came.origin})"
    more = f"; {each.late_events} events of it came late" if each.late_events > 1 else ""
    yield (
        f"because {came.type} {came.event_id} of {came.occurred_at:{INSTANT}} was recorded{how} "
        f"{came.recorded_at:{INSTANT}}, {span(came.lag)} after it happened{more}"
    )
    yield f"held at {each.target} then: {_HELD[each.held]}"


_HELD = {True: "enabled", False: "disabled", None: "not there"}


def _words(side: Side | None) -> str:
    if side is None:
        return "not known"
    until = f" until {side.until:%Y-%m-%d %H:%M}" if side.until else ""
    state = side.state.replace("_", " ")
    if side.active:
        return f"active{until}; subscription {state}"
    return f"not active ({side.rule or f'subscription {state}'})"
