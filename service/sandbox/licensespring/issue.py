"""Making one license of an order: policy, explicit fields, type rules, key or users, features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec

from service.sandbox.licensespring import catalog, custom_fields, errors, fields, lifetime, seats
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.mint import ALPHABET, KEY_LENGTH, Mint
from service.sandbox.licensespring.records import (
    License,
    LicenseFeature,
    Order,
    OrderItem,
    Policy,
    Product,
    Seat,
    Terms,
)
from service.sandbox.licensespring.rows import Rows
from service.sandbox.licensespring.settings import LicenseType

POLICY_NAMES = ("policy_code", "license_template_code", "license_template", "license_policy")
LONGEST_KEY = 300

NewPassword = dict[str, str]


def issue(change: Change, order: Order, item: OrderItem, sent: Mapping[str, Any]) -> tuple[License, list[NewPassword]]:
    """Makes one license from the fields of `items[].licenses[]` and of its item.

    Returns it with the passwords of users it made. Raises ApiError for every rule of creation that is broken.
    """
    product = change.rows.the(Product, item.product)
    policy = _policy(change, product, sent)
    license_type = _license_type(policy, sent)
    terms = lifetime.issued(_terms(change, policy, license_type, sent), license_type, change.now)
    key, users, passwords = _holder(change, product, sent)
    license_ = License(
        id=change.mint.large_id(),
        license_key=key,
        license_type=license_type,
        enabled=fields.one("enabled", fields.flag, sent.get("enabled", True)),
        product=product.id,
        order=order.id,
        order_item=item.id,
        template=policy.id,
        subscription_id=fields.one("subscription_id", fields.optional_text, sent.get("subscription_id")),
        terms=msgspec.structs.replace(terms, max_license_users=_seats_allowed(terms, users)),
        features=features(change, product, sent.get("product_features") or [], "code"),
        seats=users,
        created_at=change.now,
        updated_at=change.now,
    )
    change.put(license_)
    custom_fields.set_by_name(change, license_, sent.get("custom_fields") or [])
    return license_, passwords


def features(change: Change, product: Product, sent: Any, name: str) -> tuple[LicenseFeature, ...]:
    """The features of a license; `name` is the field that holds each feature's code."""
    by_code = {feature.code: feature for feature in product.features}
    made = []
    for entry in fields.one("product_features", fields.objects, sent):
        feature = by_code.get(str(entry.get(name)))
        if feature is None:
            raise errors.fields({"product_features": errors.UNKNOWN_FEATURE.format(entry.get(name))})
        values, wrong = fields.read_all(fields.FEATURE, entry, change.settings)
        if wrong:
            raise errors.fields(wrong)
        values.setdefault("max_consumption", feature.max_consumption)
        made.append(LicenseFeature(id=change.mint.large_id(), feature=feature.id, **values))
    return tuple(made)


def unused_keys(rows: Rows, mint: Mint, length: int = KEY_LENGTH, alphabet: str = ALPHABET) -> Iterator[str]:
    """License keys, for ever, of which none is in use and none comes twice."""
    given: set[str] = set()
    while True:
        key = mint.key(length, alphabet)
        if key not in given and not rows.find(License, "license_key", key):
            given.add(key)
            yield key


def _policy(change: Change, product: Product, sent: Mapping[str, Any]) -> Policy:
    name = next((sent[field] for field in POLICY_NAMES if sent.get(field)), None)
    policy = catalog.find_policy(change.rows, product, name)
    if policy is None:
        text = errors.UNKNOWN_POLICY.format(name, product.short_code)
        raise errors.fields({"policy_code": text}, code="license_policy_not_found")
    return policy


def _license_type(policy: Policy, sent: Mapping[str, Any]) -> LicenseType:
    given = sent.get("license_type") or policy.default_license_type
    for known in get_args(LicenseType):
        if given == known:
            kind: LicenseType = known
            return kind
    raise errors.fields({"license_type": f'"{given}" is not a valid choice.'})


def _terms(change: Change, policy: Policy, license_type: LicenseType, sent: Mapping[str, Any]) -> Terms:
    values, wrong = fields.read_all(fields.TERMS, sent, change.settings)
    if wrong:
        raise errors.fields(wrong)
    if values.get("validity_period") is not None and "is_trial" not in sent:
        if change.settings.dates_without_is_trial == "refused":
            raise errors.fields({"is_trial": errors.NEEDS_IS_TRIAL.format("validity_period")})
        if change.settings.dates_without_is_trial == "not_applied":
            del values["validity_period"]
    terms = msgspec.structs.replace(policy.terms, **values)
    if license_type == "time-limited" and terms.valid_duration is None:
        raise errors.fields({"valid_duration": errors.NEEDS_DURATION})
    if license_type == "consumption" and not (terms.max_consumptions or terms.allow_unlimited_consumptions):
        raise errors.fields({"max_consumptions": errors.NEEDS_CONSUMPTIONS})
    lifetime.check_floating(terms, change.settings)
    return terms


def _holder(
    change: Change, product: Product, sent: Mapping[str, Any]
) -> tuple[str | None, tuple[Seat, ...], list[NewPassword]]:
    """The key of a key-based license, or the users of a user-based one."""
    if product.authorization_method == "license-key":
        return _key(change, sent.get("key")), (), []
    users = sent.get("users")
    if not users:
        raise errors.fields({"users": errors.NEEDS_USERS})
    held: dict[int, Seat] = {}
    passwords: list[NewPassword] = []
    for entry in fields.one("users", fields.objects, users):
        seat, user, password = seats.seat_for(change, entry)
        held[user.id] = seat
        if password is not None:
            passwords.append({"email": user.true_email, "new_password": password})
    return None, tuple(held.values()), passwords


def _key(change: Change, given: Any) -> str:
    if given in (None, ""):
        return next(unused_keys(change.rows, change.mint))
    if not isinstance(given, str) or len(given) > LONGEST_KEY:
        raise errors.fields({"key": "Not a valid license key."})
    if change.rows.find(License, "license_key", given):
        raise errors.fields({"key": errors.KEY_EXISTS}, code="license_key_already_exists")
    return given


def _seats_allowed(terms: Terms, users: tuple[Seat, ...]) -> int:
    return terms.max_license_users and max(terms.max_license_users, len(users))
