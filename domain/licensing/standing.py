"""Whether a license works at an instant: enabled, and its date with the margin not over."""

from datetime import datetime, timedelta

from domain.durations import later
from domain.licensing.license import License


def works_until(license_: License) -> datetime | None:
    """Until when an enabled license works by itself; None where no date ends it, or only its first activation."""
    return None if license_.expiry is None else later(license_.expiry, timedelta(hours=license_.margin_hours))


def works_at(license_: License, instant: datetime) -> bool:
    until = works_until(license_)
    return license_.enabled and (until is None or instant <= until)
