"""LicenseSpring as a target: makes the calls of the plan and says what came of each."""

from collections.abc import Mapping, Sequence
from secrets import choice

from domain.licensing import License
from domain.receipts import (
    AnyReceipt,
    Applied,
    CustomerChanged,
    Fields,
    KeysMinted,
    LicenseChanged,
    OrderCreated,
    OrderMissing,
)
from projections.targets import Call
from projections.targets.errors import AlreadyExists, Refused, Unavailable
from projections.targets.licensespring.answers import Customer, Order
from projections.targets.licensespring.answers import License as Held
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.licensespring.plan import (
    ChangeCustomer,
    ChangeLicense,
    CreateOrder,
    DisableLicense,
    EnableLicense,
    FindOrder,
    MintKeys,
    plan,
)
from projections.targets.licensespring.wire import NewItem, NewLicense, NewOrder, OrderCustomer


_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""LicenseSpring's own (page orders/generate_license): four groups of four of these are 80 random bits."""


class LicenseSpringTarget:
    """One LicenseSpring account."""

    def __init__(self, name: str, client: LicenseSpring) -> None:
        self.name = name
        self._client = client

    def plan(self, desired: Sequence[License], applied: Applied) -> list[Call]:
        return plan(desired, applied)

    def new_keys(self, count: int) -> list[str]:
        return ["-".join("".join(choice(_ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(count)]

    async def look(self, subject: str, applied: Applied) -> AnyReceipt | None:
        if subject in applied.customers:
            # Not known any more, so that the plan sets every field again.
            unknown: Fields = dict.fromkeys(applied.customers[subject], None)
            return CustomerChanged(target=self.name, customer=subject, fields=unknown)
        remote = applied.license(subject).remote
        if not remote:
            return None
        held = await self._client.license(int(remote))
        return LicenseChanged(target=self.name, license=subject, fields=_held_fields(held))

    async def perform(self, call: Call, *, fresh: bool) -> AnyReceipt:
        match call:
            case MintKeys():
                keys = await self._client.generate_keys(call.product_code, len(call.subjects))
                return KeysMinted(target=self.name, order=call.order, keys=dict(zip(call.subjects, keys, strict=True)))
            case CreateOrder():
                return await self._create(call, fresh=fresh)
            case FindOrder():
                found = await self._find(call.order, call.keys)
                return found or OrderMissing(target=self.name, order=call.order, licenses=call.subjects)
            case ChangeLicense():
                await self._client.update_license(int(call.remote), call.fields)
                return LicenseChanged(target=self.name, license=call.license, fields=call.fields)
            case EnableLicense():
                await self._client.enable(int(call.remote))
                return LicenseChanged(target=self.name, license=call.license, fields={"enabled": True})
            case DisableLicense():
                await self._client.disable(int(call.remote))
                return LicenseChanged(target=self.name, license=call.license, fields={"enabled": False})
            case ChangeCustomer():
                await self._client.update_customer(int(call.customer), call.fields)
                return CustomerChanged(target=self.name, customer=call.customer, fields=call.fields)
            case _:
                raise TypeError(f"not a call to LicenseSpring: {call.name}")

    async def _create(self, call: CreateOrder, *, fresh: bool) -> AnyReceipt:
        """Creates the order unless it exists: an earlier attempt whose answer was lost may have made it."""
        found = None if fresh else await self._find(call.order, call.keys)
        if found is not None:
            return found
        try:
            order = await self._client.create_order(_new_order(call))
        except AlreadyExists as taken:
            found = await self._find(call.order, call.keys)
            if found is None:
                # A list may lag behind a write: what cannot be seen yet is no reason to give up.
                raise Unavailable(taken.call, status=taken.status, text=taken.text) from taken
            return found
        return self._created(call.order, call.keys, order, order.licenses)

    async def _find(self, order_id: str, keys: Mapping[str, str]) -> OrderCreated | None:
        order = await self._client.find_order(order_id)
        if order is None:
            return None
        licenses = order.licenses or tuple(await self._client.licenses_of_order(order_id))
        return self._created(order_id, keys, order, licenses)

    def _created(self, order_id: str, keys: Mapping[str, str], order: Order, licenses: Sequence[Held]) -> OrderCreated:
        by_key = {held.license_key: held for held in licenses}
        ours = {identifier: by_key[key] for identifier, key in keys.items() if key in by_key}
        if len(ours) < len(keys):
            call = "create order"
            if len(licenses) < len(keys):
                raise Unavailable(call, text=f"only {len(licenses)} of {len(keys)} licenses of {order_id} are visible")
            raise Refused(call, text=f"the order {order_id} is there with other keys than the recorded ones")
        customer = order.customer
        return OrderCreated(
            target=self.name,
            order=order_id,
            licenses={identifier: str(held.id) for identifier, held in ours.items()},
            fields={identifier: _held_fields(held) for identifier, held in ours.items()},
            customer=str(customer.id) if customer else "",
            customer_fields=_customer_fields(customer) if customer else {},
        )


def _new_order(call: CreateOrder) -> NewOrder:
    licenses = tuple(
        NewLicense(
            key=call.keys[identifier],
            license_type=call.license_type,  # type: ignore[arg-type]
            **call.fields[identifier],  # type: ignore[arg-type]
            **({"valid_duration": call.durations[identifier]} if identifier in call.durations else {}),  # type: ignore[arg-type]
        )
        for identifier in call.subjects
    )
    item = NewItem(product_code=call.product_code, licenses=licenses, subscription_id=call.subscription)
    return NewOrder(id=call.order, items=(item,), customer=OrderCustomer(**call.customer))  # type: ignore[arg-type]


_LICENSE_FIELDS = ("enabled", "max_activations", "is_trial", "allow_grace_period", "grace_period")
_CUSTOMER_FIELDS = ("email", "first_name", "last_name", "company_name", "reference")


def _held_fields(held: Held) -> Fields:
    """What LicenseSpring says it holds, in the words of the plan; what it does not say is left out."""
    fields: Fields = {name: getattr(held, name) for name in _LICENSE_FIELDS if getattr(held, name) is not None}
    if held.expiry_date is not None:
        fields["validity_period"] = held.expiry_date.isoformat()
    return fields


def _customer_fields(customer: Customer) -> Fields:
    return {name: getattr(customer, name) for name in _CUSTOMER_FIELDS if getattr(customer, name)}
