"""When a license begins to count, when it has expired, and how many may use it at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from service.sandbox.licensespring import errors
from service.sandbox.licensespring.durations import add_duration
from service.sandbox.licensespring.records import License, Terms
from service.sandbox.licensespring.settings import LicenseType, SandboxSettings


def begun(terms: Terms, license_type: LicenseType, start: datetime) -> Terms:
    """The terms once the license is in use: an expiry that is not set is counted from `start`.

    Trial days count before the duration, and both are ignored when `validity_period` is set already.
    """
    if terms.validity_period is not None:
        return terms
    if terms.is_trial and terms.trial_days:
        return msgspec.structs.replace(terms, validity_period=start + timedelta(days=terms.trial_days))
    if terms.valid_duration and license_type in ("time-limited", "subscription"):
        return msgspec.structs.replace(terms, validity_period=add_duration(start, terms.valid_duration))
    return terms


def issued(terms: Terms, license_type: LicenseType, now: datetime) -> Terms:
    """The terms of a new license: a subscription begins at once, a perpetual license has no expiry."""
    if license_type == "subscription":
        return begun(terms, license_type, now)
    if license_type == "perpetual" and not terms.is_trial:
        return msgspec.structs.replace(terms, validity_period=None)
    return terms


def started_at(license_: License) -> datetime | None:
    """First activation; creation for a subscription license, which needs none."""
    if license_.time_activated is None and license_.license_type == "subscription":
        return license_.created_at
    return license_.time_activated


def is_expired(license_: License, now: datetime) -> bool:
    """Past `validity_period`, and past the grace hours that only subscription licenses have.

    A perpetual license expires only while it is a trial.
    """
    terms = license_.terms
    if terms.validity_period is None or (license_.license_type == "perpetual" and not terms.is_trial):
        return False
    grace = terms.allow_grace_period and license_.license_type == "subscription"
    return now >= terms.validity_period + timedelta(hours=terms.grace_period if grace else 0)


def check_floating(terms: Terms, settings: SandboxSettings) -> None:
    """Raises ApiError when more may use it at the same time than may use it at all."""
    limited = terms.is_floating_cloud and not terms.allow_unlimited_activations
    if limited and terms.floating_users > terms.max_activations and settings.floating_over_activations == "refused":
        raise errors.fields({"floating_users": errors.TOO_MANY_FLOATING})
