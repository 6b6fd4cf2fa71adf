"""Facts and receipts in words, as a person would say them on a timeline. Never a secret, never an address."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain import facts as f
from domain import receipts as r
from domain.acts import OperatorActed, OverrideLapsed, say
from domain.currencies import digits_of


def money(amount: int, currency: str) -> str:
    """An amount in the currency's smallest unit, as people write it."""
    digits = digits_of(currency)
    return f"{Decimal(amount).scaleb(-digits):.{digits}f} {currency.upper()}".strip()


def day(instant: datetime | None) -> str:
    return instant.date().isoformat() if instant else "an unknown date"


def _lines(fact: f.LinesDescribed) -> str:
    return "lines: " + (", ".join(_line(line) for line in fact.lines) or "none")


def _line(line: f.Line) -> str:
    code = line.attributes.get("short_code") or line.attributes.get("product_short_code")
    return f"{line.quantity} x {code or line.product}"


def _paid(fact: f.PeriodPaid) -> str:
    ends = [period.end for period in fact.periods if not period.proration]
    through = f", paid through {day(max(ends))}" if ends else ""
    if fact.amount and not fact.invoice:
        # What was paid in all is told by the event that names the payment.
        return f"first payment made{through}"
    return f"paid {money(fact.amount, fact.currency)}{through}" if fact.amount else f"nothing to pay{through}"


def _failed(fact: f.PaymentFailed) -> str:
    planned = f", next attempt {day(fact.next_attempt)}" if fact.next_attempt else ""
    attempt = f" (attempt {fact.attempt})" if fact.attempt else ""
    return f"payment failed{attempt}{planned}{', no further attempt planned' if fact.final else ''}"


def _refunded(fact: f.PaymentRefunded) -> str:
    if not fact.amount and fact.refunded:
        return f"refunded {money(fact.refunded, fact.currency)}"
    much = "in full" if 0 < fact.amount <= fact.refunded else f"of {money(fact.amount, fact.currency)}"
    return f"refunded {money(fact.refunded, fact.currency)} {much}"


def _path(about: str) -> str:
    return re.split("[?#]", about, maxsplit=1)[0]


_NOT_ENDING = "will not end after all"
_BILLING = "billing goes on"
_NO_END = "has no end by its terms"

_FACTS: dict[type[f.Fact], Callable[[Any], str]] = {
    f.SubscriptionOpened: lambda _: "opened, first payment pending",
    f.TrialStarted: lambda fact: f"in trial until {day(fact.until)}",
    f.SubscriptionActivated: lambda _: "in good standing",
    f.PaymentFellOverdue: lambda _: "payment overdue",
    f.SubscriptionSuspended: lambda fact: f"suspended ({fact.reason})",
    f.SubscriptionTerminated: lambda fact: f"ended ({fact.reason})" if fact.reason else "ended",
    f.SubscriptionReactivated: lambda _: "reactivated",
    f.GraceEnded: lambda fact: "grace ended" if fact.days is None else f"grace of {_many(fact.days, 'day')} ended",
    f.TimePassed: lambda fact: f"nothing was heard by {day(fact.instant)}, when what was paid and its margin were over",
    f.LinesDescribed: _lines,
    f.PurchaseCompleted: lambda fact: "purchase completed" if fact.paid else "purchase made, payment under way",
    f.PurchaseFailed: lambda _: "payment of the purchase failed",
    f.TestDescribed: lambda fact: "a test: nothing was paid for real" if fact.test else "",
    f.PurchaseBecameSubscriptions: lambda _: "all that was ordered is subscriptions, which stand by themselves",
    f.PeriodPaid: _paid,
    f.PaymentFailed: _failed,
    f.PaymentActionRequired: lambda _: "the customer has to confirm the payment",
    f.PaymentRefunded: _refunded,
    f.DisputeOpened: lambda fact: f"{money(fact.amount, fact.currency)} disputed ({fact.reason or 'no reason'})",
    f.DisputeClosed: lambda fact: f"dispute {fact.outcome.value}",
    f.CancellationScheduled: lambda fact: f"will end on {day(fact.at)}",
    f.CancellationWithdrawn: lambda _: _NOT_ENDING,
    f.UsersNamed: lambda fact: f"{_many(len(fact.users), 'user')} named",
    f.FixedEndDescribed: lambda fact: f"ends by its terms on {day(fact.at)}" if fact.at else _NO_END,
    f.AnswerRead: lambda fact: f"read back {_path(fact.about)}{'' if fact.found else ': nothing found'}",
    f.Shown: lambda _: "",
    f.VersionShown: lambda _: "",
    f.ChangeAnnounced: lambda _: "announced a change; what it is has to be read back",
    f.CollectionPaused: lambda _: "billing paused",
    f.CollectionResumed: lambda _: _BILLING,
    f.TrialEndAnnounced: lambda fact: f"trial ends on {day(fact.at)}",
    f.Noted: lambda fact: fact.about,
    OperatorActed: say,
    OverrideLapsed: lambda fact: f"the time of {fact.act} is over",
}
"""Facts that a timeline shows; the others (links, collection terms, …) are only visible in full detail."""


_ABOUT: dict[type[f.Fact], str] = {
    **dict.fromkeys(
        (
            f.SubscriptionOpened,
            f.TrialStarted,
            f.SubscriptionActivated,
            f.PaymentFellOverdue,
            f.SubscriptionSuspended,
            f.SubscriptionTerminated,
            f.SubscriptionReactivated,
        ),
        "state",
    ),
    f.LinesDescribed: "lines",
    f.CancellationScheduled: "cancellation",
    f.CancellationWithdrawn: "cancellation",
    f.FixedEndDescribed: "end",
    f.UsersNamed: "users",
    f.CollectionPaused: "collection",
    f.CollectionResumed: "collection",
}
"""What a fact is about: it is news when something else was said of that last. By default: its own words."""


def _each(facts: Iterable[f.Fact]) -> Iterator[f.Fact]:
    """The facts, with each payment by itself."""
    for fact in facts:
        yield from fact.paid if isinstance(fact, f.PaymentsDescribed) else (fact,)


class Teller:
    """Says of each fact only what is news: providers repeat in every event how everything stands."""

    def __init__(self) -> None:
        self._said = {"cancellation": _NOT_ENDING, "collection": _BILLING, "end": _NO_END}
        self._customer: dict[str, str] = {}

    def news(self, facts: Iterable[f.Fact]) -> list[str]:
        """What those facts add to the ones told before, in order."""
        return [words for fact in _each(facts) if (words := self._news(fact))]

    def _news(self, fact: f.Fact) -> str | None:
        if isinstance(fact, f.CustomerDescribed):
            return self._customer_news(fact)
        say = _FACTS.get(type(fact))
        words = say(fact) if say else ""
        about = f"invoice {fact.invoice}" if isinstance(fact, f.PeriodPaid) else _ABOUT.get(type(fact), words)
        if isinstance(fact, OperatorActed):
            return words  # each is news, whatever was decided before
        if not words or self._said.get(about) == words:
            return None
        self._said[about] = words
        return words

    def _customer_news(self, fact: f.CustomerDescribed) -> str | None:
        names = [name for name in fact.__struct_fields__ if name != "as_billed"]
        told = {name: value for name in names if (value := getattr(fact, name))}
        if fact.as_billed:
            told = {name: value for name, value in told.items() if name not in self._customer}
        changed = [name for name, value in told.items() if self._customer.get(name, value) != value]
        self._customer.update(told)
        return f"the customer's {' and '.join(changed)} changed" if changed else None


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


_PLAIN = {"True": "on", "False": "off", "None": "none"}


def _value(value: r.Value) -> str:
    return _PLAIN.get(str(value), str(value))


def _person(role: str) -> Callable[[str, r.Value], str]:
    # Nobody's address: a timeline is shown to many.
    return lambda _, value: f"a {role} {'added' if value else 'removed'}"


_NAMED: dict[str, Callable[[str, r.Value], str]] = {
    "feature": lambda code, value: f"feature {code} {_value(value)}",
    "custom_field": lambda name, value: f"custom field {name} {_value(value)}",
    "user": _person("user"),
    "activations": lambda _, value: f"activations of a user {_value(value)}",
    "manager": _person("manager"),
}
"""Fields that stand for one of several, recorded as `{kind}:{which}`."""


def _field(name: str, value: r.Value) -> str:
    kind, colon, which = name.partition(":")
    return _NAMED[kind](which, value) if colon and kind in _NAMED else f"{name} {_value(value)}"


def _changed(fields: r.Fields) -> str:
    return ", ".join(_field(name, value) for name, value in sorted(fields.items()))


def _license_changed(receipt: r.LicenseChanged) -> str:
    beside = [fields for fields in receipt.companions.values() if fields]
    license_ = "license" if receipt.fields or not beside else "accompanying license"
    match receipt.fields or next(iter(beside), {}):
        case {r.THERE: False}:
            return f"{license_} not found at {receipt.target}"
        case {"enabled": True}:
            return f"{license_} enabled at {receipt.target}"
        case {"enabled": False}:
            return f"{license_} disabled at {receipt.target}"
        case {"devices_freed": True}:
            return f"devices of the {license_} freed at {receipt.target}"
        case {"consumption_counted": _}:
            return f"consumption of the {license_} starts again from 0 at {receipt.target}"
        case fields:
            return f"{license_} set at {receipt.target}: {_changed(fields)}"


def _minted(receipt: r.KeysMinted) -> str:
    if receipt.user_based:
        return f"{_many(len(receipt.keys), 'license')} without key prepared at {receipt.target}: licensed by user"
    return f"{_many(len(receipt.keys), 'key')} chosen at {receipt.target}"


def _created(receipt: r.OrderCreated) -> str:
    beside = sum(len(companions) for companions in receipt.companions.values())
    bundled = f", and {beside} of the bundle" if beside else ""
    return f"{_many(len(receipt.licenses), 'license')} created at {receipt.target}{bundled}"


def _customer_changed(receipt: r.CustomerChanged) -> str:
    if receipt.fields.get(r.THERE) is False:
        return f"customer not found at {receipt.target}"
    done = "updated"
    if receipt.fields.get(r.THERE):
        done = "created" if receipt.licenses and not receipt.found else "found"
    names = ", ".join(sorted(receipt.fields.keys() - {r.THERE}))
    return f"customer {done} at {receipt.target}{f' ({names})' if names else ''}"


_RECEIPTS: dict[type[r.Receipt], Callable[[Any], str]] = {
    r.KeysMinted: _minted,
    r.KeysClaimed: lambda it: f"places of {_many(len(it.licenses), 'license')} among the keys of {it.product}",
    r.KeysGenerated: lambda it: f"{_many(len(it.keys), 'key')} for the license generator ({it.product})",
    r.OrderCreated: _created,
    r.OrderMissing: lambda it: f"{it.target} does not have the order; nothing was created",
    r.LicenseChanged: _license_changed,
    r.OrderChanged: lambda it: f"order set at {it.target}: {_changed(it.fields)}",
    r.CatalogRead: lambda it: f"catalog of {it.target} read: {it.product} has {_many(len(it.entries), 'template')}",
    r.CustomerChanged: _customer_changed,
    # Without a status it is not the server that refused.
    r.PushRefused: lambda it: f"{it.target} {'cannot' if it.status is None else 'refused to'} {it.call}: {it.text}",
    r.PushRetried: lambda it: f"{it.author or 'an operator'} asked {it.target} again{it.reason and f': {it.reason}'}",
}


def say_receipt(receipt: r.AnyReceipt) -> str:
    """The receipt in a few words."""
    return _RECEIPTS[type(receipt)](receipt)
