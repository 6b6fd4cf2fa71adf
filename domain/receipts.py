"""What a license server answered, as events of the subscription's own stream, and the fold of them.

`Applied` is what we know a target to hold for one subscription. It is built from receipts alone, in the order they
were recorded, so a rebuild knows it as well as the live process does and pushes only true differences.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

import msgspec

from domain.events import Event

Value = str | int | bool | None
Fields = dict[str, Value]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, tag_field="receipt", tag=True, omit_defaults=True):
    """One answer of one target. Its event's type is the class's name in lower case, after `tenure.`."""

    target: str


class KeysMinted(Receipt, frozen=True, kw_only=True, tag="keys_minted"):
    """Keys chosen for licenses that are about to be created under `order`; recorded before they are used."""

    order: str
    keys: dict[str, str]


class KeysGenerated(Receipt, frozen=True, kw_only=True, tag="keys_generated"):
    """Keys that the provider's license generator answered, or will answer, for a product of a purchase.

    Stands in the stream `{source}/fulfillment/{reference}` and reaches the purchase by relay: so whoever comes first,
    the checkout or the order, both find the same keys. `after` is how many keys of the product were recorded before;
    of two records with the same number the first counts.
    """

    product: str
    keys: tuple[str, ...]
    after: int = 0


class OrderCreated(Receipt, frozen=True, kw_only=True, tag="order_created"):
    """The target holds these licenses: license id → its own id there, with the fields it was given."""

    order: str
    licenses: dict[str, str]
    fields: dict[str, Fields]
    customer: str = ""
    customer_fields: Fields = {}


class OrderMissing(Receipt, frozen=True, kw_only=True, tag="order_missing"):
    """A look showed that an order whose creation had an unclear outcome does not exist."""

    order: str
    licenses: tuple[str, ...]


class LicenseChanged(Receipt, frozen=True, kw_only=True, tag="license_changed"):
    """The target took these absolute values for one license."""

    license: str
    fields: Fields


class CustomerChanged(Receipt, frozen=True, kw_only=True, tag="customer_changed"):
    """The target took these absolute values for the customer it knows under that id."""

    customer: str
    fields: Fields


class PushRefused(Receipt, frozen=True, kw_only=True, tag="push_refused"):
    """The target refused for good: a dead letter, until what is desired changes or an operator asks again.

    `subjects` are license ids, or a customer's id at the target; `digest` is what was desired when it was refused.
    """

    subjects: tuple[str, ...]
    call: str
    status: int | None
    text: str
    digest: str


class PushRetried(Receipt, frozen=True, kw_only=True, tag="push_retried"):
    """An operator asked to try refused subjects again."""

    subjects: tuple[str, ...]
    author: str = ""


AnyReceipt = (
    KeysMinted
    | KeysGenerated
    | OrderCreated
    | OrderMissing
    | LicenseChanged
    | CustomerChanged
    | PushRefused
    | PushRetried
)
_decoder: msgspec.json.Decoder[AnyReceipt] = msgspec.json.Decoder(AnyReceipt)


def read_receipt(event: Event) -> AnyReceipt:
    return _decoder.decode(event.body)


def type_of(receipt: AnyReceipt | type[AnyReceipt]) -> str:
    """The type under which a receipt is appended, such as `tenure.keys_minted`."""
    return f"tenure.{receipt.__struct_config__.tag}"


RELAYED = frozenset({type_of(KeysGenerated)})
"""Types of the receipts that belong to linked streams too; all others concern their own stream alone."""


def is_receipt(event: Event) -> bool:
    """Whether the event is of the second track: folded by its place in the stream, apart from the provider's."""
    return event.origin == "receipt" or (event.origin == "relay" and event.type in RELAYED)


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A standing dead letter."""

    call: str
    status: int | None
    text: str
    digest: str
    at: datetime


class AppliedLicense(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One license as the target holds it; `remote` is empty while it only has a key."""

    order: str = ""
    key: str = ""
    remote: str = ""
    missing: bool = False
    """True when a look showed that the order of this key was never created."""
    fields: Fields = {}


class Applied(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything one target is known to hold for one subscription."""

    licenses: dict[str, AppliedLicense] = {}
    customers: dict[str, Fields] = {}
    refusals: dict[str, Refusal] = {}
    generated: dict[str, tuple[str, ...]] = {}
    """Product (as the license generator names it) → the keys that belong to its units, in order."""

    def license(self, identifier: str) -> AppliedLicense:
        """What is known of a license, which may be nothing yet."""
        return self.licenses.get(identifier) or AppliedLicense()


def apply_receipt(applied: Mapping[str, Applied], receipt: AnyReceipt, at: datetime) -> dict[str, Applied]:
    """Folds one receipt into what each target is known to hold. The first record of a key stands."""
    held = applied.get(receipt.target) or Applied()
    return {**applied, receipt.target: _after(held, receipt, at)}


def _after(held: Applied, receipt: AnyReceipt, at: datetime) -> Applied:
    match receipt:
        case KeysMinted(order=order, keys=keys):
            return _licenses(
                held, {name: {"order": order, "key": key} for name, key in keys.items() if not held.license(name).key}
            )
        case KeysGenerated(product=product, keys=keys, after=after):
            known = held.generated.get(product, ())
            if after != len(known):
                # A record that was late: those keys are nobody's.
                return held
            return msgspec.structs.replace(held, generated={**held.generated, product: known + keys})
        case OrderCreated(licenses=licenses, fields=fields):
            created = {
                name: {"remote": remote, "missing": False, "fields": fields.get(name, {})}
                for name, remote in licenses.items()
            }
            return _customer(_licenses(held, created), receipt.customer, receipt.customer_fields)
        case OrderMissing(licenses=names):
            return _licenses(held, {name: {"missing": True} for name in names})
        case LicenseChanged(license=name, fields=fields):
            return _licenses(held, {name: {"fields": {**held.license(name).fields, **fields}}})
        case CustomerChanged(customer=customer, fields=fields):
            return _customer(held, customer, fields)
        case PushRefused(call=call, status=status, text=text, digest=digest):
            refusal = Refusal(call=call, status=status, text=text, digest=digest, at=at)
            return _refused(held, dict.fromkeys(receipt.subjects, refusal))
        case PushRetried():
            return _without_refusals(held, receipt.subjects)
    assert_never(receipt)


def _licenses(held: Applied, changes: Mapping[str, Mapping[str, Any]]) -> Applied:
    changed = {name: msgspec.structs.replace(held.license(name), **change) for name, change in changes.items()}
    after = msgspec.structs.replace(held, licenses={**held.licenses, **changed})
    return _without_refusals(after, tuple(changed))


def _customer(held: Applied, customer: str, fields: Fields) -> Applied:
    if not customer:
        return held
    known = {**held.customers.get(customer, {}), **fields}
    after = msgspec.structs.replace(held, customers={**held.customers, customer: known})
    return _without_refusals(after, (customer,))


def _refused(held: Applied, refusals: Mapping[str, Refusal]) -> Applied:
    return msgspec.structs.replace(held, refusals={**held.refusals, **refusals})


def _without_refusals(held: Applied, subjects: tuple[str, ...]) -> Applied:
    if not held.refusals.keys() & set(subjects):
        return held
    return msgspec.structs.replace(held, refusals={k: v for k, v in held.refusals.items() if k not in subjects})
