"""From a subscription to the licenses it should have: a pure function of the fold, the terms and the policy.

A license is identified by source, subscription, line, unit and what it is a license of; so a key survives renewals,
pauses and quantity changes, and a change to another product makes another license and disables the old one.
"""

from domain.licensing.claims import MOST_UNITS, warnings_of
from domain.licensing.entitlement import NOTHING, Entitlement, entitle
from domain.licensing.license import Because, License, LicenseId, User, in_order, license_id

__all__ = [
    "MOST_UNITS",
    "NOTHING",
    "Because",
    "Entitlement",
    "License",
    "LicenseId",
    "User",
    "entitle",
    "in_order",
    "license_id",
    "warnings_of",
]
