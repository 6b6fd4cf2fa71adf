"""The end of a license of which nothing is heard any more, at a license server that holds no date for it.

Where a termination is never told, a date ends the license; what has none would go on for ever. So the clock tells it,
as an event: once it is later than the license reaches, the provider is asked, and a day after that Tenure disables it.
Whatever reaches further, heard at any time, enables it again.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from domain.acts import LicenseEnabled, type_of
from domain.durations import LAST, later
from domain.licensing.claims import Claim
from domain.licensing.license import Because, License
from domain.licensing.overrides import ENABLED
from domain.lifecycle import State
from domain.policy import Policy
from domain.subscription import Subscription

PATIENCE = timedelta(days=1)
"""How long after it was asked the provider has to say that all is well."""

_BY_HAND = type_of(LicenseEnabled(license=""))


def end(license_: License, s: Subscription, policy: Policy, claim: Claim) -> License:
    """The license, disabled if it is known to be later than it reaches, and the provider had its time to answer."""
    reach = _reach(license_, s, policy, claim)
    if reach is None or s.passed is None or s.passed.at < later(reach, PATIENCE):
        return license_
    why = Because(f"policy at_expiry: nothing was heard though it reached to {reach:%Y-%m-%d %H:%M} UTC", s.passed)
    return replace(license_, enabled=False, because={**license_.because, ENABLED: why})


def ends_of(license_: License, s: Subscription, policy: Policy, claim: Claim) -> set[datetime]:
    """When the provider is to be asked, and when the license ends, as far as that is to come."""
    reach = _reach(license_, s, policy, claim)
    if reach is None:
        return set()
    return {at for at in (reach, later(reach, PATIENCE)) if s.passed is None or at > s.passed.at}


def _enabled_by_hand(license_: License) -> bool:
    why = license_.because.get(ENABLED)
    return why is not None and why.event is not None and why.event.type == _BY_HAND


def _reach(license_: License, s: Subscription, policy: Policy, claim: Claim) -> datetime | None:
    """To which instant it works by itself; None for what has no end, is disabled, or works by an operator's word."""
    if license_.expiry is None or not license_.enabled or _enabled_by_hand(license_):
        return None
    reach = later(license_.expiry, timedelta(hours=license_.margin_hours))
    shown = claim.line.period_end
    if shown is not None and s.state in {State.TRIALING, State.ACTIVE}:
        # The provider counts that period as current: who is in good standing is not locked out for a lost payment.
        margin = policy.renewal_margin_hours if claim.terms.margin_hours is None else claim.terms.margin_hours
        reach = max(reach, later(shown, timedelta(hours=margin)))
    return None if reach >= LAST else reach
