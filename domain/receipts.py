"""What a license server answered, as events of the subscription's own stream, and the fold of them.

`Applied` is what we know a target to hold for one subscription. It is built from receipts alone, in the order they
were recorded, so a rebuild knows it as well as the live process does and pushes only true differences.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

import msgspec

from domain.events import Event
from domain.retries import STREAM_RETRIED
from domain.upcasting import encode_own, upcast

Value = str | int | bool | None
Fields = dict[str, Value]

THERE = "there"
"""The name under which a record says whether a look found the thing; False: it was looked for in vain."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, tag_field="receipt", tag=True, omit_defaults=True):
    """One answer of one target. Its event's type is the class's name in lower case, after `tenure.`."""

    target: str


class KeysMinted(Receipt, frozen=True, kw_only=True, tag="keys_minted"):
    """Keys chosen for licenses that are about to be created under `order`; recorded before they are used.

    Where the product is licensed by user there are no keys: they are empty, and only the order is chosen. `holders` are
    the accounts under which a server that knows such will hold them: license id → that account's id there.
    """

    order: str
    keys: dict[str, str]
    user_based: bool = False
    holders: dict[str, str] = {}


class KeysGenerated(Receipt, frozen=True, kw_only=True, tag="keys_generated"):
    """Keys that the provider's license generator answered, or will answer, for a product of a purchase.

    Stands in the stream `{source}/fulfillment/{reference}` and reaches the purchase by relay: so whoever comes first,
    the checkout or the order, both find the same keys. `after` is how many keys of the product were recorded before;
    of two records with the same number the first counts. `asked` is false where no generator was asked for them.
    `under` is the account at the server, of an earlier purchase of the same customer, that this one's licenses join.
    """

    product: str
    keys: tuple[str, ...]
    after: int = 0
    asked: bool = True
    under: str = ""


class KeysClaimed(Receipt, frozen=True, kw_only=True, tag="keys_claimed"):
    """Licenses that take the next places in the list of a product's generated keys, whichever stream they are of.

    Stands in the same stream as KeysGenerated, and is relayed like that. `after` is how many places were taken before;
    of two records with the same number the first counts.
    """

    product: str
    licenses: tuple[str, ...]
    after: int = 0


class OrderCreated(Receipt, frozen=True, kw_only=True, tag="order_created"):
    """The target holds these licenses: license id → its own id there, with the fields it was given.

    `companions` are the licenses that the server made along with a bundle's: license id → their ids there → fields.
    """

    order: str
    licenses: dict[str, str]
    fields: dict[str, Fields]
    companions: dict[str, dict[str, Fields]] = {}
    order_fields: Fields = {}
    customer: str = ""
    customer_fields: Fields = {}


class OrderMissing(Receipt, frozen=True, kw_only=True, tag="order_missing"):
    """A look showed that an order whose creation had an unclear outcome does not exist."""

    order: str
    licenses: tuple[str, ...]


class LicenseChanged(Receipt, frozen=True, kw_only=True, tag="license_changed"):
    """The target took these absolute values for one license, and those for licenses of its bundle."""

    license: str
    fields: Fields
    companions: dict[str, Fields] = {}


class OrderChanged(Receipt, frozen=True, kw_only=True, tag="order_changed"):
    """The target took these absolute values for an order as a whole, such as who may manage its licenses."""

    order: str
    fields: Fields


class CustomerChanged(Receipt, frozen=True, kw_only=True, tag="customer_changed"):
    """The target took these absolute values for the customer it knows under that id.

    `licenses` could not be made before; what was refused of them may be tried again. With them the customer was made
    for them, or `found` where it was there already.
    """

    customer: str
    fields: Fields
    licenses: tuple[str, ...] = ()
    found: bool = False


class CatalogRead(Receipt, frozen=True, kw_only=True, tag="catalog_read"):
    """What a product can be licensed as, says the server's own catalog: templates by their ids there, and the like.

    `licenses` waited for it; what was refused of them may be tried again.
    """

    product: str
    entries: dict[str, Fields]
    licenses: tuple[str, ...] = ()


class PushRefused(Receipt, frozen=True, kw_only=True, tag="push_refused"):
    """The target refused for good: a dead letter, until what is desired changes or an operator asks again.

    `subjects` are license ids, an order, or a customer's id at the target; `digest` is `{what}:{hash}`, what was
    desired of them when it was refused.
    """

    subjects: tuple[str, ...]
    call: str
    status: int | None
    text: str
    digest: str


class PushRetried(Receipt, frozen=True, kw_only=True, tag="push_retried"):
    """An operator asked to try refused subjects again; its event is of origin `operator` (once of `receipt`)."""

    subjects: tuple[str, ...]
    author: str = ""
    reason: str = ""


AnyReceipt = (
    KeysMinted
    | KeysGenerated
    | KeysClaimed
    | OrderCreated
    | OrderMissing
    | LicenseChanged
    | OrderChanged
    | CustomerChanged
    | CatalogRead
    | PushRefused
    | PushRetried
)
_decoder: msgspec.json.Decoder[AnyReceipt] = msgspec.json.Decoder(AnyReceipt)


def read_receipt(event: Event) -> AnyReceipt:
    """Raises ValueError."""
    return _decoder.decode(upcast(event.type, event.body))


def encode_receipt(receipt: AnyReceipt) -> bytes:
    """The body of a receipt's event."""
    return encode_own(type_of(receipt), receipt)


def type_of(receipt: AnyReceipt | type[AnyReceipt]) -> str:
    """The type under which a receipt is appended, such as `tenure.keys_minted`."""
    return f"tenure.{receipt.__struct_config__.tag}"


PUSH_RETRIED = "operator.push_retried"
"""The type of the operator's act that counts among the receipts: when it was recorded decides what it retries."""

RELAYED = frozenset({type_of(KeysGenerated), type_of(KeysClaimed)})
"""Types of the receipts that belong to linked streams too; all others concern their own stream alone."""


def is_receipt(event: Event) -> bool:
    """Whether the event is of the second track: folded by its place in the stream, apart from the provider's."""
    if event.origin == "operator":
        return event.type in {PUSH_RETRIED, STREAM_RETRIED}
    return event.origin == "receipt" or (event.origin == "relay" and event.type in RELAYED)


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A standing dead letter: what was refused last, and the digests of what else is refused of the same subject."""

    call: str
    status: int | None
    text: str
    digest: str
    at: datetime
    others: tuple[str, ...] = ()

    def covers(self, digest: str) -> bool:
        """Whether a call of that digest was refused, and would be again."""
        return digest == self.digest or digest in self.others


class AppliedLicense(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One license as the target holds it; it is prepared once it has an order, and there once it has a `remote`."""

    order: str = ""
    key: str = ""
    user_based: bool = False
    """True when the product is licensed by user: there is no key then."""
    holder: str = ""
    """The account there that it is held under, where the server knows such."""
    remote: str = ""
    missing: bool = False
    """True when a look showed that the order of this key was never created."""
    fields: Fields = {}
    companions: dict[str, Fields] = {}
    """The licenses that the server made along with a bundle's: their ids there → what is known of them."""

    @property
    def parts(self) -> dict[str, Fields]:
        """Every license there that belongs to this one, itself first."""
        return {self.remote: self.fields, **self.companions} if self.remote else {}


class Applied(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything one target is known to hold for one subscription."""

    licenses: dict[str, AppliedLicense] = {}
    customers: dict[str, Fields] = {}
    orders: dict[str, Fields] = {}
    catalog: dict[str, dict[str, Fields]] = {}
    """Product → what the server's catalog had for it when it was read last."""
    refusals: dict[str, Refusal] = {}
    generated: dict[str, tuple[str, ...]] = {}
    """Product (as the license generator names it) → its keys, in the order of their places."""
    claimed: dict[str, tuple[str, ...]] = {}
    """Product → the ids of the licenses whose places those are, of all streams of the purchase."""
    unasked: tuple[str, ...] = ()
    """Products of which keys were recorded that no license generator was asked for."""
    under: dict[str, str] = {}
    """Product → the account there, of an earlier purchase, that its licenses join."""

    def license(self, identifier: str) -> AppliedLicense:
        """What is known of a license, which may be nothing yet."""
        return self.licenses.get(identifier) or AppliedLicense()


def apply_receipt(applied: Mapping[str, Applied], receipt: AnyReceipt, at: datetime) -> dict[str, Applied]:
    """Folds one receipt into what each target is known to hold. The first record of a key stands."""
    held = applied.get(receipt.target) or Applied()
    return {**applied, receipt.target: _after(held, receipt, at)}


def _after(held: Applied, receipt: AnyReceipt, at: datetime) -> Applied:
    match receipt:
        case KeysMinted():
            return _minted(held, receipt)
        case KeysGenerated() | KeysClaimed():
            return _listed(held, receipt)
        case OrderCreated():
            return _created(held, receipt)
        case OrderMissing(licenses=names):
            return _licenses(held, {name: {"missing": True} for name in names})
        case LicenseChanged():
            return _license_changed(held, receipt)
        case OrderChanged(order=order, fields=fields):
            return _without_refusals(_order(held, order, fields), (order,))
        case CustomerChanged() | CatalogRead():
            return _without_refusals(_learned(held, receipt), receipt.licenses)
        case PushRefused():
            return _refused(held, receipt, at)
        case PushRetried():
            return _without_refusals(held, receipt.subjects)
    assert_never(receipt)


def _minted(held: Applied, receipt: KeysMinted) -> Applied:
    unprepared = {name: key for name, key in receipt.keys.items() if not held.license(name).order}
    prepared = {"order": receipt.order, "user_based": receipt.user_based}
    chosen = {name: {"key": key, "holder": receipt.holders.get(name, "")} for name, key in unprepared.items()}
    return _licenses(held, {name: {**prepared, **each} for name, each in chosen.items()})


def _listed(held: Applied, receipt: KeysGenerated | KeysClaimed) -> Applied:
    return _claimed(held, receipt) if isinstance(receipt, KeysClaimed) else _generated(held, receipt)


def _generated(held: Applied, receipt: KeysGenerated) -> Applied:
    known = held.generated.get(receipt.product, ())
    if receipt.after != len(known):
        # A record that was late: those keys are nobody's.
        return held
    unasked = held.unasked if receipt.asked else tuple(sorted({*held.unasked, receipt.product}))
    generated = {**held.generated, receipt.product: known + receipt.keys}
    under = {**held.under, receipt.product: receipt.under} if receipt.under else held.under
    return msgspec.structs.replace(held, generated=generated, unasked=unasked, under=under)


def _claimed(held: Applied, receipt: KeysClaimed) -> Applied:
    known = held.claimed.get(receipt.product, ())
    if receipt.after != len(known):
        # A record that was late: its licenses claim again.
        return held
    return msgspec.structs.replace(held, claimed={**held.claimed, receipt.product: known + receipt.licenses})


def _created(held: Applied, receipt: OrderCreated) -> Applied:
    there = {
        name: {
            "remote": remote,
            "missing": False,
            "fields": receipt.fields.get(name, {}),
            "companions": receipt.companions.get(name, {}),
        }
        for name, remote in receipt.licenses.items()
    }
    after = _order(_licenses(held, there), receipt.order, receipt.order_fields)
    return _customer(after, receipt.customer, receipt.customer_fields)


def _license_changed(held: Applied, receipt: LicenseChanged) -> Applied:
    known = held.license(receipt.license)
    beside = {remote: {**known.companions.get(remote, {}), **told} for remote, told in receipt.companions.items()}
    changed = {"fields": {**known.fields, **receipt.fields}, "companions": {**known.companions, **beside}}
    return _licenses(held, {receipt.license: changed})


def _licenses(held: Applied, changes: Mapping[str, Mapping[str, Any]]) -> Applied:
    changed = {name: msgspec.structs.replace(held.license(name), **change) for name, change in changes.items()}
    after = msgspec.structs.replace(held, licenses={**held.licenses, **changed})
    return _without_refusals(after, tuple(changed))


def _learned(held: Applied, receipt: CustomerChanged | CatalogRead) -> Applied:
    if isinstance(receipt, CustomerChanged):
        return _customer(held, receipt.customer, receipt.fields)
    return msgspec.structs.replace(held, catalog={**held.catalog, receipt.product: receipt.entries})


def _customer(held: Applied, customer: str, fields: Fields) -> Applied:
    if not customer:
        return held
    known = {**held.customers.get(customer, {}), **fields}
    after = msgspec.structs.replace(held, customers={**held.customers, customer: known})
    return _without_refusals(after, (customer,))


def _order(held: Applied, order: str, fields: Fields) -> Applied:
    if not fields:
        return held
    return msgspec.structs.replace(held, orders={**held.orders, order: {**held.orders.get(order, {}), **fields}})


def _refused(held: Applied, receipt: PushRefused, at: datetime) -> Applied:
    """Of each subject one refusal per what was asked stands: a later one of the same replaces the earlier."""
    what, refusals = receipt.digest.partition(":")[0], dict(held.refusals)
    for subject in receipt.subjects:
        before = refusals.get(subject)
        standing = (before.digest, *before.others) if before else ()
        refusals[subject] = Refusal(
            call=receipt.call,
            status=receipt.status,
            text=receipt.text,
            digest=receipt.digest,
            at=at,
            others=tuple(sorted(digest for digest in standing if digest.partition(":")[0] != what)),
        )
    return msgspec.structs.replace(held, refusals=refusals)


def _without_refusals(held: Applied, subjects: tuple[str, ...]) -> Applied:
    if not held.refusals.keys() & set(subjects):
        return held
    return msgspec.structs.replace(held, refusals={k: v for k, v in held.refusals.items() if k not in subjects})
