"""What a timeline may be narrowed to: each kind by its name, in one table."""

from collections.abc import Callable, Collection

from domain import facts as f
from domain import receipts as r
from projections.timeline import Entry

_MONEY = frozenset(
    each.__name__
    for each in (
        f.PeriodPaid,
        f.PaymentsDescribed,
        f.PaymentFailed,
        f.PaymentActionRequired,
        f.PaymentFellOverdue,
        f.PaymentRefunded,
        f.DisputeOpened,
        f.DisputeClosed,
        f.PurchaseCompleted,
        f.PurchaseFailed,
    )
)
_CALLED = frozenset(
    r.type_of(each)
    for each in (
        r.OrderCreated,
        r.OrderMissing,
        r.LicenseChanged,
        r.OrderChanged,
        r.CustomerChanged,
        r.CatalogRead,
        r.PushRefused,
    )
)
_MANUAL = frozenset({r.type_of(r.PushRetried)})

KINDS: dict[str, Callable[[Entry], bool]] = {
    "deliveries": lambda entry: entry.kind == "delivery",
    "backfills": lambda entry: entry.kind == "backfill",
    "readbacks": lambda entry: entry.kind == "readback",
    "relays": lambda entry: entry.kind == "relay",
    "timers": lambda entry: entry.kind == "timer",
    "acts": lambda entry: entry.kind == "operator" or entry.type in _MANUAL,
    "payments": lambda entry: bool(entry.summary) and not _MONEY.isdisjoint(entry.facts),
    "transitions": lambda entry: entry.before != entry.after,
    "anomalies": lambda entry: bool(entry.anomalies),
    "warnings": lambda entry: bool(entry.warnings),
    "errors": lambda entry: bool(entry.error) or not entry.folded,
    "pushes": lambda entry: entry.type in _CALLED,
    "receipts": lambda entry: entry.kind == "receipt",
    "late": lambda entry: entry.late,
    "repeats": lambda entry: bool(entry.same_as),
}
"""Name → what is of that kind. An entry may be of several; a push is told by its receipt."""


class UnknownKind(ValueError):
    """A kind that there is not; the message names those that there are."""


def read_kinds(text: str) -> frozenset[str]:
    """Kinds as a person lists them, by commas; none is all. Raises UnknownKind."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in KINDS:
            raise UnknownKind(f"{name[:60]!r} is no kind of entry; there are: {', '.join(KINDS)}")
    return frozenset(names)


def is_of(entry: Entry, kinds: Collection[str]) -> bool:
    """Whether the entry is of one of the kinds; without any, of course."""
    return not kinds or any(KINDS[kind](entry) for kind in kinds)
