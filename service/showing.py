"""One subscription or one license in full, as it stands or as it stood, for the API and the command line alike."""

from datetime import datetime

import msgspec

from domain.facts import Line
from domain.past import PRESENT, Past
from projections.queries import LicenseView, StreamView
from projections.sources import source_for
from service.lookup import Found, NotFound, Reader, find_subscription, find_then, licenses_of


class SubscriptionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription or purchase with what was derived from its events. Times are UTC, the provider's clock.

    `as_of` and `known_at` are null in the present.
    """

    as_of: datetime | None = None
    known_at: datetime | None = None

    summary: StreamView
    through: str | None
    """What was asked for, where that only led to this one: an order, an invoice, a payment."""
    waiting: list[str]
    """What has to be fetched before licenses can be derived; empty when nothing has."""
    state_since: datetime | None
    state_reason: str
    trial_end: datetime | None
    cancel_at: datetime | None
    collection_paused: bool
    lines: list[Line]
    licenses: list[LicenseView]


async def show(reader: Reader, found: Found, past: Past = PRESENT) -> SubscriptionDetail:
    """Raises NotFound and TooLong."""
    if past.is_present:
        view, fold = await find_subscription(reader, found.stream)
        licenses = await licenses_of(reader, view.stream)
    else:
        then = await find_then(reader, found.stream, past)
        view, fold, licenses = then.view, then.fold, list(then.licenses)
    subscription = fold.subscription
    return SubscriptionDetail(
        as_of=past.as_of,
        known_at=past.known_at,
        summary=view,
        through=found.through,
        waiting=[
            want.why for want in source_for(reader.sources, view.stream).provider.wants(view.stream, subscription)
        ],
        state_since=subscription.state_since.at if subscription.state_since else None,
        state_reason=subscription.state_reason,
        trial_end=subscription.trial_end,
        cancel_at=subscription.cancel_at,
        collection_paused=subscription.collection_paused,
        lines=[held.line for held in subscription.lines.values()],
        licenses=licenses,
    )


async def show_licenses(reader: Reader, found: list[LicenseView], past: Past) -> list[LicenseView]:
    """The same licenses as they stood. Raises NotFound where there was none of them, and TooLong."""
    if past.is_present or not found:
        return found
    then = await find_then(reader, found[0].stream, past)
    meant = {(view.id, view.target) for view in found}
    stood = [view for view in then.licenses if (view.id, view.target) in meant]
    if not stood:
        raise NotFound(f"There was no license {found[0].id} then; its subscription was {then.view.state}.")
    return stood
