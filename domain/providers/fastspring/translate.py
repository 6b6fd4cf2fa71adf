"""What FastSpring's events mean, by type."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from domain.events import Event, kind_of
from domain.facts import Fact, Noted
from domain.providers import Translate, Untranslatable
from domain.providers.fastspring import charges, orders, people, returns, subscriptions
from domain.providers.fastspring.answers import translate_answer
from domain.providers.fastspring.order_shapes import Order, Return
from domain.providers.fastspring.shapes import Account
from domain.providers.fastspring.subscription_shapes import Subscription
from domain.providers.item import part_of
from domain.providers.reading import Reader
from domain.readback import TYPE

T = TypeVar("T")


def translate(event: Event) -> Sequence[Fact]:
    """The facts of one event in its stream; `Noted` for every type that changes nothing Tenure derives.

    An order says something else in the stream of each of its subscriptions than in its own. Raises Untranslatable,
    naming the type and the place in the body, never a value that could be personal.
    """
    if kind_of(event.stream) == "wrong-mode":
        return [Noted(about="sent in the other mode, live or test, than this source is for")]
    if event.type.startswith(TYPE):
        return translate_answer(event)
    read = _BY_TYPE.get(event.type)
    return [Noted()] if read is None else read(event)


class Notification(Struct, Generic[T], frozen=True):
    """An event about an object of type T."""

    data: T


def _reads(decoder: Reader[Notification[T]], tell: Callable[[T, Event], list[Fact]]) -> Translate:
    def read(event: Event) -> Sequence[Fact]:
        try:
            return tell(decoder.decode(part_of(event.body, event.item)).data, event)
        except (ValueError, RecursionError) as error:
            # msgspec's errors are ValueErrors; their text names a place, not what stands there.
            raise Untranslatable(f"{event.type}: {error}") from None

    return read


_ORDER = Reader(Notification[Order])
_SUBSCRIPTION = Reader(Notification[Subscription])
_CHARGE = Reader(Notification[charges.Charge])
_FAILED_CHARGE = Reader(Notification[charges.FailedCharge])
_RETURN = Reader(Notification[Return])
_UNFULFILLED = Reader(Notification[returns.Unfulfilled])
_ACCOUNT = Reader(Notification[Account])

_BY_TYPE: dict[str, Translate] = {
    "order.completed": _reads(_ORDER, orders.completed),
    "order.payment.pending": _reads(_ORDER, orders.payment_pending),
    "order.approval.pending": _reads(_ORDER, orders.approval_pending),
    "order.failed": _reads(_ORDER, orders.failed),
    "order.canceled": _reads(_ORDER, orders.failed),
    "order.chargeback": _reads(_ORDER, orders.disputed),
    "return.created": _reads(_RETURN, returns.created),
    "fulfillment.failed": _reads(_UNFULFILLED, returns.unfulfilled),
    "subscription.activated": _reads(_SUBSCRIPTION, subscriptions.activated),
    "subscription.updated": _reads(_SUBSCRIPTION, subscriptions.snapshot),
    "subscription.canceled": _reads(_SUBSCRIPTION, subscriptions.snapshot),
    "subscription.uncanceled": _reads(_SUBSCRIPTION, subscriptions.snapshot),
    "subscription.deactivated": _reads(_SUBSCRIPTION, subscriptions.deactivated),
    "subscription.paused": _reads(_SUBSCRIPTION, subscriptions.paused),
    "subscription.resumed": _reads(_SUBSCRIPTION, subscriptions.resumed),
    "subscription.payment.reminder": _reads(_SUBSCRIPTION, subscriptions.payment_reminded),
    "subscription.payment.overdue": _reads(_SUBSCRIPTION, subscriptions.fell_overdue),
    "subscription.trial.reminder": _reads(_SUBSCRIPTION, subscriptions.trial_reminded),
    "subscription.charge.completed": _reads(_CHARGE, charges.completed),
    "subscription.charge.failed": _reads(_FAILED_CHARGE, charges.failed),
    "account.created": _reads(_ACCOUNT, people.account_changed),
    "account.updated": _reads(_ACCOUNT, people.account_changed),
}

TRANSLATED_TYPES = frozenset(_BY_TYPE)
"""The types that say more than a note: what a webhook has to be set up for."""
