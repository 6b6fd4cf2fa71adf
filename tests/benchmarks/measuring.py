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
    warm_up: bool = True
    events: int
    """Appended or posted, by each case."""
    lives: int
    """How often every named life is folded."""
    subscriptions: int
    licenses: int
    """Changed at a license server, so many at a time."""
    backlog: int
    """Events that wait for the runner."""
    lone: int
    """Events appended one by one to an idle process."""
    longest: int
    """Events of a stream that is read by its key."""
    history: int
    """Events that a rebuild derives anew."""
    growth: tuple[int, ...]
    """Events of the stores that are compared."""
    demo: bool
    """Whether the whole demo is run."""
    tells: bool = True
    """Whether its numbers mean anything."""


USUAL = Size(
    rounds=5,
    events=4_000,
    lives=30,
    subscriptions=300,
    licenses=1_000,
    backlog=5_000,
    lone=50,
    longest=10_000,
    history=100_000,
    growth=(100_000, 300_000),
    demo=True,
)
FULL = msgspec.structs.replace(USUAL, history=1_000_000, growth=(300_000, 1_000_000, 3_000_000, 10_000_000))
"""Takes hours and 40 GB of disk."""
TINY = Size(
    rounds=1,
    warm_up=False,
    events=50,
    lives=1,
    subscriptions=3,
    licenses=3,
    backlog=20,
    lone=2,
    longest=20,
    history=300,
    growth=(300, 400),
    demo=False,
    tells=False,
)
"""Shows that everything works; its numbers mean nothing."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a bench may make databases and files."""

    server: Server
    folder: Path
    size: Size


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """Another number of a case: `read` gives it, for the round that was just measured."""

    name: str
    unit: str
    read: Callable[[], float]
    against: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is measured; `measure` does one round of it and gives its number in `unit`.

    `against` names its baselines, other cases or asides of the same bench and unit.
    """

    name: str
    unit: str
    measure: Callable[[], Awaitable[float]]
    against: tuple[str, ...] = ()
    asides: tuple[Aside, ...] = ()


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
    """Runs a round that does not count, where the size has one, then its rounds, each beginning with another case."""
    async with bench.open(place) as cases:
        if place.size.warm_up:
            progress(f"{bench.name}: warming up")
            for case in cases:
                await _once(case)
        numbers: dict[str, list[float]] = {}
        for turn in range(place.size.rounds):
            progress(f"{bench.name}: round {turn + 1} of {place.size.rounds}")
            first = turn % len(cases)
            for case in (*cases[first:], *cases[:first]):
                numbers.setdefault(case.name, []).append(await _once(case))
                for aside in case.asides:
                    numbers.setdefault(aside.name, []).append(aside.read())
    told: list[Case | Aside] = []
    for case in cases:
        told += (case, *case.asides)
    return Outcome(bench=bench.name, about=bench.about, rows=tuple(_row(each, numbers) for each in told))


async def _once(case: Case) -> float:
    # What one case leaves behind is not to be collected at the cost of another.
    gc.collect()
    return await case.measure()


def _row(case: Case | Aside, numbers: dict[str, list[float]]) -> Row:
    own = numbers[case.name]
    ratios = tuple(
        Ratio(to=to, value=_spread([mine / base for mine, base in zip(own, numbers[to], strict=True)]))
        for to in case.against
        if all(numbers[to])  # what this system cannot tell is 0
    )
    return Row(name=case.name, unit=case.unit, value=_spread(own), ratios=ratios, rounds=tuple(own))


def _spread(numbers: Sequence[float]) -> Spread:
    return Spread(median=statistics.median(numbers), low=min(numbers), high=max(numbers))
