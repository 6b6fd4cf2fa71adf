"""Orders: made with their licenses, or found where an earlier attempt may have made them."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from domain.receipts import Fields, OrderCreated
from projections.targets.errors import AlreadyExists, Refused, Unavailable
from projections.targets.licensespring import wire
from projections.targets.licensespring.answers import License, Order
from projections.targets.licensespring.calls import CreateOrder, NewLicense
from projections.targets.licensespring.calls import Order as Wanted
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.licensespring.express import (
    ACTIVATIONS,
    COUNTED,
    CUSTOM_FIELD,
    FEATURE,
    MANAGER,
    USER,
    address,
)
from projections.targets.licensespring.reading import OF_COMPANIONS, told, told_of_customer

_CALL = "create order"


async def create(client: LicenseSpring, target: str, call: CreateOrder, *, fresh: bool) -> OrderCreated:
    """Creates the order unless it exists: an earlier attempt whose answer was lost may have made it."""
    found = None if fresh else await find(client, target, call)
    if found is not None:
        return found
    if call.user_based and not all(license_.users for license_ in call.licenses.values()):
        text = f"product {call.product_code} is licensed by user, but no e-mail address is known of whom it is for"
        raise Refused(_CALL, text=text)
    expected = await _expected(client, call)
    try:
        order = await client.create_order(new_order(call), expected=expected)
    except AlreadyExists as taken:
        found = await find(client, target, call)
        if found is None:
            # A list may lag behind a write: what cannot be seen yet is no reason to give up.
            raise Unavailable(taken.call, status=taken.status, text=taken.text) from taken
        return found
    created = _created(target, call, order, order.licenses, expected)
    # The answer to what was just sent need not repeat all of it.
    fields = {
        identifier: {**sent(call, license_), **created.fields[identifier]}
        for identifier, license_ in call.licenses.items()
    }
    order_fields: Fields = {f"{MANAGER}{address(call.manager)}": True} if call.manager else {}
    return msgspec.structs.replace(created, fields=fields, order_fields=order_fields)


async def find(client: LicenseSpring, target: str, call: Wanted) -> OrderCreated | None:
    """What an earlier attempt made, None when it made nothing."""
    order = await client.find_order(call.order)
    if order is None:
        return None
    expected = await _expected(client, call)
    licenses = order.licenses
    if len(licenses) < expected:
        licenses = tuple(await client.licenses_of_order(call.order))
    return _created(target, call, order, licenses, expected)


async def _expected(client: LicenseSpring, call: Wanted) -> int:
    """How many licenses the order has: of a bundle one more than there are products in it."""
    return len(call.licenses) + (await client.catalog.bundle_size(call.product_code) if call.is_bundle else 0)


def _created(target: str, call: Wanted, order: Order, licenses: Sequence[License], expected: int) -> OrderCreated:
    ours = _ours(call, licenses)
    if len(licenses) < expected or (call.user_based and len(ours) < len(call.licenses)):
        raise Unavailable(_CALL, text=f"only {len(licenses)} of {expected} licenses of {call.order} are visible")
    if len(ours) < len(call.licenses):
        raise Refused(_CALL, text=f"the order {call.order} is there with other keys than the recorded ones")
    ids = {held.id for held in ours.values()}
    beside = {str(held.id): told(held, OF_COMPANIONS) for held in licenses if held.id not in ids}
    customer = order.customer
    return OrderCreated(
        target=target,
        order=call.order,
        licenses={identifier: str(held.id) for identifier, held in ours.items()},
        fields={identifier: _told_of_new(call, call.licenses[identifier], held) for identifier, held in ours.items()},
        companions={identifier: beside for identifier in ours if call.is_bundle},
        customer=str(customer.id) if customer else "",
        customer_fields=told_of_customer(customer) if customer else {},
    )


def _ours(call: Wanted, licenses: Sequence[License]) -> dict[str, License]:
    """Which of the licenses is which: by key, or where there are no keys in the order in which they were made."""
    if not call.user_based:
        by_key = {held.license_key: held for held in licenses}
        return {identifier: by_key[key] for identifier, key in call.keys.items() if key in by_key}
    strangers = [held for held in licenses if held.product and held.product.short_code not in {None, call.product_code}]
    made = sorted((held for held in licenses if held not in strangers), key=lambda held: held.id)
    return dict(zip(call.licenses, made, strict=False))


def _told_of_new(call: Wanted, new: NewLicense, held: License) -> Fields:
    names = sent(call, new)
    if call.user_based:
        # Nobody but us has had the time to assign any.
        users = (address(user.true_email or "") for user in held.license_users)
        names |= {f"{USER}{email}": True for email in users if email}
    fields = told(held, names)
    if new.consumption_period and not held.total_consumptions:
        fields[COUNTED] = new.consumption_period
    return fields


def sent(call: Wanted, new: NewLicense) -> Fields:
    """What a new license is created with, under the names in which it is recorded."""
    fields: Fields = {
        **new.fields,
        **{f"{FEATURE}{code}": True for code in new.features},
        **{f"{CUSTOM_FIELD}{name}": value for name, value in new.custom_fields.items()},
        **{f"{USER}{address(user.email)}": True for user in new.users},
    }
    if call.user_based and new.max_activations is not None:
        fields |= {f"{ACTIVATIONS}{address(user.email)}": new.max_activations for user in new.users}
    return fields


def new_order(call: CreateOrder) -> wire.NewOrder:
    """The body of a create_order."""
    licenses = tuple(_new_license(call, license_) for license_ in call.licenses.values())
    item = wire.NewItem(product_code=call.product_code, licenses=licenses, subscription_id=call.subscription)
    managed = {"is_manager": True} if call.manager else {}
    customer = wire.OrderCustomer(**call.customer, **managed)  # type: ignore[arg-type]
    is_bundle = True if call.is_bundle else UNSET
    return wire.NewOrder(id=call.order, items=(item,), customer=customer, is_bundle=is_bundle)


def _new_license(call: CreateOrder, new: NewLicense) -> wire.NewLicense:
    parts: dict[str, object] = {
        "key": None if call.user_based else new.key,
        "users": tuple(_new_user(new, user.email, manager=user.manager) for user in new.users),
        "policy_code": call.policy_code,
        "license_type": call.license_type,
        "product_features": tuple(wire.NewFeature(code=code) for code in new.features),
        "custom_fields": tuple(
            wire.NewCustomField(name=name, value=value) for name, value in new.custom_fields.items()
        ),
    }
    given = {name: part for name, part in parts.items() if part}
    return wire.NewLicense(**new.fields, **given)  # type: ignore[arg-type]


def _new_user(new: NewLicense, email: str, *, manager: bool) -> wire.NewUser:
    if new.max_activations is None:
        return wire.NewUser(email=email, is_manager=manager)
    return wire.NewUser(email=email, is_manager=manager, max_activations=new.max_activations)
