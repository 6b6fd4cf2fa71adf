"""The streams an answer of Stripe's API belongs to: the one that asked, and those that it turned out to concern."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from msgspec import Raw, Struct
from msgspec.json import Decoder

from domain.events import Stream, source_of, stream_of
from domain.providers.legible import is_legible
from domain.providers.reading import Reader
from domain.providers.stripe.invoice_shapes import Bill
from domain.providers.stripe.shapes import Page, Ref, id_of
from domain.readback import TYPE, Answer

MOST_STREAMS = 100
"""That one answer is taken to."""


def unpack_answer(stream: Stream, about: str, body: bytes) -> Sequence[tuple[Stream, str]]:
    """The streams in which the answer (the body of the event) is an event, and its type; never raises.

    First the one that asked, then those that it turned out to concern.
    """
    word = _word(about)
    streams = [stream]
    find = _CONCERNED.get(word)
    if find is not None:
        try:
            found = dict.fromkeys(find(_ANSWER.decode(body).pages))
        except (ValueError, RecursionError):
            found = {}
        legible = (place for place in found if all(map(is_legible, place)))
        streams += [stream_of(source_of(stream), *place) for place in islice(legible, MOST_STREAMS)]
    return [(each, TYPE + word) for each in dict.fromkeys(streams)]


def _word(about: str) -> str:
    return next((word for pattern, word in _WORDS if pattern.fullmatch(about)), "other")


_ID = r"[^/?#]+"
_WORDS = tuple(
    (re.compile(path + r"([?#].*)?", re.DOTALL), word)
    for path, word in (
        (rf"checkout/sessions/{_ID}/line_items", "line_items"),
        (rf"checkout/sessions/{_ID}", "session"),
        (rf"customers/{_ID}", "customer"),
        (r"invoice_payments", "invoice_payments"),
        (r"invoices", "invoices"),
        (rf"invoices/{_ID}/lines", "invoice_lines"),
        (rf"invoices/{_ID}", "invoice"),
        (rf"prices/{_ID}", "price"),
        (r"subscription_items", "subscription_items"),
        (rf"subscriptions/{_ID}", "subscription"),
    )
)

_ANSWER = Decoder(Answer)
_BILL = Reader(Bill)


class _Paid(Struct, frozen=True):
    invoice: Ref = None


_PAID = Reader(Page[_Paid])


def _subscription_billed(pages: Sequence[Raw]) -> Iterator[tuple[str, str]]:
    for page in pages:
        yield "subscription", _BILL.decode(page).subscription_id


def _invoices_paid(pages: Sequence[Raw]) -> Iterator[tuple[str, str]]:
    for page in pages:
        yield from (("invoice", id_of(paid.invoice)) for paid in _PAID.decode(page).data)


_CONCERNED: dict[str, Callable[[Sequence[Raw]], Iterator[tuple[str, str]]]] = {
    "invoice": _subscription_billed,
    "invoice_payments": _invoices_paid,
}
