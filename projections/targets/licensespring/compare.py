"""What is desired against what is recorded. Pure.

A record is True, a number or a text for what was set, False or an empty text for what is known not to be there, and
None for what may be either: an answer was lost, and a look did not tell.
"""

from collections.abc import Mapping

from domain.receipts import Fields
from projections.targets.licensespring.changes import COMPANIONS

_ABSENT = (False, "")
_TOGETHER: Mapping[str, str] = {**COMPANIONS, "floating_users": "is_floating_cloud"}


def differing(wanted: Fields, held: Fields, beside: Fields) -> Fields:
    """Fields whose values differ, with those that LicenseSpring takes them only together with (from `beside`, too)."""
    changed = {name: value for name, value in wanted.items() if held.get(name) != value}
    known = {**beside, **wanted}
    return changed | {_TOGETHER[name]: known[_TOGETHER[name]] for name in changed if name in _TOGETHER}


def missing(wanted: Fields, held: Fields) -> tuple[str, ...]:
    """What is wanted and not known to be there."""
    return tuple(name for name in wanted if held.get(name) is not True)


def surplus(kind: str, wanted: Fields, held: Fields) -> tuple[str, ...]:
    """What was set of that kind, or may have been, and is no longer wanted."""
    return tuple(
        name for name, value in held.items() if name.startswith(kind) and name not in wanted and value not in _ABSENT
    )


def is_enabled(fields: Fields) -> bool:
    return fields.get("enabled") is not False
