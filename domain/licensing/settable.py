"""Which fields of a license an operator may set, and to what: read as the attribute of the catalog that sets them.

What says which license it is, or where it is, is none of them; access and the end have acts of their own.
"""

from domain.acts import Set
from domain.attributes import ATTRIBUTES, LONGEST_NAME, LONGEST_VALUE, Attribute

CUSTOM = "custom_fields."
"""Before the name of one custom field."""
LONGEST_NOTE = 500
MOST_FEATURES = 100

_BY_ATTRIBUTE = {
    "max_activations": "max_activations",
    "floating_users": "floating_cloud",
    "max_license_users": "max_license_users",
    "max_consumptions": "max_consumptions",
    "maintenance": "enable_maintenance_duration",
    "maintenance_duration": "maintenance_duration",
    "managed_by_customer": "is_license_manager",
}
SETTABLE: tuple[str, ...] = (*_BY_ATTRIBUTE, "features", "note", f"{CUSTOM}NAME")


class NotSettable(ValueError):
    """No operator can set that field, or not to that; the text says what is allowed."""


def read_value(field: str, given: Set, license_type: str | None = None) -> Set:
    """The value that is meant, whether it is given as text or as what it is. Raises NotSettable.

    With a `license_type`, also for what means nothing for such a license.
    """
    if field == "features":
        return _features(given)
    if field == "note":
        return _text(field, given, LONGEST_NOTE)
    if field.startswith(CUSTOM):
        if not 1 <= len(field) - len(CUSTOM) <= LONGEST_NAME or not field.isprintable():
            raise NotSettable(f"the name of a custom field has 1 to {LONGEST_NAME} characters that can be printed")
        return _text(field, given, LONGEST_VALUE)
    if field not in _BY_ATTRIBUTE:
        raise NotSettable(f"{ascii(field)[1:-1]} cannot be set; what can: {', '.join(SETTABLE)}{_remedy(field)}")
    return _read(field, given, ATTRIBUTES[_BY_ATTRIBUTE[field]], license_type)


def fits(field: str, value: Set) -> bool:
    """Whether a recorded value is one that the field can have."""
    try:
        return read_value(field, value) == value
    except NotSettable:
        return False


def is_settable(field: str, license_type: str) -> bool:
    """Whether an operator can set that field of a license of that type to something."""
    attribute = _BY_ATTRIBUTE.get(field)
    return field in {"features", "note"} or (attribute is not None and license_type in ATTRIBUTES[attribute].types)


def _read(field: str, given: Set, row: Attribute, license_type: str | None) -> Set:
    if license_type is not None and license_type not in row.types:
        raise NotSettable(f"{field} means nothing for a {license_type} license; it is for {', '.join(row.types)}")
    text = {True: "true", False: "false"}[given] if isinstance(given, bool) else str(given)
    try:
        value = row.read(text)
    except ValueError:
        raise NotSettable(f"{field} cannot be {text[:80]!r}; allowed: {row.allowed}") from None
    if type(given) is not type(value) and not isinstance(given, str):
        raise NotSettable(f"{field} cannot be {text[:80]!r}; allowed: {row.allowed}")
    return value  # type: ignore[no-any-return]


def _features(given: Set) -> tuple[str, ...]:
    codes = [each.strip() for each in given.split(",")] if isinstance(given, str) else given
    named = sorted({code for code in codes if code}) if isinstance(codes, (list, tuple)) else None
    if named is None or len(named) > MOST_FEATURES or not all(_is_code(code) for code in named):
        raise NotSettable(
            f"features are codes of at most {LONGEST_NAME} characters that can be printed, with commas between, "
            f"at most {MOST_FEATURES} of them, or nothing for none"
        )
    return tuple(named)


def _is_code(text: object) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST_NAME and text.isprintable()


def _text(field: str, given: Set, longest: int) -> str:
    if not isinstance(given, str) or len(given) > longest or not (given == "" or given.isprintable()):
        raise NotSettable(f"{field} is one line of text of at most {longest} characters")
    return given


_INSTEAD = {
    "enabled": "tenure license enable, or disable",
    "expiry": "tenure license extend",
    "margin_hours": "tenure license extend",
}


def _remedy(field: str) -> str:
    return f"; for {field} there is {_INSTEAD[field]}" if field in _INSTEAD else ""
