"""What people and tests do to a sandbox from behind: changes by hand, and a look at all it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.sandbox.backdoor import Backdoor, NotThere
from service.sandbox.netlicensing import catalog, resources, validation, views
from service.sandbox.netlicensing.account import Account
from service.sandbox.netlicensing.change import Change
from service.sandbox.netlicensing.records import Kind, Record
from service.sandbox.netlicensing.schema import ENTITIES, KIND_AT
from service.sandbox.netlicensing.seeds import BundleSeed, ProductSeed
from service.sandbox.netlicensing.store import Snapshot
from service.sandbox.netlicensing.values import written

HELD = (Kind.LICENSEE, Kind.LICENSE)


class Control(Backdoor):
    """The sandbox's back door. Everything takes effect before the method returns.

    Entities are named by the kind in their path (`license`, `licensee` …) and their number. Methods raise NotThere
    (a LookupError) for a name unknown, and Refused (of `errors`) for what the API would not take either.
    """

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.account = account

    def sell(self, *products: ProductSeed, bundles: tuple[BundleSeed, ...] = ()) -> None:
        """Adds products and bundles to the catalog."""
        with self.account.change() as change:
            catalog.sell(change, products, bundles)

    def create(self, path: str, **properties: str) -> dict[str, str]:
        """Creates an entity as a person at the vendor's console would; its properties."""
        with self.account.change() as change:
            return views.properties(change, resources.create(change, _kind(path), properties))

    def change(self, path: str, number: str, properties: Mapping[str, str]) -> dict[str, str]:
        """Changes an entity behind the back of who made it; its properties."""
        with self.account.change() as change:
            found = _found(change, path, number)
            return views.properties(change, resources.update(change, found, properties))

    def delete(self, path: str, number: str) -> None:
        """Deletes an entity with all that belongs to it."""
        with self.account.change() as change:
            resources.delete(change, _found(change, path, number), cascade=True)

    def show(self, path: str, number: str) -> dict[str, str]:
        """An entity's properties, all texts, as the API shows them."""
        change = self.account.reading()
        return views.properties(change, _found(change, path, number))

    def holdings(self) -> dict[str, dict[str, dict[str, str]]]:
        """All licensees and all licenses, each by number with its properties: for comparing with what should be."""
        change = self.account.reading()
        return {
            f"{ENTITIES[kind].path}s": {one.number: views.properties(change, one) for one in change.store.all(kind)}
            for kind in HELD
        }

    def effective(self) -> dict[str, dict[str, Any]]:
        """By licensee: its product, and by module what a program that validates now would be told.

        Instants are datetimes in UTC. A floating module tells its sessions, a metered one what remains.
        """
        change = self.account.reading()
        return {
            licensee.number: {
                "product": change.store.the(licensee.parent).number,
                "active": licensee.flag("active"),
                "modules": validation.effective(change, licensee),
            }
            for licensee in change.store.all(Kind.LICENSEE)
        }

    def dump(self) -> Snapshot:
        """All that is held, for `restore`; also the content of a state file."""
        return self.account.store.dump()

    def restore(self, snapshot: Snapshot) -> None:
        with self.account.change() as change:
            change.store.replace(snapshot)

    def overview(self) -> dict[str, Any]:
        account = self.account
        secret = ("products", "bundles", "api_keys", "logins")
        settings = {name: getattr(account.settings, name) for name in account.settings.__struct_fields__}
        return {
            "now": written(self.now),
            "counts": {ENTITIES[kind].path: len(account.store.all(kind)) for kind in Kind},
            "calls": account.calls.total,
            "faults": len(account.faults.placed()),
            "settings": {name: value for name, value in settings.items() if name not in secret},
        }


def _kind(path: str) -> Kind:
    if path not in KIND_AT:
        raise NotThere(f"There is no kind {path}; there are: {', '.join(KIND_AT)}.")
    return KIND_AT[path]


def _found(change: Change, path: str, number: str) -> Record:
    record = change.store.get(_kind(path), number)
    if record is None:
        raise NotThere(f"There is no {path} {number}.")
    return record
