"""What the sandbox stores: entities as bags of text properties, the way they travel.

Entities point at each other by id, so that a number can be changed while it is not in use yet.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

import msgspec


class Kind(Enum):
    """The kinds of entities; the value is the `type` of their items in answers."""

    PRODUCT = "Product"
    MODULE = "ProductModule"
    TEMPLATE = "LicenseTemplate"
    LICENSEE = "Licensee"
    LICENSE = "License"
    BUNDLE = "Bundle"

    @property
    def words(self) -> str:
        return {"ProductModule": "product module", "LicenseTemplate": "license template"}.get(
            self.value, self.value.lower()
        )


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One entity. `values` holds what the schema knows, in one spelling; `custom` all else that was sent.

    `parent` is the product of a module or licensee, the module of a template, the licensee of a license; `template`
    is the template of a license. `sessions` (of a licensee, by module id and session) ends at those instants;
    `nodes` are the secrets of the machines that a license was validated on.
    """

    kind: Kind
    id: int
    number: str
    parent: int | None = None
    template: int | None = None
    values: dict[str, str] = {}
    custom: dict[str, str] = {}
    sessions: dict[int, dict[str, datetime]] = {}
    nodes: tuple[str, ...] = ()

    @property
    def owners(self) -> list[int]:
        """The ids of what it belongs to."""
        return [owner for owner in (self.parent, self.template) if owner is not None]

    def text(self, name: str) -> str:
        """A property, empty when it is not set."""
        return self.values.get(name, "")

    def flag(self, name: str) -> bool:
        return self.values.get(name) == "true"

    def count(self, name: str) -> int:
        return int(self.values.get(name) or 0)

    def instant(self, name: str) -> datetime | None:
        """An aware instant in UTC, or None when it is not set."""
        told = self.values.get(name)
        return datetime.fromisoformat(told) if told else None

    def with_values(self, **values: str) -> Record:
        return msgspec.structs.replace(self, values={**self.values, **values})

    def changed(self, **fields: Any) -> Record:
        return msgspec.structs.replace(self, **fields)
