"""Faults on demand, for every simulator: which requests they meet and what happens to those."""

from __future__ import annotations

import fnmatch
from typing import Any, Literal

import msgspec

MOST_FAULTS = 1000
LONGEST_DELAY = 600.0

When = Literal["before", "after"]


def _check_status(status: int) -> None:
    if not 200 <= status <= 599:
        raise ValueError("status must be between 200 and 599.")


class _Effect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What happens to a request: before it acts, or after it did and is stored."""


class Answer(_Effect, frozen=True, kw_only=True, tag="answer"):
    """Answers with a status instead; without a body, with what the imitated server says for it."""

    status: int
    when: When = "before"
    body: Any = None
    headers: dict[str, str] = {}

    def __post_init__(self) -> None:
        _check_status(self.status)


class ErrorInOk(_Effect, frozen=True, kw_only=True, tag="error_in_ok"):
    """Answers 200 with an ERROR among its infos, which NetLicensing's own client takes for an error."""

    id: str = "IllegalOperationException"
    text: str = "A fault of the sandbox."
    when: When = "before"


class HtmlPage(_Effect, frozen=True, kw_only=True, tag="html_page"):
    """Answers with a page such as a proxy writes."""

    status: int = 502
    when: When = "before"

    def __post_init__(self) -> None:
        _check_status(self.status)


class Throttle(_Effect, frozen=True, kw_only=True, tag="throttle"):
    """Answers as the rate limit does; without `retry_after` (seconds) there is no header."""

    retry_after: int | None = 1


class Drop(_Effect, frozen=True, kw_only=True, tag="drop"):
    """Closes the connection without an answer."""

    when: When = "before"


class Delay(_Effect, frozen=True, kw_only=True, tag="delay"):
    """Lets the request wait before it acts, or its answer after it acted."""

    seconds: float
    when: When = "before"

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= LONGEST_DELAY:
            raise ValueError(f"seconds must be between 0 and {LONGEST_DELAY:g}.")


class Stale(_Effect, frozen=True, kw_only=True, tag="stale"):
    """Lets a GET see the rows as they were before the latest `changes` changes."""

    changes: int = 1

    def __post_init__(self) -> None:
        if self.changes < 1:
            raise ValueError("changes must be 1 or more.")


Effect = Answer | ErrorInOk | HtmlPage | Throttle | Drop | Delay | Stale


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do to requests with this method and a path like this glob (`*` also spans slashes).

    The path is the one that the simulator's log of calls shows, compared without its trailing slash. `skip` lets so
    many matching requests pass first; then it meets `times` of them, or all when that is null.
    """

    effect: Effect
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    skip: int = 0

    def __post_init__(self) -> None:
        if self.skip < 0 or (self.times is not None and self.times < 1):
            raise ValueError("times must be 1 or more, or null for a standing fault; skip 0 or more.")

    def meets(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and fnmatch.fnmatchcase(path.rstrip("/"), self.path.rstrip("/"))


class PlacedFault(msgspec.Struct, kw_only=True):
    """A fault with what is left of it; `left` is null while it stands until removed."""

    id: int
    fault: Fault
    skip: int
    left: int | None
    met: int = 0


class Faults:
    """The faults in place. A request meets one at most: the oldest counted one that matches, else a standing one.

    `effects` are those that the simulator has.
    """

    def __init__(self, *effects: type[Effect]) -> None:
        self.effects = effects
        self._placed: list[PlacedFault] = []
        self._last_id = 0

    def place(self, fault: Fault) -> PlacedFault:
        """Raises ValueError when this simulator has no such effect, or too many faults are in place already."""
        if type(fault.effect) not in self.effects:
            known = ", ".join(_kind(effect) for effect in self.effects)
            raise ValueError(f"{_kind(type(fault.effect))} is no fault of this simulator; it has {known}.")
        if len(self._placed) >= MOST_FAULTS:
            raise ValueError(f"{MOST_FAULTS} faults are in place; remove some first.")
        self._last_id += 1
        placed = PlacedFault(id=self._last_id, fault=fault, skip=fault.skip, left=fault.times)
        self._placed.append(placed)
        return placed

    def placed(self) -> list[PlacedFault]:
        """Those that can still meet a request, oldest first."""
        return list(self._placed)

    def remove(self, key: int) -> bool:
        before = len(self._placed)
        self._placed = [placed for placed in self._placed if placed.id != key]
        return len(self._placed) < before

    def clear(self) -> None:
        self._placed.clear()

    def meet(self, method: str, path: str) -> PlacedFault | None:
        """The fault this request meets, which is used up by one."""
        matching = [placed for placed in self._placed if placed.fault.meets(method, path)]
        for placed in sorted(matching, key=lambda placed: placed.left is None):
            if placed.skip > 0:
                placed.skip -= 1
                continue
            placed.met += 1
            if placed.left is not None:
                placed.left -= 1
                if placed.left <= 0:
                    self.remove(placed.id)
            return placed
        return None


def _kind(effect: type[Effect]) -> str:
    return str(effect.__struct_config__.tag)
