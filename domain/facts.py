"""What events say, in Tenure's own vocabulary, whoever the provider is.

A provider module turns one event into a list of facts; the subscription is the fold of them. Money is in the
currency's smallest unit. A fact carries no time of its own: the event it stands in does.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """One thing that happened to a subscription or purchase."""


# --- what moves the state machine ---------------------------------------------------------------------------


class SubscriptionBegan(Fact, frozen=True, kw_only=True):
    """The provider tells of the subscription's very beginning: nothing of it happened before.

    `at`: when that was, where it is told later and with its date.
    """

    at: datetime | None = None


class SubscriptionOpened(Fact, frozen=True, kw_only=True):
    """The subscription exists, its first payment is still open."""


class TrialStarted(Fact, frozen=True, kw_only=True):
    """The provider counts the subscription as in trial.

    `reopens` and `key` as for SubscriptionActivated. `ends_with_a_charge`: what says so goes by the calendar, so that
    once more than the beginning was paid it says no more than that all is well.
    """

    until: datetime | None = None
    reopens: bool = False
    key: str = ""
    ends_with_a_charge: bool = False


class SubscriptionActivated(Fact, frozen=True, kw_only=True):
    """The provider counts the subscription as in good standing.

    `reopens`: said by an event that may bring a terminated subscription back. `key` tells such events apart by what
    they say: one that says what an earlier one said (sent again by hand, under a new id) changes nothing.
    """

    reopens: bool = False
    key: str = ""
    since: datetime | None = None
    """From when on, where that is told later and with its date; None: from the event on."""


class PaymentFellOverdue(Fact, frozen=True, kw_only=True):
    """The provider counts the subscription as past due and goes on trying to collect; `since` as above.

    Told again since another day, it is another debt.
    """

    since: datetime | None = None


class SubscriptionSuspended(Fact, frozen=True, kw_only=True):
    """The provider stopped the service without ending the subscription (`unpaid`, `paused`, …); `since` as above."""

    reason: str
    since: datetime | None = None


class SubscriptionTerminated(Fact, frozen=True, kw_only=True):
    """The subscription is over for good."""

    reason: str = ""


class SubscriptionReactivated(Fact, frozen=True, kw_only=True):
    """A terminated subscription was brought back, for providers that can."""


class GraceEnded(Fact, frozen=True, kw_only=True):
    """Tenure's own: what the policy grants to a subscription that is past due since then is over.

    `days` is what was granted to lines of that policy, None when it was as long as the provider tried to collect;
    `last` when no line is granted more.
    """

    since: datetime
    days: int | None = None
    last: bool = True


class TimePassed(Fact, frozen=True, kw_only=True):
    """Tenure's own: it is later than the instant to which a license reached, as far as was known then."""

    instant: datetime


# --- what was bought, by whom -------------------------------------------------------------------------------


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a subscription or purchase as the provider last described it.

    `attributes` are the license attributes the vendor set in the provider's catalog, as they were at that moment.
    `period_start`/`period_end` is the period the provider counts as current, paid or not.
    """

    id: str
    product: str
    price: str
    quantity: int
    attributes: dict[str, str] = {}
    recurring: bool = True
    described: bool = True
    """False when the payload names the price alone: its attributes have to be read back."""
    in_arrears: bool = False
    """True when a period is billed after it ended, as metered prices are."""
    period_start: datetime | None = None
    period_end: datetime | None = None


class LinesDescribed(Fact, frozen=True, kw_only=True):
    """The complete list of lines; a line that is missing was removed."""

    lines: tuple[Line, ...]
    complete: bool = True
    """False when the provider said that it sent only the first page: then nothing counts as removed."""
    rest_from: str = ""
    """What has to be read back to know the lines that are missing here."""


class CustomerDescribed(Fact, frozen=True, kw_only=True):
    """Who bought; an empty field says nothing about the earlier value.

    `as_billed`: as it stood when a bill was written, which may be long ago; it only fills what is not known.
    """

    reference: str = ""
    email: str = ""
    name: str = ""
    company: str = ""
    as_billed: bool = False


class PriceDescribed(Fact, frozen=True, kw_only=True):
    """What the catalog says of a price or product, for the lines whose payload only named it."""

    price: str
    product: str
    attributes: dict[str, str]


class NamedUser(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody who is to use a license, by e-mail address."""

    email: str
    name: str = ""


class UsersNamed(Fact, frozen=True, kw_only=True):
    """The complete list of those who are to use what was bought, where the order names others than the buyer."""

    users: tuple[NamedUser, ...]


class FulfillmentNamed(Fact, frozen=True, kw_only=True):
    """The provider may ask, or have asked, for keys of this purchase under that reference (license generator)."""

    reference: str


class CollectionTermsDescribed(Fact, frozen=True, kw_only=True):
    """How the provider collects: by charging (`days_until_due` None) or by sending invoices due after days."""

    days_until_due: int | None = None


class PurchaseCompleted(Fact, frozen=True, kw_only=True):
    """A one-time purchase was made; `paid` is false while a delayed payment is under way.

    `lines_from` names what has to be read back to know what was bought; empty when the payload says it.
    """

    paid: bool
    lines_from: str = ""


class PurchaseFailed(Fact, frozen=True, kw_only=True):
    """The delayed payment of a one-time purchase failed."""


class TestDescribed(Fact, frozen=True, kw_only=True):
    """Whether all that was paid was paid in the provider's test environment; None while nothing tells.

    For providers whose deliveries do not say of which mode they are. What is only named counts as paid for real.
    """

    test: bool | None


class PurchaseBecameSubscriptions(Fact, frozen=True, kw_only=True):
    """All that was ordered is subscriptions, which have streams of their own: nothing is left to wait for here."""


# --- money --------------------------------------------------------------------------------------------------


class PaidPeriod(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """The period one invoice pays for on one line."""

    line: str
    start: datetime
    end: datetime
    proration: bool = False
    quantity: int | None = None


class PeriodPaid(Fact, frozen=True, kw_only=True):
    """An invoice was paid. Counted once per invoice, however many events say so."""

    invoice: str
    periods: tuple[PaidPeriod, ...]
    amount: int
    currency: str
    first: bool = False
    """True for the first payment, which other events may tell of without a name (`invoice` empty)."""
    reason: str = ""
    """The provider's word for why it was billed (Stripe's `billing_reason`)."""
    at: datetime | None = None
    """When it was paid, where that is told later and with its date."""


class PaymentFailed(Fact, frozen=True, kw_only=True):
    invoice: str
    attempt: int
    next_attempt: datetime | None = None
    """None: the provider does not say, or plans none."""
    final: bool = False
    """True when the provider said that it will not try again by itself."""


class PaymentActionRequired(Fact, frozen=True, kw_only=True):
    """The customer has to act (3-D Secure or similar) before the invoice can be paid."""

    invoice: str


class PaymentLinked(Fact, frozen=True, kw_only=True):
    """This payment paid this invoice, which is how refunds and disputes find their subscription.

    An empty `invoice` is the first payment's, while nothing names it otherwise.
    """

    payment: str
    invoice: str


class PaymentsDescribed(Fact, frozen=True, kw_only=True):
    """The complete list of what was paid, and by which payments; what is missing here was not paid after all."""

    paid: tuple[PeriodPaid, ...]
    links: tuple[PaymentLinked, ...] = ()


class GivenBack(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing of what was bought: so many units of it were taken back, or none and only the amount was given."""

    product: str
    quantity: int
    amount: int = 0


class PaymentRefunded(Fact, frozen=True, kw_only=True):
    """Money went back. `refunded` is the cumulative amount, so swapped or repeated refunds agree.

    `part` names one of several returns that add up, for providers that tell each by itself: then `refunded` is the
    amount of that one. `items` is what it was for in this stream, nothing if it was for something else of the same
    payment; None where that is not told. An `amount` of 0 is not known.
    """

    payment: str
    amount: int
    refunded: int
    currency: str
    invoice: str = ""
    part: str = ""
    items: tuple[GivenBack, ...] | None = None


class DisputeOutcome(StrEnum):
    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


class DisputeOpened(Fact, frozen=True, kw_only=True):
    dispute: str
    payment: str
    amount: int
    currency: str
    reason: str = ""


class DisputeClosed(Fact, frozen=True, kw_only=True):
    dispute: str
    payment: str
    outcome: DisputeOutcome


# --- attributes of the subscription that are not states -----------------------------------------------------


class CancellationScheduled(Fact, frozen=True, kw_only=True):
    """The subscription will end at that time unless the customer changes their mind."""

    at: datetime
    reason: str = ""


class CancellationWithdrawn(Fact, frozen=True, kw_only=True):
    """No end is planned (any more)."""


class FixedEndDescribed(Fact, frozen=True, kw_only=True):
    """The day after which the subscription is over by its terms, None when it has none; noted on the license."""

    at: datetime | None


class CollectionPaused(Fact, frozen=True, kw_only=True):
    """Bills are withheld; the subscription's status does not change."""

    until: datetime | None = None
    behavior: str = ""


class CollectionResumed(Fact, frozen=True, kw_only=True):
    """Bills are no longer withheld."""


class TrialEndAnnounced(Fact, frozen=True, kw_only=True):
    at: datetime


class Shown(Fact, frozen=True, kw_only=True):
    """The event shows an object as it stands in that version: shown a second time, nothing it says is news."""

    key: str


class ChangeAnnounced(Fact, frozen=True, kw_only=True):
    """The provider says that something changed, and no more: what it is has to be read back.

    `identified`: what changed is known to be a subscription, though nothing of it may have been read yet.
    """

    identified: bool = False


class VersionShown(Fact, frozen=True, kw_only=True):
    """The event shows `of` in that version, or the last of several such things, `number` telling which that is.

    An event counts for nothing if any of its versions is older than the one shown before.
    """

    of: str
    version: int
    number: int = 0


class Noted(Fact, frozen=True, kw_only=True):
    """An authentic event that changes nothing Tenure derives; kept and shown."""

    about: str = ""


class PartsLeftOut(Fact, frozen=True, kw_only=True):
    """These places of the event could not be read, and no license depends on them: what else it says counts."""

    places: tuple[str, ...]


class AnswerRead(Fact, frozen=True, kw_only=True):
    """The provider's API was asked about that (see `domain/readback.py`); `found` is false when it knows of none."""

    about: str
    found: bool = True


class StreamsLinked(Fact, frozen=True, kw_only=True):
    """Whatever stands in those streams (same source) belongs to this one too and is to be relayed here."""

    streams: tuple[str, ...]
    """Each `{kind}/{provider's id}`."""
