"""The fields of a license that follow from the line's attributes, its quantity and who bought it."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from domain.attributes import TYPES, attribute_of
from domain.licensing.access import works_before_payment
from domain.licensing.claims import Claim
from domain.licensing.license import Because, User
from domain.licensing.seats import seats_of
from domain.lifecycle import State
from domain.policy import Policy
from domain.subscription import Subscription

Decided = dict[str, tuple[Any, Because]]
"""Field of the license → its value, and why it has that."""

LONGEST_NAME = 300
"""Bytes of UTF-8 in the name of a purchase or a product under which keys are recorded."""
NAMES_TOO_LONG = f"the order's reference or the product's path is longer than {LONGEST_NAME} bytes"

_ENDS_BY_DATE = frozenset(TYPES) & {"time-limited", "subscription"}


def from_attributes(claim: Claim) -> Decided:
    """What the vendor set in the catalog, for a license of one unit or, if single, of all."""
    terms = claim.terms
    said = {
        "product_code": terms.product_code,
        "license_type": terms.license_type,
        "policy_code": terms.policy_code,
        "valid_duration": terms.valid_duration,
        "maintenance": terms.maintenance,
        "maintenance_duration": terms.maintenance_duration,
        "max_consumptions": terms.max_consumptions,
        "custom_fields": terms.custom_fields,
        "managed_by_customer": terms.managed_by_customer,
        "is_bundle": terms.is_bundle,
        "target": terms.target,
        **msgspec.structs.asdict(seats_of(terms, claim.quantity)),
    }
    setters = _setters(tuple(sorted(claim.line.attributes)))
    default = Because("the default: no attribute of the line sets it", claim.since)
    because = {field: Because(told, claim.since) for field, told in setters.items()}
    if terms.single_license:
        for field in ("max_activations", "max_license_users"):
            told = f"{setters.get(field, _list(()))}, for all {claim.quantity} units together"
            because[field] = Because(told, claim.since)
    return {field: (value, because.get(field, default)) for field, value in said.items()}


@lru_cache(maxsize=4096)
def _setters(attributes: tuple[str, ...]) -> Mapping[str, str]:
    """Which fields those attributes set, each with their names in words."""
    fields = dict.fromkeys(field for name in attributes for field in _ends_in(name))
    return {field: _list([name for name in attributes if field in _ends_in(name)]) for field in fields}


def _list(names: Collection[str]) -> str:
    return ("attribute " if len(names) == 1 else "attributes ") + ", ".join(names)


def _ends_in(attribute: str) -> tuple[str, ...]:
    row = attribute_of(attribute)
    return row.license if row else ()


def trial_of(s: Subscription, claim: Claim) -> tuple[bool, Because]:
    """Whether it counts as a trial: also what is not paid yet and could not end by its date otherwise."""
    if s.state is State.TRIALING and claim.line.recurring:
        return True, Because("the provider counts it as a trial", s.state_since)
    if works_before_payment(s, claim.terms) and claim.terms.license_type not in _ENDS_BY_DATE:
        return True, Because("not paid yet: such a license ends by its date only as a trial", s.opened_since)
    return False, Because("not a trial", s.state_since)


def features_of(s: Subscription, claim: Claim, add_ons: Collection[str]) -> tuple[tuple[str, ...], Because]:
    own = {claim.feature} if claim.feature else set()
    features = tuple(sorted(own | set(add_ons)))
    rule = (
        "attribute feature_code of the line and of the add-ons beside it" if features else "no add-on gives a feature"
    )
    return features, Because(rule, s.lines_since)


def users_of(s: Subscription, claim: Claim) -> tuple[tuple[User, ...], Because]:
    """Who uses it, each address once: those whom the order names, else the customer."""
    customer = s.customer
    buyer = User(customer.email, customer.name, manager=claim.terms.managed_by_customer)
    users = {user.email.casefold(): User(user.email, user.name) for user in s.users if user.email}
    named = bool(users)
    if customer.email and (not named or claim.terms.customer_is_user or customer.email.casefold() in users):
        users[customer.email.casefold()] = buyer
    if not named:
        return tuple(users.values()), Because("the customer: nobody else is named", s.customer_since)
    return tuple(users.values()), Because("those whom the order names", s.users_since)


def note_of(s: Subscription) -> tuple[str, Because]:
    if s.ends_at is None:
        return "", Because("no end is set by its terms", s.ends_since)
    return f"Ends on {s.ends_at.date().isoformat()}", Because("the end by its terms", s.ends_since)


def fulfillment_of(s: Subscription, claim: Claim) -> tuple[str, Because]:
    if not s.fulfillment:
        return "", Because("no license generator is known to be asked")
    if max(len(name.encode()) for name in (s.fulfillment, claim.line.product)) > LONGEST_NAME:
        return "", Because(NAMES_TOO_LONG)
    # The first slash ends the reference.
    reference = s.fulfillment.replace("%", "%25").replace("/", "%2F")
    return f"{reference}/{claim.line.product}", Because("the reference of the order, and the product")


def free_devices(s: Subscription, policy: Policy, *, enabled: bool) -> tuple[bool, Because]:
    free = s.state is State.TERMINATED and not enabled and policy.devices_at_end == "free"
    return free, Because(f"policy devices_at_end: {policy.devices_at_end}", s.state_since if free else None)
