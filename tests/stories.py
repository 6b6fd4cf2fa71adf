"""Stories told in facts: given what happened, when something more does, then the subscription and its licenses.

A provider of the tests' own carries facts as they are, so that a domain test reads in Tenure's vocabulary:

    story = given(happened(JANUARY, described(line()), activated(), paid("in_1", JANUARY, FEBRUARY)))
    assert story.when(happened(FEBRUARY, f.SubscriptionTerminated())).license().enabled is False
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property, reduce
from operator import or_
from typing import Any

import msgspec

from domain import facts as f
from domain.acts import AnyDeed, OperatorActed, write_body
from domain.acts import type_of as type_of_deed
from domain.arrangement import arrange
from domain.events import Event, Origin, partition_of, stream_of
from domain.history import Fold, Told, refold, tell
from domain.licensing import Entitlement, License, entitle
from domain.policy import Policy
from domain.providers import Provider, Unpacked, Untranslatable
from domain.receipts import AnyReceipt, type_of
from domain.subscription import Subscription
from domain.timers import Timer, due_timers

STREAM = stream_of("acme", "subscription", "sub_1")
PURCHASE = stream_of("acme", "purchase", "cs_1")
TERMS = {"product_short_code": "APP", "max_activations": "3"}


def utc(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


JANUARY, FEBRUARY, MARCH, APRIL = (utc(2026, month, 1) for month in (1, 2, 3, 4))
MID_JANUARY, LATE_JANUARY = utc(2026, 1, 15), utc(2026, 1, 20)

_any_fact: Any = reduce(or_, f.Fact.__subclasses__())
_facts: msgspec.json.Decoder[list[f.Fact]] = msgspec.json.Decoder(list[_any_fact])


def _translate(event: Event) -> Sequence[f.Fact]:
    try:
        return _facts.decode(event.body)
    except msgspec.MsgspecError as error:
        raise Untranslatable(str(error)) from None


def _settle(tied: Sequence[Event], earlier: Sequence[Event] = ()) -> Sequence[Event]:
    return sorted(tied, key=lambda each: each.event_id)


def _unpack(source: str, body: bytes, live: bool | None, received_at: datetime) -> list[Unpacked]:
    raise NotImplementedError("stories begin with events")


TELLER = Provider(name="teller", unpack=_unpack, translate=_translate, settle=_settle)
"""Translates a body of facts, as `happened` makes them; ties are settled by the event's id."""


def happened(at: datetime, *facts: f.Fact, named: str = "", stream: str = STREAM) -> Event:
    """One event that says these facts. Without a name its id follows from time and facts; ties go by the id."""
    return _event(at, "told", named, "webhook", msgspec.json.encode(facts), stream)


def muttered(at: datetime, *, named: str = "", stream: str = STREAM) -> Event:
    """An authentic event that cannot be understood."""
    return _event(at, "muttered", named, "webhook", b'"?"', stream)


def answered(at: datetime, receipt: AnyReceipt, *, named: str = "", stream: str = STREAM) -> Event:
    """What a target answered."""
    return _event(at, type_of(receipt), named, "receipt", msgspec.json.encode(receipt), stream)


def acted(
    at: datetime,
    deed: AnyDeed,
    *,
    named: str = "",
    author: str = "ada",
    reason: str = "asked on the phone",
    expires: datetime | None = None,
    stream: str = STREAM,
) -> Event:
    """What an operator decided."""
    fact = OperatorActed(author=author, reason=reason, deed=deed, expires=expires)
    return _event(at, type_of_deed(deed), named, "operator", write_body(fact), stream)


def rang(timer: Timer, *, stream: str = STREAM) -> Event:
    """What a timer was set for came to pass."""
    return _event(timer.at, timer.type, timer.event_id, "timer", timer.body, stream)


def _event(at: datetime, kind: str, named: str, origin: Origin, body: bytes, stream: str) -> Event:
    digest = hashlib.sha256(body).digest()
    return Event(
        stream=stream_of(*stream.split("/", 2)),
        event_id=named or f"{at:%y%m%d-%H%M}-{digest.hex()[:8]}",
        type=kind,
        origin=origin,
        occurred_at=at,
        received_at=at,
        recorded_at=at,
        body=body,
        digest=digest,
        partition=partition_of(stream_of(*stream.split("/", 2))),
        position=0,
    )


def recorded(events: Iterable[Event]) -> list[Event]:
    """The events with positions in the order given: the order in which the store took them."""
    return [msgspec.structs.replace(event, position=position) for position, event in enumerate(events, 1)]


class Story:
    """What follows from events that were recorded in the order given."""

    def __init__(self, events: Iterable[Event], policy: Policy) -> None:
        self.events = recorded(events)
        self.policy = policy

    def when(self, *events: Event) -> "Story":
        """The story with more events, recorded later; they may have occurred earlier."""
        return Story([*self.events, *events], self.policy)

    def under(self, policy: Policy) -> "Story":
        return Story(self.events, policy)

    @cached_property
    def fold(self) -> Fold:
        return refold(self.events, TELLER)

    @property
    def subscription(self) -> Subscription:
        return self.fold.subscription

    @cached_property
    def told(self) -> list[Told]:
        """Each event in the provider's order, with what it did."""
        return list(tell(arrange(self.events, _settle), TELLER, Subscription()))

    @property
    def anomalies(self) -> list[str]:
        return [anomaly for told in self.told if told.step for anomaly in told.step.anomalies]

    @cached_property
    def entitlement(self) -> Entitlement:
        return entitle(self.events[0].stream, self.subscription, self.policy)

    @property
    def licenses(self) -> tuple[License, ...]:
        return self.entitlement.licenses

    @property
    def timers(self) -> tuple[Timer, ...]:
        """What is still to ring."""
        return due_timers(self.events[0].stream, self.subscription, [self.policy])

    def at(self, now: datetime) -> "Story":
        """The story when everything that was due by then has rung."""
        due = [rang(timer, stream=self.events[0].stream) for timer in self.timers if timer.at <= now]
        return self.when(*due).at(now) if due else self

    @property
    def enabled(self) -> list[License]:
        return [each for each in self.licenses if each.enabled]

    def license(self) -> License:
        """The only license there is."""
        (only,) = self.licenses
        return only


def given(*events: Event, policy: Policy = Policy()) -> Story:  # noqa: B008 - frozen
    return Story(events, policy)


# --- facts with what does not matter filled in --------------------------------------------------------------


def line(
    id: str = "si_1",  # noqa: A002 - the field's name
    quantity: int = 1,
    start: datetime | None = None,
    end: datetime | None = None,
    **more: Any,
) -> f.Line:
    """A line of the product APP; `attributes` replaces its terms."""
    known = {"product": "prod_app", "price": "price_app", "attributes": TERMS}
    return f.Line(id=id, quantity=quantity, period_start=start, period_end=end, **{**known, **more})


def described(*lines: f.Line, complete: bool = True) -> f.LinesDescribed:
    return f.LinesDescribed(lines=lines, complete=complete)


def attributed(quantity: int = 1, /, **attributes: str) -> f.LinesDescribed:
    """The only line, with these attributes beside its product's code."""
    return described(line(quantity=quantity, attributes={"short_code": "APP", **attributes}))


def activated() -> f.SubscriptionActivated:
    return f.SubscriptionActivated()


def period(start: datetime, end: datetime, line: str = "si_1", *, proration: bool = False) -> f.PaidPeriod:
    return f.PaidPeriod(line=line, start=start, end=end, proration=proration)


def paid(invoice: str, *periods: f.PaidPeriod, amount: int = 1000) -> f.PeriodPaid:
    return f.PeriodPaid(invoice=invoice, periods=periods, amount=amount, currency="eur")


def linked(payment: str, invoice: str) -> f.PaymentLinked:
    return f.PaymentLinked(payment=payment, invoice=invoice)


def refunded(payment: str, back: int, amount: int = 1000, invoice: str = "") -> f.PaymentRefunded:
    return f.PaymentRefunded(payment=payment, amount=amount, refunded=back, currency="eur", invoice=invoice)


def disputed(dispute: str, payment: str) -> f.DisputeOpened:
    return f.DisputeOpened(dispute=dispute, payment=payment, amount=1000, currency="eur")


def dispute_closed(dispute: str, payment: str, outcome: f.DisputeOutcome) -> f.DisputeClosed:
    return f.DisputeClosed(dispute=dispute, payment=payment, outcome=outcome)


def bought(*lines: f.Line, is_paid: bool = True) -> tuple[f.Fact, ...]:
    """A one-time purchase of these lines."""
    return (described(*lines), f.PurchaseCompleted(paid=is_paid))


SUBSCRIBED = happened(
    JANUARY, f.SubscriptionBegan(), described(line(start=JANUARY, end=FEBRUARY)), activated(), named="created"
)
"""A monthly subscription of one unit, active from the start of January; nothing is paid yet."""
PAID_JANUARY = happened(JANUARY, paid("in_1", period(JANUARY, FEBRUARY)), linked("pi_1", "in_1"), named="paid-january")
PAID_FEBRUARY = happened(FEBRUARY, paid("in_2", period(FEBRUARY, MARCH)), linked("pi_2", "in_2"), named="paid-february")


# --- licenses -----------------------------------------------------------------------------------------------


def paying(*later: f.Fact, at: datetime = MID_JANUARY, **policy: Any) -> Story:
    """A subscription whose January is paid, to which these facts happen in the middle of January."""
    story = given(SUBSCRIBED, PAID_JANUARY, policy=Policy(**policy))
    return story.when(happened(at, *later, named="later")) if later else story


def sold_with(quantity: int = 1, /, **attributes: str) -> License:
    """The only license of a line with these attributes, in which nothing is wrong."""
    story = given(happened(JANUARY, attributed(quantity, **attributes), activated(), named="sold"))
    assert story.entitlement.problems == ()
    return story.license()


def because(granted: License, field: str) -> tuple[str, str]:
    """The rule and the name of the event."""
    why = granted.because[field]
    return why.rule, why.event.event_id if why.event else ""
