"""What a bench is, and how it is measured: all its cases in turn, round after round, so that a neighbour on the machine
disturbs the baseline as much as what is compared with it.
"""

import gc
import statistics
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec

from tests.databases import Server


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done in one round."""

    rounds: int
    events: int
    """Appended or posted, by each case."""
    lives: int
    """How often every named life is folded."""
    subscriptions: int
    backlog: int
    """Events that wait for the runner."""
    lone: int
    """Events appended one by one to an idle process."""


FULL = Size(rounds=5, events=4_000, lives=30, subscriptions=300, backlog=5_000, lone=20)
TINY = Size(rounds=1, events=50, lives=1, subscriptions=3, backlog=20, lone=2)
"""Shows that everything works; its numbers mean nothing."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a bench may make databases and files."""

    server: Server
    folder: Path
    size: Size


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is measured; `measure` does one round of it and gives its number in `unit`.

    `against` names its baselines, other cases of the same bench and unit.
    """

    name: str
    unit: str
    measure: Callable[[], Awaitable[float]]
    against: tuple[str, ...] = ()


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """Cases that are measured together. `open` sets up what they share, and clears it away."""

    name: str
    about: str
    open: Callable[[Place], AbstractAsyncContextManager[Sequence[Case]]]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    median: float
    low: float
    high: float


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """Each round's number divided by the baseline's of the same round."""

    to: str
    value: Spread


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a case, in its unit."""

    name: str
    unit: str
    value: Spread
    ratios: tuple[Ratio, ...]
    rounds: tuple[float, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    bench: str
    about: str
    rows: tuple[Row, ...]


async def measure(bench: Bench, place: Place, progress: Callable[[str], None]) -> Outcome:
    """Runs a round that does not count, then the size's rounds, each beginning with another case."""
    async with bench.open(place) as cases:
        progress(f"{bench.name}: warming up")
        for case in cases:
            await _once(case)
        numbers: dict[str, list[float]] = {case.name: [] for case in cases}
        for turn in range(place.size.rounds):
            progress(f"{bench.name}: round {turn + 1} of {place.size.rounds}")
            first = turn % len(cases)
            for case in (*cases[first:], *cases[:first]):
                numbers[case.name].append(await _once(case))
    return Outcome(bench=bench.name, about=bench.about, rows=tuple(_row(case, numbers) for case in cases))


async def _once(case: Case) -> float:
    # What one case leaves behind is not to be collected at the cost of another.
    gc.collect()
    return await case.measure()


def _row(case: Case, numbers: dict[str, list[float]]) -> Row:
    own = numbers[case.name]
    ratios = tuple(
        Ratio(to=to, value=_spread([mine / base for mine, base in zip(own, numbers[to], strict=True)]))
        for to in case.against
    )
    return Row(name=case.name, unit=case.unit, value=_spread(own), ratios=ratios, rounds=tuple(own))


def _spread(numbers: Sequence[float]) -> Spread:
    return Spread(median=statistics.median(numbers), low=min(numbers), high=max(numbers))
