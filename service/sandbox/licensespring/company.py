"""One simulated LicenseSpring company: its rows, clock, limits, faults and log."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.sandbox.calls import Calls
from service.sandbox.clock import Clock
from service.sandbox.faults import Answer, Delay, Drop, Faults, HtmlPage, Stale, Throttle
from service.sandbox.licensespring.catalog import add_product
from service.sandbox.licensespring.change import Change
from service.sandbox.licensespring.limits import Limits
from service.sandbox.licensespring.mint import Mint
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
from service.sandbox.licensespring.rows import INDEXES
from service.sandbox.licensespring.settings import SandboxSettings
from service.sandbox.licensespring.store import Store

LARGE_IDS: tuple[type[Record], ...] = (Product, Order, License, Device)
SMALL_IDS: tuple[type[Record], ...] = (Policy, Customer, LicenseUser, LicenseCustomField)


class Company:
    """Built from settings and, where a state file is named, from what it holds.

    Raises ValueError for seed data or a state file that cannot be read.
    """

    def __init__(self, settings: SandboxSettings, state: Path | None = None) -> None:
        if not settings.api_keys:
            raise ValueError("Name at least one key in api_keys.")
        self.settings = settings
        self.clock = Clock(settings.now)
        self.mint = Mint(self.clock, settings.seed)
        self.store = Store(state)
        self.limits = Limits(settings)
        self.faults = Faults(Answer, HtmlPage, Throttle, Drop, Delay, Stale)
        self.calls = Calls(settings.calls_kept)
        self.closing = asyncio.Event()
        """Set when the server stops, to let go of requests that a fault holds up."""
        rows = self.store.rows
        item_ids = (item.id for order in rows.all(Order) for item in order.items)
        feature_ids = (feature.id for license_ in rows.all(License) for feature in license_.features)
        offered_ids = (feature.id for product in rows.all(Product) for feature in product.features)
        field_ids = (field.id for product in rows.all(Product) for field in product.custom_fields)
        self.mint.never_below(
            large=max((*map(rows.highest_id, LARGE_IDS), *item_ids, *feature_ids)),
            small=max((*map(rows.highest_id, SMALL_IDS), *offered_ids, *field_ids)),
        )
        self._seed()

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A change that is kept when the block ends and taken back when it raises."""
        with self.store.change() as rows:
            yield Change(self.settings, rows, self.clock.now(), self.mint, self.store.put, self.store.remove)

    def admits(self, authorization: str) -> bool:
        """Whether the header names one of the company's keys; takes as long for a near miss as for a far one."""
        scheme, _, key = authorization.partition(" ")
        equal = [hmac.compare_digest(key.encode(), known.encode()) for known in self.settings.api_keys]
        return scheme.lower() == "api-key" and any(equal)

    def reset(self) -> None:
        """Back to the seed data, the first clock, no faults and an empty log."""
        with self.store.change() as rows:
            for kind in INDEXES:
                for record in list(rows.all(kind)):
                    self.store.remove(record)
        self.faults.clear()
        self.limits.forget()
        self.calls.clear()
        self.clock.restart()
        self._seed()
        self.store.forget_changes()

    def _seed(self) -> None:
        with self.change() as change:
            for seed in self.settings.products:
                add_product(change, seed)
