"""LicenseSpring as a target: makes the calls of the plan and says what came of each."""

from collections.abc import Sequence
from secrets import choice

from domain.licensing import License
from domain.receipts import (
    AnyReceipt,
    Applied,
    CustomerChanged,
    Fields,
    KeysMinted,
    LicenseChanged,
    OrderChanged,
    OrderMissing,
)
from projections.targets import Call, subject_of
from projections.targets.errors import Refused
from projections.targets.keys import MintKeys, TakeKeys
from projections.targets.licensespring.calls import (
    AddManager,
    ChangeCustomer,
    CreateOrder,
    FindOrder,
    OfLicense,
    RefuseBundles,
    RemoveManager,
)
from projections.targets.licensespring.changing import CHANGES
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.licensespring.creating import create, find
from projections.targets.licensespring.express import MANAGER
from projections.targets.licensespring.people import add_manager, remove_manager
from projections.targets.licensespring.plan import plan
from projections.targets.licensespring.reading import look_at_license, look_at_order

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""LicenseSpring's own (page orders/generate_license): four groups of four of these are 80 random bits."""


class LicenseSpringTarget:
    """One LicenseSpring account."""

    def __init__(self, name: str, client: LicenseSpring) -> None:
        self.name = name
        self._client = client

    def plan(self, desired: Sequence[License], applied: Applied) -> list[Call]:
        return plan(desired, applied)

    def problems(self, desired: Sequence[License], applied: Applied) -> list[str]:  # noqa: ARG002
        return []

    def new_keys(self, count: int, /, *, known: Sequence[str] = (), under: str = "") -> list[str]:  # noqa: ARG002
        return ["-".join("".join(choice(_ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(count)]

    async def look(self, doubt: str, applied: Applied) -> AnyReceipt | None:
        subject = subject_of(doubt)
        asked = doubt.split("\n")[1:]
        if subject in applied.customers:
            # Not known any more, so that the plan sets every field again.
            unknown: Fields = dict.fromkeys(applied.customers[subject], None)
            return CustomerChanged(target=self.name, customer=subject, fields=unknown)
        if subject in applied.orders or any(name.startswith(MANAGER) for name in asked):
            return await look_at_order(self._client, self.name, subject, applied.orders.get(subject, {}), asked)
        known = applied.license(subject)
        return await look_at_license(self._client, self.name, subject, known, asked) if known.remote else None

    async def perform(self, call: Call, *, fresh: bool) -> AnyReceipt:
        match call:
            case MintKeys():
                return await self._mint(call)
            case TakeKeys():
                return await self._take(call)
            case CreateOrder():
                return await create(self._client, self.name, call, fresh=fresh)
            case FindOrder():
                found = await find(self._client, self.name, call)
                return found or OrderMissing(target=self.name, order=call.order, licenses=call.subjects)
            case RefuseBundles(product_codes=codes):
                text = f"{', '.join(codes)}; LicenseSpring takes one, so sell them apart"
                raise Refused(call.name, text=text)
            case OfLicense():
                return await self._change(call)
            case AddManager() | RemoveManager():
                return await self._manage(call)
            case ChangeCustomer():
                await self._client.update_customer(int(call.customer), call.fields)
                return CustomerChanged(target=self.name, customer=call.customer, fields=call.fields)
            case _:
                raise TypeError(f"not a call to LicenseSpring: {call.name}")

    async def _mint(self, call: MintKeys) -> KeysMinted:
        if await self._client.catalog.is_user_based(call.product_code):
            return self._without_keys(call)
        keys = await self._client.generate_keys(call.product_code, len(call.subjects))
        return KeysMinted(target=self.name, order=call.order, keys=dict(zip(call.subjects, keys, strict=True)))

    async def _take(self, call: TakeKeys) -> KeysMinted:
        # A license generator is asked for every product, also for one that has no keys.
        if await self._client.catalog.is_user_based(call.product_code):
            return self._without_keys(call)
        return KeysMinted(target=self.name, order=call.order, keys=call.keys)

    def _without_keys(self, call: MintKeys | TakeKeys) -> KeysMinted:
        return KeysMinted(target=self.name, order=call.order, keys=dict.fromkeys(call.subjects, ""), user_based=True)

    async def _change(self, call: OfLicense) -> LicenseChanged:
        fields = await CHANGES[type(call)](self._client, call)
        if call.companion:
            return LicenseChanged(target=self.name, license=call.license, fields={}, companions={call.remote: fields})
        return LicenseChanged(target=self.name, license=call.license, fields=fields)

    async def _manage(self, call: AddManager | RemoveManager) -> OrderChanged:
        added = isinstance(call, AddManager)
        await (add_manager if added else remove_manager)(self._client, call.order, call.email)
        return OrderChanged(target=self.name, order=call.order, fields={f"{MANAGER}{call.email}": added})
