"""The sandbox's tables, with indexes for the questions that every request asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from service.sandbox.licensespring.records import (
    Customer,
    Device,
    License,
    LicenseCustomField,
    LicenseUser,
    Order,
    Policy,
    Product,
    Record,
)

T = TypeVar("T", bound=Record)

INDEXES: Mapping[type[Record], Mapping[str, Callable[[Any], Hashable]]] = {
    Product: {"short_code": lambda row: row.short_code},
    Policy: {"product": lambda row: row.product},
    Customer: {"email": lambda row: row.email.lower(), "reference": lambda row: row.reference},
    Order: {"store_id": lambda row: row.store_id, "customer": lambda row: row.customer},
    License: {
        "license_key": lambda row: row.license_key,
        "order": lambda row: row.order,
        "subscription_id": lambda row: row.subscription_id,
    },
    LicenseCustomField: {"license": lambda row: row.license},
    LicenseUser: {"email": lambda row: row.true_email.lower()},
    Device: {"license": lambda row: row.license},
}


class Tables(msgspec.Struct):
    """The content of a state file."""

    products: list[Product] = []
    policies: list[Policy] = []
    customers: list[Customer] = []
    orders: list[Order] = []
    licenses: list[License] = []
    license_custom_fields: list[LicenseCustomField] = []
    license_users: list[LicenseUser] = []
    devices: list[Device] = []


class Rows:
    """Records by type and id, in the order of their making."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._tables: dict[type[Record], dict[int, Any]] = {kind: {} for kind in INDEXES}
        self._found: dict[tuple[type[Record], str], dict[Hashable, dict[int, None]]] = defaultdict(dict)
        for record in records:
            self.put(record)

    def get(self, kind: type[T], key: int | None) -> T | None:
        return None if key is None else self._tables[kind].get(key)

    def the(self, kind: type[T], key: int) -> T:
        """The record a stored reference points at; KeyError would be a fault of the sandbox."""
        record: T = self._tables[kind][key]
        return record

    def all(self, kind: type[T]) -> Iterator[T]:
        return iter(self._tables[kind].values())

    def find(self, kind: type[T], index: str, value: Hashable) -> list[T]:
        """Records whose indexed value (see INDEXES) is exactly this one, oldest first."""
        table: dict[int, T] = self._tables[kind]
        return [table[key] for key in sorted(self._found[kind, index].get(value, ()))]

    def count(self, kind: type[Record], index: str, value: Hashable) -> int:
        return len(self._found[kind, index].get(value, ()))

    def highest_id(self, kind: type[Record]) -> int:
        return max(self._tables[kind], default=0)

    def put(self, record: Record) -> Record | None:
        """Stores the record and returns the one it replaces."""
        before = self._unindex(type(record), record.id)
        self._tables[type(record)][record.id] = record
        for name, value_of in INDEXES[type(record)].items():
            self._found[type(record), name].setdefault(value_of(record), {})[record.id] = None
        return before

    def remove(self, kind: type[Record], key: int) -> Record | None:
        before = self._unindex(kind, key)
        self._tables[kind].pop(key, None)
        return before

    def _unindex(self, kind: type[Record], key: int) -> Record | None:
        before: Record | None = self._tables[kind].get(key)
        if before is not None:
            for name, value_of in INDEXES[kind].items():
                ids = self._found[kind, name][value_of(before)]
                del ids[key]
                if not ids:
                    del self._found[kind, name][value_of(before)]
        return before

    def tables(self) -> Tables:
        return Tables(
            products=list(self.all(Product)),
            policies=list(self.all(Policy)),
            customers=list(self.all(Customer)),
            orders=list(self.all(Order)),
            licenses=list(self.all(License)),
            license_custom_fields=list(self.all(LicenseCustomField)),
            license_users=list(self.all(LicenseUser)),
            devices=list(self.all(Device)),
        )


def records_of(tables: Tables) -> Iterator[Record]:
    for name in tables.__struct_fields__:
        yield from getattr(tables, name)
