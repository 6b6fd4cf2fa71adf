"""What the account holds and what happened to it, in the order it was done."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import assert_never

from service.sandbox.stripe.identifiers import Identifiers
from service.sandbox.stripe.model import (
    Charge,
    Customer,
    Dispute,
    Happening,
    Invoice,
    InvoicePayment,
    Line,
    Merchant,
    PaymentIntent,
    Refund,
    Request,
    Session,
    Subscription,
    Thing,
)


class Book:
    """The latest version of every object, and the happenings. `now` only moves forward."""

    def __init__(self, seed: str, merchant: Merchant, now: int) -> None:
        self.ids = Identifiers(seed, livemode=merchant.livemode)
        self.merchant = merchant
        self.now = now
        self.customers: dict[str, Customer] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.invoices: dict[str, Invoice] = {}
        self.intents: dict[str, PaymentIntent] = {}
        self.charges: dict[str, Charge] = {}
        self.refunds: dict[str, Refund] = {}
        self.disputes: dict[str, Dispute] = {}
        self.invoice_payments: dict[str, InvoicePayment] = {}
        self.sessions: dict[str, Session] = {}
        self._happenings: list[Happening] = []
        self._request: Request | None = None

    @property
    def happenings(self) -> list[Happening]:
        """By time; what was done first stands first within a second."""
        return sorted(self._happenings, key=lambda happening: happening.created)

    def happened(self, kind: str, at: int, thing: Thing, before: Thing | None = None) -> None:
        """Keeps the object and tells that it changed."""
        self._put(thing)
        self.now = max(self.now, at)
        self._happenings.append(
            Happening(
                id=self.ids.new("evt"),
                type=kind,
                created=at,
                object=thing,
                before=before,
                request=self._request,
            )
        )

    @contextmanager
    def request(self) -> Iterator[None]:
        """Everything that happens inside was caused by one API call, as a click in the portal is too."""
        identifier = self.ids.new("req")
        outer, self._request = (
            self._request,
            self._request or Request(id=identifier, idempotency_key=sha256(identifier.encode()).hexdigest()[:32]),
        )
        try:
            yield
        finally:
            self._request = outer

    def invoices_of(self, subscription: str) -> list[Invoice]:
        return [invoice for invoice in self.invoices.values() if invoice.subscription == subscription]

    def lines_of(self, item: str) -> tuple[str, tuple[Line, ...]] | None:
        """The last invoice that billed the item, and its lines for it; None before the first."""
        for invoice in reversed(self.invoices.values()):
            lines = tuple(line for line in invoice.lines if line.item == item and line.amount > 0)
            if lines:
                return invoice.id, lines
        return None

    def _put(self, thing: Thing) -> None:
        match thing:
            case Customer():
                self.customers[thing.id] = thing
            case Subscription():
                self.subscriptions[thing.id] = thing
            case Invoice():
                self.invoices[thing.id] = thing
            case PaymentIntent():
                self.intents[thing.id] = thing
            case Charge():
                self.charges[thing.id] = thing
            case Refund():
                self.refunds[thing.id] = thing
            case Dispute():
                self.disputes[thing.id] = thing
            case InvoicePayment():
                self.invoice_payments[thing.id] = thing
            case Session():
                self.sessions[thing.id] = thing
            case _:
                assert_never(thing)
