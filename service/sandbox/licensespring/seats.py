"""License users: who may sign in to a user-based license, and who manages an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from service.sandbox.licensespring import errors, fields
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.records import License, LicenseUser, Order, Product, Seat


def user_of(change: Change, sent: Mapping[str, Any]) -> tuple[LicenseUser, str | None]:
    """The license user with the sent email, and the password when the user is new.

    Raises ApiError when the email is absent or none.
    """
    email = sent.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise errors.fields({"email": errors.REQUIRED if email in (None, "") else "Enter a valid email address."})
    if known := change.rows.find(LicenseUser, "email", email.lower()):
        return known[0], None
    user = LicenseUser(
        id=change.mint.small_id(),
        true_email=email,
        initial_password=str(sent.get("password") or change.mint.password()),
        first_name=str(sent.get("first_name") or ""),
        last_name=str(sent.get("last_name") or ""),
        phone_number=str(sent.get("phone_number") or ""),
        created_at=change.now,
        updated_at=change.now,
    )
    change.put(user)
    return user, user.initial_password


def seat_for(change: Change, sent: Mapping[str, Any]) -> tuple[Seat, LicenseUser, str | None]:
    values, wrong = fields.read_all(fields.SEAT, sent, change.settings)
    if wrong:
        raise errors.fields(wrong)
    user, password = user_of(change, sent)
    return Seat(user=user.id, **values), user, password


def assign(change: Change, license_: License, sent: Mapping[str, Any]) -> str | None:
    """Gives the user a seat; returns the password of a new user. A seat held already stays as it is.

    Raises ApiError when the product is not user-based or no seat is left.
    """
    if change.rows.the(Product, license_.product).authorization_method != "user":
        raise errors.detail(400, errors.NOT_USER_BASED)
    seat, user, password = seat_for(change, sent)
    if any(held.user == user.id for held in license_.seats):
        if change.settings.repeat_of_assign == "refused":
            raise errors.detail(400, errors.ALREADY_ASSIGNED)
        return None
    if 0 < license_.terms.max_license_users <= len(license_.seats):
        raise errors.detail(400, errors.NO_SEAT_LEFT)
    change.put(msgspec.structs.replace(license_, seats=(*license_.seats, seat), updated_at=change.now))
    return password


def unassign(change: Change, license_: License, sent: Mapping[str, Any]) -> None:
    """Takes the seat of the user named by `license_user_id` or `license_user_email`."""
    user = _named_user(change, sent)
    left = tuple(seat for seat in license_.seats if seat.user != user.id)
    if len(left) == len(license_.seats):
        raise errors.not_found()
    change.put(msgspec.structs.replace(license_, seats=left, updated_at=change.now))


def set_activations(change: Change, license_: License, sent: Mapping[str, Any]) -> None:
    """What each user may do with the license: `{user id: {"max_activations", "reset_total_activations"}}`."""
    held = {str(seat.user): seat for seat in license_.seats}
    if unknown := sorted(sent.keys() - held.keys()):
        raise errors.fields({unknown[0]: errors.NO_SUCH_OBJECT.format(unknown[0])})
    for number, wanted in sent.items():
        entry = fields.one(number, fields.mapping, wanted)
        values, wrong = fields.read_all(fields.SEAT, entry, change.settings)
        if wrong:
            raise errors.fields(wrong)
        reset = fields.one("reset_total_activations", fields.flag, entry.get("reset_total_activations", False))
        values |= {"total_activations": 0} if reset else {}
        held[number] = msgspec.structs.replace(held[number], **values)
    change.put(msgspec.structs.replace(license_, seats=tuple(held.values()), updated_at=change.now))


def add_manager(change: Change, order: Order, sent: Mapping[str, Any]) -> tuple[LicenseUser, str | None]:
    user, password = user_of(change, sent)
    if user.id not in order.managers:
        managers = (*order.managers, user.id)
        change.put(msgspec.structs.replace(order, managers=managers, updated_at=change.now))
    return user, password


def remove_manager(change: Change, order: Order, sent: Mapping[str, Any]) -> None:
    user = _named_user(change, sent)
    if user.id not in order.managers:
        raise errors.not_found()
    managers = tuple(manager for manager in order.managers if manager != user.id)
    change.put(msgspec.structs.replace(order, managers=managers, updated_at=change.now))


def _named_user(change: Change, sent: Mapping[str, Any]) -> LicenseUser:
    if (number := sent.get("license_user_id")) is not None:
        user = change.rows.get(LicenseUser, fields.one("license_user_id", fields.whole, number))
        if user is None:
            raise errors.not_found()
        return user
    email = sent.get("license_user_email")
    if not isinstance(email, str):
        raise errors.fields({"license_user_id": errors.REQUIRED})
    found = change.rows.find(LicenseUser, "email", email.lower())
    if not found:
        raise errors.not_found()
    return found[0]
