"""What another version of the projections would change: licenses field by field, and streams. Values in, values out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from domain.events import Stream

ABSENT: Mapping[str, Any] = {}
_TOLD = {"desired", "stream", "id", "target"}
"""Columns of a license that are not told as fields of their own."""
_DEEP = {"features", "custom_fields"}
_UNTOLD = {"because", "id", "stream", "target"}
"""Fields of a desired license that name it, or say why."""
_DERIVED = {"enabled"}
"""Columns that repeat a field of the desired license, and count where they do not."""
PUSHED = "to be pushed"


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field before and after, as JSON holds it; None where there is none. `because` is the rule that sets it."""

    field: str
    before: Any
    after: Any
    because: str = ""


class LicenseChange(msgspec.Struct, frozen=True, kw_only=True):
    """A license at a target that becomes another, or comes, or goes; `pushed` where the target will be told.

    `moving` where its stream has events that only one of the two versions knew when they were compared.
    """

    id: str
    target: str
    stream: Stream
    product_code: str
    kind: str
    """`added`, `removed` or `changed`."""
    pushed: bool
    moving: bool = False
    fields: tuple[FieldChange, ...]


class StreamChange(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that is derived otherwise; `state` and the like before and after stand among `fields`."""

    stream: Stream
    kind: str
    moving: bool = False
    fields: tuple[FieldChange, ...]

    @property
    def changes_state(self) -> bool:
        return any(each.field in {"state", "status"} for each in self.fields)


def license_change(
    stream: str, id_: str, target: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> LicenseChange:
    """From the two rows of a license, as JSON."""
    old, new = before or {}, after or {}
    fields = [*_desired(_object(old.get("desired")), _object(new.get("desired"))), *_columns(old, new)]
    desired = _object((new or old).get("desired"))
    return LicenseChange(
        id=id_,
        target=target,
        stream=Stream(stream),
        product_code=str(desired.get("product_code", "")),
        kind=_kind(before, after),
        pushed=bool(new.get("due")) and not old.get("due"),
        # Of one that comes or goes everything would be told.
        fields=tuple(fields) if before and after else (),
    )


def stream_change(stream: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> StreamChange:
    """From the two rows of a stream, as JSON."""
    names = list(before or after or {})
    fields = _differing(names, before or {}, after or {}) if before and after else ()
    return StreamChange(stream=Stream(stream), kind=_kind(before, after), fields=tuple(fields))


def _kind(before: object, after: object) -> str:
    return "changed" if before and after else "added" if after else "removed"


def _desired(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    """The fields of the desired license that differ, with the rule that sets each now; else only the reasons."""
    because = _object(new.get("because"))
    names = [name for name in dict.fromkeys([*old, *new]) if name not in _UNTOLD]
    changed = list(_differing(names, old, new))
    for each in changed:
        rule = _object(because.get(each.field)).get("rule", "")
        yield msgspec.structs.replace(each, because=str(rule))
    reasons = _object(old.get("because"))
    told = {each.field for each in changed}
    for name in dict.fromkeys([*reasons, *because]):
        if name not in told and reasons.get(name) != because.get(name):
            yield FieldChange(field=f"why {name}", before=_reason(reasons.get(name)), after=_reason(because.get(name)))


def _reason(because: object) -> str | None:
    """The rule, and the event that it followed from."""
    found = _object(because)
    event = found.get("event")
    # An EventRef, which is an array: id, type, time.
    id_ = event[0] if isinstance(event, list) and event else None
    return " ".join(str(part) for part in (found.get("rule"), id_) if part) or None


def _columns(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    """What the rows hold besides the desired license; `due` is told as what follows from it."""
    for each in _differing([name for name in {**old, **new} if name not in _TOLD | {"due"}], old, new):
        whole = _object(new.get("desired"))
        if each.field in _DERIVED and whole.get(each.field) != _object(old.get("desired")).get(each.field):
            continue
        yield msgspec.structs.replace(each, field=_COLUMNS.get(each.field, each.field))
    if bool(old.get("due")) != bool(new.get("due")):
        yield FieldChange(field=PUSHED, before=bool(old.get("due")), after=bool(new.get("due")))


_COLUMNS = {"applied": "known to be held", "enabled": "enabled, in lists"}


def _differing(names: Sequence[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in names:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if name in _DEEP and isinstance(before or {}, dict) and isinstance(after or {}, dict):
            deep = dict.fromkeys([*(before or {}), *(after or {})])
            yield from (
                msgspec.structs.replace(each, field=f"{name}.{each.field}")
                for each in _differing(list(deep), before or {}, after or {})
            )
        else:
            yield FieldChange(field=name, before=before, after=after)


def _object(value: object) -> Mapping[str, Any]:
    """An object of JSON; nothing where a row holds something else, since it may be what is to be mended."""
    return value if isinstance(value, dict) else ABSENT
