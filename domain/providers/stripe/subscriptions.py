"""What a snapshot of a Stripe subscription says."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from domain import facts as f
from domain.providers.stripe.shapes import (
    Count,
    Page,
    Price,
    Ref,
    Seconds,
    Text,
    id_of,
    instant,
    instant_or_none,
    named,
)

FINAL_STATUSES = frozenset({"canceled", "incomplete_expired"})
"""A subscription that has one of these never leaves it; a new purchase has a new id."""


class Period(Struct, frozen=True):
    current_period_start: Seconds | None = None
    current_period_end: Seconds | None = None


class Item(Period, frozen=True, kw_only=True):
    """One line of a subscription. `quantity` is null for metered prices."""

    id: Text
    price: Price
    quantity: Count | None = None


class CancellationDetails(Struct, frozen=True):
    reason: Text | None = None


class PauseCollection(Struct, frozen=True):
    behavior: Text | None = None
    resumes_at: Seconds | None = None


class Subscription(Struct, frozen=True):
    """Its own current period is acacia's; from basil on each item has one, and they may differ."""

    id: Text
    status: Text
    items: Page[Item]
    customer: Ref = None
    customer_account: Ref = None
    collection_method: Text | None = None
    days_until_due: Count | None = None
    trial_end: Seconds | None = None
    cancel_at: Seconds | None = None
    cancel_at_period_end: bool | None = None
    cancellation_details: CancellationDetails | None = None
    pause_collection: PauseCollection | None = None
    current_period_start: Seconds | None = None
    current_period_end: Seconds | None = None

    @property
    def cancellation_reason(self) -> str:
        return (self.cancellation_details.reason if self.cancellation_details else None) or ""


def snapshot(subscription: Subscription) -> list[f.Fact]:
    """All that one rendering of a subscription says. Raises ValueError on a status that is not known."""
    standing = STANDINGS.get(subscription.status)
    if standing is None:
        raise ValueError(f"Unknown status {subscription.status[:40]!r} - at `$.data.object.status`")
    return _described(subscription, standing(subscription))


def created(subscription: Subscription) -> list[f.Fact]:
    return [f.SubscriptionBegan(), *snapshot(subscription)]


def deleted(subscription: Subscription) -> list[f.Fact]:
    """A deleted subscription is over, whatever status it was rendered with."""
    return _described(subscription, _terminated(subscription))


def trial_will_end(subscription: Subscription) -> list[f.Fact]:
    ends = subscription.trial_end
    announced = [] if ends is None else [f.TrialEndAnnounced(at=instant(ends))]
    return [*snapshot(subscription), *announced]


def _described(subscription: Subscription, standing: f.Fact) -> list[f.Fact]:
    return [
        *_customer(subscription),
        _lines(subscription),
        _collection_terms(subscription),
        standing,
        _cancellation(subscription),
        _collection(subscription),
    ]


def _customer(subscription: Subscription) -> list[f.Fact]:
    customer = id_of(subscription.customer)
    if customer:
        return [f.StreamsLinked(streams=(f"customer/{customer}",)), f.CustomerDescribed(reference=customer)]
    account = id_of(subscription.customer_account)
    return [f.CustomerDescribed(reference=account)] if account else []


def _lines(subscription: Subscription) -> f.LinesDescribed:
    own = Period(subscription.current_period_start, subscription.current_period_end)
    lines = tuple(_line(item, own) for item in subscription.items.data)
    rest = f"subscription_items?subscription={named(subscription.id)}" if subscription.items.has_more else ""
    return f.LinesDescribed(lines=lines, complete=not rest, rest_from=rest)


def all_items(items: Sequence[Item]) -> f.LinesDescribed:
    """The lines of a subscription, given all its items as basil or a newer version renders them."""
    return f.LinesDescribed(lines=tuple(_line(item, Period()) for item in items))


def _line(item: Item, of_subscription: Period) -> f.Line:
    period = of_subscription if item.current_period_end is None else item
    return f.Line(
        id=item.id,
        product=id_of(item.price.product),
        price=item.price.id,
        quantity=1 if item.quantity is None else item.quantity,
        attributes=item.price.metadata or {},
        in_arrears=item.price.is_metered,
        period_start=instant_or_none(period.current_period_start),
        period_end=instant_or_none(period.current_period_end),
    )


def _collection_terms(subscription: Subscription) -> f.CollectionTermsDescribed:
    sends_invoices = subscription.collection_method == "send_invoice"
    return f.CollectionTermsDescribed(days_until_due=subscription.days_until_due if sends_invoices else None)


def _cancellation(subscription: Subscription) -> f.Fact:
    ends = subscription.cancel_at
    if ends is None and subscription.cancel_at_period_end:
        ends = _last_period_end(subscription)
        if ends is None:
            return f.Noted(about="will end with a period that the event does not name")
    if ends is None:
        return f.CancellationWithdrawn()
    return f.CancellationScheduled(at=instant(ends), reason=subscription.cancellation_reason)


def _last_period_end(subscription: Subscription) -> int | None:
    ends = (subscription.current_period_end, *(item.current_period_end for item in subscription.items.data))
    return max((end for end in ends if end is not None), default=None)


def _collection(subscription: Subscription) -> f.Fact:
    pause = subscription.pause_collection
    if pause is None:
        return f.CollectionResumed()
    return f.CollectionPaused(until=instant_or_none(pause.resumes_at), behavior=pause.behavior or "")


def _terminated(subscription: Subscription) -> f.Fact:
    unpaid = "incomplete_expired" if subscription.status == "incomplete_expired" else ""
    return f.SubscriptionTerminated(reason=subscription.cancellation_reason or unpaid)


STANDINGS: dict[str, Callable[[Subscription], f.Fact]] = {
    "incomplete": lambda _: f.SubscriptionOpened(),
    "trialing": lambda subscription: f.TrialStarted(until=instant_or_none(subscription.trial_end)),
    "active": lambda _: f.SubscriptionActivated(),
    "past_due": lambda _: f.PaymentFellOverdue(),
    "unpaid": lambda _: f.SubscriptionSuspended(reason="unpaid"),
    "paused": lambda _: f.SubscriptionSuspended(reason="paused"),
    **dict.fromkeys(FINAL_STATUSES, _terminated),
}
"""What each `status` means."""
