"""The client of LicenseSpring's Management API.

Facts: docs.licensespring.com/management-api, LicenseSpring's Postman collection and Go SDK. Paths are written with and
without a slash at the end exactly as documented. Every call raises a TargetError that says what can be done next; none
is tried twice. Filters of lists are never trusted: LicenseSpring most likely ignores names it does not know, so each
row is compared with what was asked for.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from projections.http import Http
from projections.http.client import open_http
from projections.targets.errors import NotFound, Refused, TargetError, Unauthorized, Unavailable, Unclear
from projections.targets.licensespring.answers import Customer, License, Order, customer_in, license_in, order_in
from projections.targets.licensespring.catalog import Catalog
from projections.targets.licensespring.changes import customer_change, license_change
from projections.targets.licensespring.exchange import Exchange
from projections.targets.licensespring.filters import license_filters
from projections.targets.licensespring.lists import matching, rows
from projections.targets.licensespring.wire import NewCustomer, NewOrder
from projections.targets.transport import redacted, unclear

Found = TypeVar("Found", Customer, License, Order)

LONGEST_KEY = 300
MOST_KEYS = 100
"""Keys asked for at once; how many LicenseSpring gives is not documented."""


class LicenseSpring:
    """One LicenseSpring account. Safe to share between tasks."""

    def __init__(self, http: Http, key: str, *, deadline: float = 60.0) -> None:
        self.exchange = Exchange(http, key, deadline=deadline)
        self.catalog = Catalog(self.exchange)

    # --- orders ---------------------------------------------------------------------------------------------

    async def generate_keys(self, product: str, quantity: int) -> list[str]:
        """That many distinct, unused license keys for the product with this short code; nothing is created yet."""
        if quantity < 1:
            raise ValueError(f"at least one key has to be asked for, not {quantity}")
        keys: list[str] = []
        while len(keys) < quantity:
            keys += await self._generate(product, min(quantity - len(keys), MOST_KEYS))
        if len(set(keys)) < quantity:
            raise Unavailable("generate_keys", status=200, text="the same key was given twice")
        return keys

    async def _generate(self, product: str, quantity: int) -> list[str]:
        call = "generate_keys"
        answer = await self.exchange.get(
            call, "orders/generate_license/", {"product": product, "quantity": str(quantity)}
        )
        keys = answer if isinstance(answer, list) else []
        usable = {key for key in keys if isinstance(key, str) and key.strip() and len(key) <= LONGEST_KEY}
        if not len(keys) == len(usable) == quantity:
            raise Unavailable(call, status=200, text=f"asked for {quantity} keys, got {len(usable)} usable ones")
        return keys

    async def create_order(self, order: NewOrder, *, expected: int = 0) -> Order:
        """Creates the order and its licenses and returns both, reading the licenses where the answer lacks them.

        `expected` is how many licenses there will be, if that is more than are sent: a bundle brings others along.
        Raises AlreadyExists when the id was used before, and Unclear also when the order was taken but its licenses
        cannot be seen (yet).
        """
        call = "create_order"
        answer = await self.exchange.post(call, "orders/create_order/", order)
        created = order_in(answer)
        if created is None or created.store_id not in {None, order.id}:
            raise Unclear(call, status=200, text="the answer does not describe the order that was sent")
        sent = [one for item in order.items for one in item.licenses]
        keys = {one.key for one in sent if one.key}
        licenses = created.licenses
        most = max(expected, len(sent))
        if len(licenses) < max(most, 1) or not keys <= {one.license_key for one in licenses}:
            licenses = tuple(await self._licenses_of_created(order.id))
        if len(licenses) < most:
            text = f"order taken, but {len(licenses)} of {most} licenses are visible"
            raise Unclear(call, status=200, text=text)
        return msgspec.structs.replace(created, store_id=order.id, licenses=licenses)

    async def find_order(self, store_id: str) -> Order | None:
        """The order with the id we gave it, None when there is none. Its licenses may not be listed."""
        found = await matching(
            self.exchange,
            "find_order",
            "orders/",
            {"store_id": store_id},
            order_in,
            lambda row: row.store_id == store_id,
            enough=1,
        )
        return found[0] if found else None

    async def licenses_of_order(self, store_id: str) -> list[License]:
        """All licenses of the order with the id we gave it, in the order of their ids."""
        found = await matching(
            self.exchange,
            "licenses_of_order",
            "licenses/",
            {"order__store_id": store_id},
            license_in,
            lambda row: row.order_store_id == store_id,
        )
        by_id = {one.id: one for one in found}  # a row that moved to the next page comes twice
        return [by_id[id_] for id_ in sorted(by_id)]

    async def _licenses_of_created(self, store_id: str) -> list[License]:
        try:
            return await self.licenses_of_order(store_id)
        except TargetError as error:
            text = redacted(f"order taken, but its licenses could not be read: {error.text}")
            raise Unclear("create_order", status=200, text=text, retry_after=error.retry_after) from error

    # --- licenses -------------------------------------------------------------------------------------------

    async def find_license(self, license_key: str) -> License | None:
        """The license with this key, None when there is none."""
        found = await matching(
            self.exchange,
            "find_license",
            "licenses/",
            {"license_key": license_key},
            license_in,
            lambda row: row.license_key == license_key,
            enough=1,
        )
        return found[0] if found else None

    async def license(self, id: int) -> License:  # noqa: A002
        """The license with this id. Raises NotFound."""
        call = "license"
        return _expect(call, license_in(await self.exchange.get(call, f"licenses/{id}/")), id, wrote=False)

    async def licenses(self, **filters: str | int | bool) -> AsyncIterator[License]:
        """Licenses page by page, in the server's order unless `order_by` is given.

        Rows are not compared with `filters`; one that moves between pages during the sweep may come twice or not at
        all. Raises ValueError for a filter that is not documented.
        """
        async for row in rows(self.exchange, "licenses", "licenses/", license_filters(filters)):
            if one := license_in(row):
                yield one

    async def update_license(self, id: int, fields: Mapping[str, object]) -> License:  # noqa: A002
        """Sets these fields to these values and returns the license as it is then; harmless to repeat.

        Dates may be given as `date` or `YYYY-MM-DD`, UTC. Raises ValueError, before anything is sent, for fields that
        LicenseSpring would refuse or silently ignore.
        """
        call = "update_license"
        answer = await self.exchange.patch(call, f"licenses/{id}/", license_change(fields))
        return _expect(call, license_in(answer), id, wrote=True)

    async def enable(self, id: int) -> None:  # noqa: A002
        """Makes the license usable; one that is enabled already is left as it is."""
        await self._switch("enable", id, enabled=True)

    async def disable(self, id: int) -> None:  # noqa: A002
        """Makes every activation and check fail, devices and dates untouched; one disabled already is left so."""
        await self._switch("disable", id, enabled=False)

    async def free_devices(self, id: int) -> None:  # noqa: A002
        """Takes all devices from the license and sets its consumption to 0; harmless to repeat."""
        await self.exchange.post("free_devices", f"licenses/{id}/reset/")

    async def reset_consumption(self, id: int) -> None:  # noqa: A002
        """Sets the total of what was consumed to 0, unless it is 0: an earlier attempt may have done it."""
        call = "reset_consumption"
        if (await self.license(id)).total_consumptions != 0:
            await self.exchange.post(call, f"licenses/{id}/reset_consumption")

    async def _switch(self, call: str, id_: int, *, enabled: bool) -> None:
        try:
            await self.exchange.post(call, f"licenses/{id_}/{call}/")
        except (Unauthorized, NotFound):
            raise
        except Refused as refusal:
            # Whether a repeat is refused is not documented; the state says whether there was anything to do.
            if not await self._is_switched(id_, enabled=enabled):
                raise refusal from None

    async def _is_switched(self, id_: int, *, enabled: bool) -> bool:
        try:
            return (await self.license(id_)).enabled is enabled
        except Refused:
            return False

    # --- customers ------------------------------------------------------------------------------------------

    async def find_customer(self, reference: str) -> Customer | None:
        """The customer with this reference, the oldest if there are several, None when there is none."""
        found = await matching(
            self.exchange,
            "find_customer",
            "customers/",
            {"reference__exact": reference},
            customer_in,
            lambda row: row.reference == reference,
        )
        return min(found, key=lambda one: one.id, default=None)

    async def create_customer(self, customer: NewCustomer) -> Customer:
        """Creates a customer, also when one with this reference exists: look with `find_customer` first."""
        call = "create_customer"
        created = customer_in(await self.exchange.post(call, "customers/", customer))
        return _expect(call, created, None, wrote=True)

    async def update_customer(self, id: int, fields: Mapping[str, object]) -> Customer:  # noqa: A002
        """Sets these fields to these values; harmless to repeat. Raises ValueError for one that is not documented."""
        call = "update_customer"
        answer = await self.exchange.patch(call, f"customers/{id}/", customer_change(fields))
        return _expect(call, customer_in(answer), id, wrote=True)


@asynccontextmanager
async def open_licensespring(
    url: str, key: str, *, timeout: float = 10.0, deadline: float = 60.0, connections: int = 64
) -> AsyncIterator[LicenseSpring]:
    """A client for the API at `url` (`https://saas.licensespring.com/api/v1/`), closed at the end of the block.

    `timeout` bounds each wait for the network and `deadline` a whole call, both in seconds.
    """
    async with open_http(url, timeout=timeout, connections=connections) as http:
        yield LicenseSpring(http, key, deadline=deadline)


def _expect(call: str, found: Found | None, id_: int | None, *, wrote: bool) -> Found:
    """What an answer should hold; an object with another id is as bad as none."""
    if found is None or id_ not in {None, found.id}:
        raise unclear(call, wrote=wrote, status=200, text="the answer does not describe the object that was asked for")
    return found
