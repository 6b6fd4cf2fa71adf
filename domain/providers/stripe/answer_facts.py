"""What an answer of Stripe's API says.

Answers are rendered in one version, `2026-01-28.clover`. They are read with the same shapes as events are.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from msgspec import Raw, Struct, structs

from domain import facts as f
from domain.events import Event, Stream, kind_of
from domain.providers import Untranslatable
from domain.providers.reading import Reader
from domain.providers.stripe import customers, invoices, subscriptions
from domain.providers.stripe.invoice_shapes import Invoice, InvoiceLine, InvoicePayment
from domain.providers.stripe.shapes import Count, Page, Price, Ref, Text, id_of
from domain.readback import TYPE, read_answer

T = TypeVar("T")
Tell = Callable[[T, Event], list[f.Fact] | None]
"""What was read, and the event that holds it; None where there is no such thing any more."""
Read = Callable[[Sequence[Raw], Event], list[f.Fact] | None]


class LineItem(Struct, frozen=True):
    """One line of a checkout session, with its whole price."""

    id: Text
    price: Price | None = None
    quantity: Count | None = None


class Visit(Struct, frozen=True):
    """A checkout session with its line items."""

    invoice: Ref = None
    line_items: Page[LineItem] | None = None


class Deletable(customers.Customer, frozen=True, kw_only=True):
    """A customer, or what is left of a deleted one."""

    deleted: bool = False


def translate_answer(event: Event) -> Sequence[f.Fact]:
    """The facts of a read-back event, `AnswerRead` first. Raises Untranslatable, naming type and place in a page."""
    try:
        answer = read_answer(event)
        read = _BY_TYPE.get(event.type, _nothing)
        said = read(answer.pages, event) if answer.pages else None
    except (ValueError, RecursionError) as error:
        raise Untranslatable(f"{event.type}: {error}") from None
    if said is None:
        return [f.AnswerRead(about=answer.about, found=False)]
    return [f.AnswerRead(about=answer.about), *_without_itself(said, event.stream)]


def _nothing(_pages: Sequence[Raw], _event: Event) -> list[f.Fact]:
    return []


def _without_itself(facts: Sequence[f.Fact], stream: Stream) -> Iterator[f.Fact]:
    """An answer stands in several streams: each is linked to the others only."""
    own = stream.split("/", 1)[1]
    for fact in facts:
        if isinstance(fact, f.StreamsLinked):
            others = tuple(link for link in fact.streams if link != own)
            if others:
                yield f.StreamsLinked(streams=others)
        else:
            yield fact


def _one(decoder: Reader[T], tell: Tell[T]) -> Read:
    return lambda pages, event: tell(decoder.decode(pages[0]), event)


def _all(decoder: Reader[Page[T]], tell: Tell[list[T]]) -> Read:
    return lambda pages, event: tell([each for page in pages for each in decoder.decode(page).data], event)


def _line_items(items: list[LineItem], event: Event) -> list[f.Fact]:
    if kind_of(event.stream) == "invoice":
        # A purchase that was invoiced consists of the invoice's lines; these are the same things again.
        return []
    lines = tuple(
        f.Line(
            id=item.id,
            product=id_of(item.price.product) if item.price else "",
            price=item.price.id if item.price else "",
            quantity=1 if item.quantity is None else item.quantity,
            attributes=(item.price.metadata or {}) if item.price else {},
            recurring=item.price is not None and item.price.recurring is not None,
        )
        for item in items
    )
    return [f.LinesDescribed(lines=lines)]


def _session(visit: Visit, event: Event) -> list[f.Fact] | None:
    """What was bought, unless an invoice was made, which tells it: both would be licensed."""
    if id_of(visit.invoice):
        return [f.PurchaseCompleted(paid=True), f.Noted(about="its invoice tells what was bought")]
    return None if visit.line_items is None else _line_items(visit.line_items.data, event)


def _invoice(invoice: Invoice, event: Event) -> list[f.Fact]:
    """One that is for a subscription only leads there: which of its periods are paid is another question."""
    if invoice.subscription_id:
        return [f.StreamsLinked(streams=(f"invoice/{invoice.id}",))] if kind_of(event.stream) != "invoice" else []
    return invoices.paid(invoice) if invoice.status == "paid" else []


def _invoices(all_paid: list[Invoice], _: Event) -> list[f.Fact]:
    return [fact for invoice in all_paid if invoice.status == "paid" for fact in invoices.paid(invoice)]


def _invoice_payments(payments: list[InvoicePayment], _: Event) -> list[f.Fact]:
    return [fact for paid in payments if paid.status != "canceled" for fact in invoices.payment_paid(paid)]


def _price(price: Price, _: Event) -> list[f.Fact]:
    return [f.PriceDescribed(price=price.id, product=id_of(price.product), attributes=price.metadata or {})]


def _customer(customer: Deletable, _: Event) -> list[f.Fact] | None:
    return None if customer.deleted else customers.updated(customer)


def _subscription(subscription: subscriptions.Subscription, event: Event) -> list[f.Fact]:
    return asked_anew(subscriptions.snapshot(subscription), event)


def asked_anew(facts: Sequence[f.Fact], event: Event) -> list[f.Fact]:
    """Whoever shows a first page makes the rest worth reading again: the question bears the event's second.

    It stands behind a `#`, which is not sent.
    """
    if not any(isinstance(fact, f.LinesDescribed) and fact.rest_from for fact in facts):
        return list(facts)
    second = int(event.occurred_at.timestamp())
    return [
        structs.replace(fact, rest_from=f"{fact.rest_from}#{second}")
        if isinstance(fact, f.LinesDescribed) and fact.rest_from
        else fact
        for fact in facts
    ]


_BY_TYPE: dict[str, Read] = {
    TYPE + "customer": _one(Reader(Deletable), _customer),
    TYPE + "invoice": _one(Reader(Invoice), _invoice),
    TYPE + "invoice_lines": _all(Reader(Page[InvoiceLine]), lambda lines, _: invoices.bought(lines)),
    TYPE + "invoice_payments": _all(Reader(Page[InvoicePayment]), _invoice_payments),
    TYPE + "invoices": _all(Reader(Page[Invoice]), _invoices),
    TYPE + "line_items": _all(Reader(Page[LineItem]), _line_items),
    TYPE + "price": _one(Reader(Price), _price),
    TYPE + "session": _one(Reader(Visit), _session),
    TYPE + "subscription": _one(Reader(subscriptions.Subscription), _subscription),
    TYPE + "subscription_items": _all(
        Reader(Page[subscriptions.Item]), lambda items, _: [subscriptions.all_items(items)]
    ),
}
