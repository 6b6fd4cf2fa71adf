"""What people and tests do to a sandbox from behind: changes by hand, and a look at all it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from service.sandbox.backdoor import Backdoor, NotThere
from service.sandbox.licensespring import custom_fields, fields, orders, verdicts, views
from service.sandbox.licensespring.catalog import add_product
from service.sandbox.licensespring.company import Company
from service.sandbox.licensespring.durations import written
from service.sandbox.licensespring.patch import set_enabled
from service.sandbox.licensespring.records import Customer, License, LicenseUser, Order, Product, Record
from service.sandbox.licensespring.settings import ProductSeed

RENAMED = ("license_key", "license_type", "subscription_id")


class Control(Backdoor):
    """The sandbox's back door. Everything takes effect before the method returns.

    Licenses are named by id or by key. Methods raise NotThere (a LookupError) for a name unknown and ValueError
    for what cannot be done.
    """

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.company = company

    def add_product(self, seed: ProductSeed) -> int:
        """Adds a product to the catalog and returns its id."""
        with self.company.change() as change:
            return add_product(change, seed).id

    def change_license(self, name: int | str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes a license as a person in the vendor's office would: any field of it, and no coupling rules."""
        known = {*fields.TERMS, *RENAMED, "enabled"}
        if unknown := sorted(changes.keys() - known):
            raise ValueError(f"No such field: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
        values, wrong = fields.read_all(fields.TERMS, changes, self.company.settings)
        if wrong:
            raise ValueError("; ".join(f"{field}: {text}" for field, text in wrong.items()))
        with self.company.change() as change:
            license_ = self._license(name)
            terms = msgspec.structs.replace(license_.terms, **values)
            renamed = {field: changes[field] for field in RENAMED if field in changes}
            built = msgspec.structs.replace(license_, terms=terms, updated_at=change.now, **renamed)
            changed = msgspec.convert(msgspec.structs.asdict(built), License)
            if "enabled" in changes:
                changed = set_enabled(change, changed, enabled=fields.flag(changes["enabled"]))
            change.put(changed)
        return views.license_view(self.company.store.rows, self.company.settings, changed)

    def delete_license(self, name: int | str) -> None:
        with self.company.change() as change:
            orders.delete_license(change, self._license(name))

    def delete_order(self, name: int | str) -> None:
        """Deletes an order, named by id or store id, with its licenses."""
        rows = self.company.store.rows
        order = rows.get(Order, _number(name)) or next(iter(rows.find(Order, "store_id", str(name))), None)
        if order is None:
            raise NotThere(f"There is no order {name}.")
        with self.company.change() as change:
            orders.delete_order(change, order)

    def activate(self, name: int | str, hardware_id: str, hostname: str = "") -> dict[str, Any]:
        """Activates a device, as the customer's application would."""
        with self.company.change() as change:
            activated = verdicts.activate(change, self._license(name), hardware_id, hostname)
        return views.license_view(self.company.store.rows, self.company.settings, activated)

    def license(self, name: int | str) -> dict[str, Any]:
        """A license as the API shows it."""
        return views.license_view(self.company.store.rows, self.company.settings, self._license(name))

    def holdings(self) -> dict[str, Any]:
        """All orders with their licenses, and all customers: what matters, without times, passwords and devices."""
        rows = self.company.store.rows
        return {
            "orders": [self._order(order) for order in rows.all(Order)],
            "customers": [msgspec.structs.asdict(customer) for customer in rows.all(Customer)],
        }

    def overview(self) -> dict[str, Any]:
        company = self.company
        settings = {
            name: value
            for name, value in msgspec.to_builtins(company.settings).items()
            if name not in ("products", "api_keys")
        }
        kinds: dict[str, type[Record]] = {
            "products": Product,
            "orders": Order,
            "licenses": License,
            "customers": Customer,
        }
        return {
            "now": written(self.now),
            "counts": {name: sum(1 for _ in company.store.rows.all(kind)) for name, kind in kinds.items()},
            "calls": company.calls.total,
            "faults": len(company.faults.placed()),
            "settings": settings,
        }

    def _license(self, name: int | str) -> License:
        rows = self.company.store.rows
        found = rows.get(License, _number(name)) or next(iter(rows.find(License, "license_key", str(name))), None)
        if found is None:
            raise NotThere(f"There is no license {name}.")
        return found

    def _order(self, order: Order) -> dict[str, Any]:
        rows = self.company.store.rows
        return {
            "id": order.id,
            "store_id": order.store_id,
            "customer": order.customer,
            "is_test": order.is_test,
            "is_bundle": order.is_bundle,
            "managers": self._managers(order),
            "metadata": order.metadata,
            "licenses": [self._held(license_) for license_ in rows.find(License, "order", order.id)],
        }

    def _managers(self, order: Order) -> list[str]:
        rows = self.company.store.rows
        return [rows.the(LicenseUser, manager).true_email for manager in order.managers]

    def _held(self, license_: License) -> dict[str, Any]:
        rows = self.company.store.rows
        product = rows.the(Product, license_.product)
        codes = {feature.id: feature.code for feature in product.features}
        return {
            "id": license_.id,
            "license_key": license_.license_key,
            "license_type": license_.license_type,
            "product": product.short_code,
            "enabled": license_.enabled,
            "active": license_.active,
            "subscription_id": license_.subscription_id,
            "users": [rows.the(LicenseUser, seat.user).true_email for seat in license_.seats],
            "features": {codes[held.feature]: held.max_consumption for held in license_.features},
            "managers": self._managers(rows.the(Order, license_.order)),
            "custom_fields": {field["name"]: field["value"] for field in custom_fields.by_name(rows, license_)},
            "times_activated": license_.times_activated,
            **views.terms_view(license_.terms),
        }


def _number(name: int | str) -> int | None:
    text = str(name)
    return int(text) if text.isascii() and text.isdigit() else None
