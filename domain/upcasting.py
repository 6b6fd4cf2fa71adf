"""Bodies that Tenure wrote itself, in whatever form it wrote them then: raised to the form of today when they are read.

A body of one of our own types (receipts, timers, operators' acts, records of keys) says its form in the field
`version`; one without it is of version 1. A new form gets the next number in CURRENT and one step in STEPS, a pure
function from the version before. What is stored is never rewritten.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Step = Callable[[dict[str, Any]], dict[str, Any]]
"""From a body of one version to one of the next; the field `version` is not its business."""

CURRENT: dict[str, int] = {}
"""The version that is written today, of each type that has another than the first."""

STEPS: dict[tuple[str, int], Step] = {}
"""(type, version) → what makes the next version of it."""


class UpcastersIncomplete(Exception):
    """A version that may stand in the store cannot be raised to the one of today: a fault of this program."""


class _Versioned(msgspec.Struct):
    version: int = 1


_version = msgspec.json.Decoder(_Versioned)
_any = msgspec.json.Decoder(dict[str, Any])


def check(current: Mapping[str, int] = CURRENT, steps: Mapping[tuple[str, int], Step] = STEPS) -> None:
    """Returns if every version from 1 on leads to the one of today, without a gap. Raises UpcastersIncomplete."""
    wanted = {(type_, version) for type_, latest in current.items() for version in range(1, latest)}
    wrong = [f"{type_}: nothing leads from version {version} to {version + 1}" for type_, version in wanted - {*steps}]
    wrong += [
        f"{type_}: a step leads from version {version}, and {current.get(type_, 1)} is the latest"
        for type_, version in {*steps} - wanted
    ]
    if wrong:
        remedy = "Complete STEPS or correct CURRENT in domain/upcasting.py."
        raise UpcastersIncomplete(f"old events could not be read. {'; '.join(sorted(wrong))}. {remedy}")


def upcast(
    type_: str,
    body: bytes,
    current: Mapping[str, int] = CURRENT,
    steps: Mapping[tuple[str, int], Step] = STEPS,
) -> bytes:
    """The body in the form of today. Raises ValueError for one of a version that this program does not know."""
    latest = current.get(type_, 1)
    # The bare text is no proof, but without it there is no version to look at, as in nearly all bodies.
    found = _version.decode(body).version if b'"version"' in body else 1
    if found == latest:
        return body
    if not 1 <= found < latest:
        known = f"this program knows 1 to {latest}"
        raise ValueError(f"version {found} of {type_} is none: {known}{': upgrade Tenure' * (found > latest)}")
    content = _any.decode(body)
    for version in range(found, latest):
        content = steps[type_, version]({name: value for name, value in content.items() if name != "version"})
    return msgspec.json.encode({**content, "version": latest})


def encode_own(type_: str, value: msgspec.Struct, current: Mapping[str, int] = CURRENT) -> bytes:
    """A body of one of our own types, with its version where that is not the first."""
    body = msgspec.json.encode(value)
    latest = current.get(type_, 1)
    return body if latest == 1 else msgspec.json.encode({**_any.decode(body), "version": latest})
