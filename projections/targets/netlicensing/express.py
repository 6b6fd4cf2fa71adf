"""A desired license in the words of NetLicensing. Pure.

Fields are recorded under the names of NetLicensing's properties, but `enabled` for `active`; what stands beside them is
named as for other servers: `custom_field:{name}`, and the billing interval whose consumption is counted. A record of
None is of what may be anything: an answer was lost, and a look did not tell.
"""

from datetime import UTC, datetime, timedelta

from domain.durations import after
from domain.licensing import License
from domain.receipts import Fields
from domain.subscription import Customer
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.templates import (
    NODE_LOCKED,
    PAY_PER_USE,
    Template,
    amount_of,
    sessions_of,
)

CUSTOM_FIELD = "custom_field:"
COUNTED = "consumption_counted"
PARENT = "parentfeature"
TEMPLATE = "template"
"""Which template it is of."""
REPLACED = "replaced"
"""Whether it was switched off because the license is made of other templates now, and not because it is over."""

ACCESS, DATES, AMOUNTS, PROPERTIES = "access", "dates", "amounts", "properties"
_GROUPS = {"enabled": ACCESS, "startDate": DATES, "timeVolume": DATES, "timeVolumePeriod": DATES}

FOR_EVER = 36_525
"""Days: a hundred years, the longest that a vendor's own durations may be (`domain.durations`)."""

_DAY = timedelta(days=1)
_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
"""Where a duration is counted from as long as nobody knows its start: no other gives more days."""


def express(desired: License, template: Template, held: Fields, *, parent: str = "", first: bool = True) -> Fields:
    """All that one license there should have, with `held` what it is known to have.

    `parent` is the number of the license that a Rental's time is for. The first license of several carries the
    vendor's own properties.
    """
    own = express_properties(desired) if first else {}
    return {"enabled": True, **_granted(desired, template, held), **({PARENT: parent} if parent else {}), **own}


def express_time(desired: License, held: Fields) -> Fields:
    """Days from the start to the end, the margin included: absolute, so that a renewal that is told twice is one.

    The start is a UTC midnight and never moves once it is set: what is held of it counts. What has no end lasts
    FOR_EVER, as the template's own time volume would end it.
    """
    told = held.get("startDate")
    start = (instant_in(str(told)) if told else None) or _start(desired)
    since = start or _LEAP_YEAR
    end = _end(desired, since)
    return {
        "startDate": str(told) if told else (written(start) if start else "now"),
        "timeVolume": FOR_EVER if end is None else max(1, -(-(end - since) // _DAY)),
        "timeVolumePeriod": "DAY",
    }


def express_properties(desired: License) -> Fields:
    """The texts of the vendor's own properties."""
    return {f"{CUSTOM_FIELD}{name}": value for name, value in sorted(desired.custom_fields.items())}


def express_licensee(customer: Customer, options: Options) -> Fields:
    """What is told of a customer; what is not known is left out."""
    buyer = {"customerEmail": customer.email, "customerCompany": customer.company} if options.save_buyer else {}
    return {name: value for name, value in {"name": customer.name, **buyer}.items() if value}


def group_of(name: str) -> str:
    """Which fields may be told apart from others, should the server refuse them together."""
    return PROPERTIES if name.startswith(CUSTOM_FIELD) else _GROUPS.get(name, AMOUNTS)


def instant_in(text: str) -> datetime | None:
    """An instant as NetLicensing writes it, ISO 8601 with or without time and zone; UTC where there is none."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def written(instant: datetime) -> str:
    """The same to be sent and recorded."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _granted(desired: License, template: Template, held: Fields) -> Fields:
    match template.type:
        case "TIMEVOLUME":
            return express_time(desired, held)
        case "FLOATING":
            return _known({"maxSessions": sessions_of(desired)})
        case "QUANTITY":
            name = "quota" if template.model == NODE_LOCKED else "quantity"
            counted = desired.consumption_period if template.model == PAY_PER_USE else ""
            return _known({name: amount_of(desired, template.model), COUNTED: counted or None})
        case _:
            return {}


def _known(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _start(desired: License) -> datetime | None:
    known = [each for each in (desired.begins, _expiry(desired)) if each is not None]
    return min(known).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) if known else None


def _end(desired: License, start: datetime) -> datetime | None:
    if desired.expiry is None and desired.valid_duration is not None:
        # NetLicensing knows no first activation to count from: what was bought counts from when it was.
        return after(desired.begins or start, desired.valid_duration)
    return _expiry(desired)


def _expiry(desired: License) -> datetime | None:
    return None if desired.expiry is None else desired.expiry + timedelta(hours=desired.margin_hours)
