"""The licenses of a subscription, every field with the rule and the event that set it."""

from collections.abc import Collection, Iterator
from datetime import datetime

import msgspec

from domain.erasure import is_stand_in
from domain.events import Stream, identifier_of
from domain.licensing import silence
from domain.licensing.access import access, no_longer_sold, works_before_payment
from domain.licensing.claims import Claim, claims_of
from domain.licensing.expiry import begins_of, consumption_period, expiry_of, margin_of
from domain.licensing.fields import (
    Decided,
    features_of,
    free_devices,
    from_attributes,
    fulfillment_of,
    note_of,
    trial_of,
    users_of,
)
from domain.licensing.license import Because, License, LicenseId, User, in_order, license_id
from domain.licensing.overrides import Overrides, override, overrides_of
from domain.licensing.overrides import problems as problems_of_acts
from domain.lifecycle import State
from domain.policy import Policy
from domain.subscription import Customer, Subscription


class Entitlement(msgspec.Struct, frozen=True):
    """The desired licenses of one subscription, with what keeps others from being derived."""

    licenses: tuple[License, ...]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    ends: tuple[datetime, ...] = ()
    """When something is to happen if nothing more is heard, the earliest first."""


NOTHING = Entitlement(())


def entitle(stream: Stream, subscription: Subscription, policy: Policy) -> Entitlement:
    """Derives the desired licenses, sorted by line, product, type and unit."""
    if not (subscription.lines or subscription.sold or subscription.acts):
        return NOTHING
    claims = claims_of(subscription)
    ends: set[datetime] = set()
    overrides = overrides_of(stream, subscription)
    licenses: dict[LicenseId, License] = {}
    for claim in (*claims.current, *claims.former):
        own = policy.of(claim.terms.product_code)
        silent = own.at_expiry == "disable"
        for each in _units(stream, subscription, own, claim, claims.add_ons, overrides):
            ended = silence.end(each, subscription, own, claim) if silent else each
            licenses.setdefault(each.id, ended)
            if silent:
                ends |= silence.ends_of(ended, subscription, own, claim)
    if overrides is not None:
        claims.problems += problems_of_acts(overrides, subscription)
    problems, warnings = tuple(dict.fromkeys(claims.problems)), tuple(dict.fromkeys(claims.warnings))
    return Entitlement(in_order(licenses.values()), problems, warnings, tuple(sorted(ends)))


def _units(
    stream: Stream,
    s: Subscription,
    policy: Policy,
    claim: Claim,
    add_ons: Collection[str],
    overrides: Overrides | None,
) -> Iterator[License]:
    if claim.current and s.state is State.PENDING and not works_before_payment(s, claim.terms):
        return
    decided = _decide(s, policy, claim, add_ons)
    values = {field: value for field, (value, _) in decided.items()}
    because = {field: why for field, (_, why) in decided.items()}
    for unit in range(1, claim.units + 1):
        license_ = License(
            id=license_id(stream, claim.line.id, unit, claim.terms),
            stream=stream,
            subscription=identifier_of(stream),
            line=claim.line.id,
            unit=unit,
            because=because,
            **values,
        )
        yield license_ if overrides is None else override(license_, overrides, s, policy, claim)


def _decide(s: Subscription, policy: Policy, claim: Claim, add_ons: Collection[str]) -> Decided:
    enabled = access(s, policy, claim.line) if claim.current else no_longer_sold(s, claim.line)
    expiry = expiry_of(s, policy, claim)
    return {
        "enabled": enabled,
        "trial": trial_of(s, claim),
        "expiry": expiry,
        "margin_hours": margin_of(s, policy, claim, expiry[0]),
        **from_attributes(claim),
        "consumption_period": consumption_period(s, claim),
        "features": features_of(s, claim, add_ons),
        "users": _known_users(*users_of(s, claim)),
        "note": note_of(s),
        "free_devices": free_devices(s, policy, enabled=enabled[0]),
        "fulfillment": fulfillment_of(s, claim),
        "begins": begins_of(s, claim),
        "customer": (_known(s.customer), Because("the customer as last described", s.customer_since)),
    }


# What stands in for erased values is told to no license server, which keeps what it holds.


def _known(customer: Customer) -> Customer:
    told = {name: "" for name in ("email", "name", "company") if is_stand_in(getattr(customer, name))}
    return msgspec.structs.replace(customer, **told) if told else customer


def _known_users(users: tuple[User, ...], why: Because) -> tuple[tuple[User, ...], Because]:
    return tuple(user for user in users if not is_stand_in(user.email)), why
