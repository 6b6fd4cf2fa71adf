"""What an answer of FastSpring's API says.

It holds the object itself, or a list of objects under the name of their kind; one that is not found is an object with
`result` "error". What was read of a subscription counts like an event that shows it as it stood then.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import unquote

from msgspec import Raw, Struct
from msgspec.json import Decoder

from domain import facts as f
from domain.currencies import in_smallest_unit
from domain.events import Event
from domain.providers import Untranslatable
from domain.providers.fastspring import orders, people, subscriptions
from domain.providers.fastspring.lines import MAIN
from domain.providers.fastspring.order_shapes import Order
from domain.providers.fastspring.periods import current_period, moved
from domain.providers.fastspring.shapes import Account, Product, texts
from domain.providers.fastspring.subscription_shapes import Subscription
from domain.providers.fastspring.wants import AGAIN, CHARGE
from domain.providers.reading import Reader
from domain.readback import TYPE, read_answer

T = TypeVar("T")
Tell = Callable[[T, Event, str], list[f.Fact]]
"""What was read, the event that holds it, and what was asked behind the kind: an id, and what for."""
Read = Callable[[Raw, Event, str], list[f.Fact]]


_A_MOMENT = timedelta(seconds=1)


class _Outcome(Struct, frozen=True):
    result: str | None = None


def translate_answer(event: Event) -> Sequence[f.Fact]:
    """The facts of a read-back event, `AnswerRead` first. Raises Untranslatable, naming type and place in a page."""
    try:
        answer = read_answer(event)
        kind, _, asked = answer.about.partition("/")
        found = [one for page in answer.pages for one in _objects(page, kind) if _OUTCOME.decode(one).result != "error"]
        if not found:
            return [f.AnswerRead(about=answer.about, found=False)]
        read = _BY_KIND.get(kind, _nothing)
        return [f.AnswerRead(about=answer.about), *(fact for one in found for fact in read(one, event, asked))]
    except (ValueError, RecursionError) as error:
        raise Untranslatable(f"{event.type}: {error}") from None


def _objects(page: Raw, kind: str) -> list[Raw]:
    listed = _FIELDS.decode(page).get(kind)
    return [page] if listed is None else _LIST.decode(listed)


def _nothing(_one: Raw, _event: Event, _asked: str) -> list[f.Fact]:
    return []


def _reads(decoder: Reader[T], tell: Tell[T]) -> Read:
    return lambda one, event, asked: tell(decoder.decode(one), event, asked)


def _product(product: Product, event: Event, asked: str) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    path = product.product or unquote(asked)
    return [f.PriceDescribed(price=path, product=path, attributes=texts(product.attributes or {}))]


def _subscription(subscription: Subscription, event: Event, asked: str) -> list[f.Fact]:
    charge = unquote(asked.partition(CHARGE)[2].partition(AGAIN)[0])
    paid = [_charge_paid(subscription, charge, event.occurred_at)] if charge else []
    return [*paid, *subscriptions.snapshot(subscription, event)]


def _charge_paid(subscription: Subscription, charge: str, at: datetime) -> f.PeriodPaid:
    """What a charge paid that came without webhook expansion: the period that runs since.

    While the subscription still shows how it was before the charge, that is taken for one interval from there, under a
    name of its own and from a moment earlier, so that a later answer counts instead.
    """
    currency = subscription.currency or ""
    starts, ends = current_period(subscription)
    if ends is not None and ends <= at:
        next_ends = moved(ends, subscription.interval)
        assumed = (f.PaidPeriod(line=MAIN, start=ends - _A_MOMENT, end=next_ends),) if next_ends > ends else ()
        return f.PeriodPaid(invoice=f"assumed:{charge}", periods=assumed, amount=0, currency=currency)
    amount = 0 if subscription.subtotal is None else in_smallest_unit(subscription.subtotal, currency)
    periods = (f.PaidPeriod(line=MAIN, start=starts, end=ends),) if starts and ends else ()
    return f.PeriodPaid(invoice=charge, periods=periods, amount=amount, currency=currency)


def _account(account: Account, event: Event, asked: str) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    return people.account_changed(account, event)


def _order(order: Order, event: Event, asked: str) -> list[f.Fact]:  # noqa: ARG001 - one of a table's functions
    return orders.completed(order, event)


_OUTCOME = Decoder(_Outcome)
_FIELDS = Decoder(dict[str, Raw])
_LIST = Decoder(list[Raw])

_BY_KIND: dict[str, Read] = {
    "products": _reads(Reader(Product), _product),
    "subscriptions": _reads(Reader(Subscription), _subscription),
    "accounts": _reads(Reader(Account), _account),
    "orders": _reads(Reader(Order), _order),
}
"""By the first part of what was asked."""

ANSWERED_TYPES = frozenset(TYPE + kind for kind in _BY_KIND)
