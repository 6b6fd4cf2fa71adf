"""A provider whose payloads leave something out, its API, and a fetcher that asks it, for tests."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain import facts as f
from domain.events import Event, Stream, kind_of, stream_of
from domain.providers import Untranslatable
from domain.readback import Want, read_answer
from domain.subscription import Subscription
from projections.budget import Budget
from projections.fetcher import Asked, Fetcher, FetcherSettings
from projections.provided import ProvidedError
from service.attention import Retried, retry_stream
from service.lookup import Reader
from tests.projecting import Projected, projecting
from tests.stories import JANUARY, PURCHASE, TELLER, activated, described, happened, line, linked, refunded

AT_ONCE = FetcherSettings(first_delay=0, longest_delay=0, behind=3600, doubtful_delays=(0,))
PLENTY = Budget(per_second=10_000, burst=1_000)

LINES = "checkout/cs_1/lines"
ADDRESS = "customers/cus_1"
ROUTE = "invoices?payment=pi_1"


def _wants(stream: Stream, subscription: Subscription) -> Sequence[Want]:
    wants = []
    if subscription.lines_from:
        wants.append(Want(about=subscription.lines_from, why="what was bought", essential=True))
    if subscription.customer.reference and not subscription.customer.email:
        wants.append(Want(about=ADDRESS, why="the customer's address", patient=True))
    if kind_of(stream) == "payment" and subscription.refunds:
        wants.append(Want(about=ROUTE, why="which invoice was paid"))
    return wants


def _unpack_answer(stream: Stream, about: str, body: bytes) -> Sequence[tuple[Stream, str]]:
    told_to = [(stream, "readback.answer")]
    if about == ROUTE:
        told_to.append((stream_of("acme", "invoice", "in_1"), "readback.answer"))
    return told_to


def _translate(event: Event) -> Sequence[f.Fact]:
    if not event.type.startswith("readback."):
        return TELLER.translate(event)
    try:
        answer = read_answer(event)
    except ValueError as error:
        raise Untranslatable(str(error)) from None
    says = [msgspec.structs.replace(event, body=bytes(page)) for page in answer.pages]
    facts = [fact for each in says for fact in TELLER.translate(each)]
    return [f.AnswerRead(about=answer.about, found=bool(answer.pages)), *facts]


FORGETFUL = msgspec.structs.replace(TELLER, wants=_wants, unpack_answer=_unpack_answer, translate=_translate)
"""Its answers hold facts, as its deliveries do."""


def page(*facts: f.Fact) -> bytes:
    return msgspec.json.encode(facts)


def checkout(number: int = 1) -> Event:
    """A purchase that does not say what was bought."""
    stream = stream_of("acme", "purchase", f"cs_{number}")
    return happened(
        JANUARY, f.PurchaseCompleted(paid=True, lines_from=f"checkout/cs_{number}/lines"), stream=stream, named="bought"
    )


class Api:
    """The provider's API: answers what it was given to answer, and remembers what it was asked.

    An error is raised once for each time it is given. While `gate` is closed nothing is answered; `reached` is set
    by every question.
    """

    def __init__(self, **answers: list[bytes]) -> None:
        self.answers: dict[str, list[bytes] | None] = dict(answers)
        self.errors: list[Exception] = []
        self.asked: list[str] = []
        self.reached, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def read(self, about: str) -> list[bytes] | None:
        self.asked.append(about)
        self.reached.set()
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        return self.answers.get(about)

    def fails(self, kind: type[ProvidedError], times: int = 1, **details: Any) -> None:
        self.errors += [kind(LINES, **details) for _ in range(times)]


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A projection and its fetcher; nothing runs but when told to."""

    projected: Projected
    fetcher: Fetcher
    api: Api
    outcomes: list[tuple[str, str]]

    async def settle(self, rounds: int = 20) -> None:
        """Projects and asks until nothing is left to do; fails when that does not come to an end."""
        for _ in range(rounds):
            await self.projected.runner.project_until_idle()
            if await self.fetcher.fetch_until_idle() == 0:
                return
        raise AssertionError("projecting and asking do not come to an end")

    async def tomorrow(self) -> None:
        """Lets everything be due that was put off, and forgets who was working on it."""
        async with self.projected.pool.connection() as connection:
            await connection.execute(
                "update projection_1.want set next_at = now(), leased_until = case when owner is null then null"
                " else now() end"
            )


@asynccontextmanager
async def asking(
    dsn: str,
    api: Api,
    *,
    owner: str = "fetcher-1",
    settings: FetcherSettings = AT_ONCE,
    budget: Budget = PLENTY,
    sure_after: int = 1,
    unasked: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[Asking]:
    """A projection of `dsn` whose source `acme` is asked through `api`, or is `unasked`."""
    outcomes: list[tuple[str, str]] = []
    asked = Asked(provider=FORGETFUL, provided=api, budget=budget, sure_after=sure_after)
    async with projecting(dsn, provider=FORGETFUL, owner=owner, **options) as projected:
        fetcher = Fetcher(
            log=projected.log,
            pool=projected.pool,
            tables=projected.tables,
            sources={} if unasked else {"acme": asked},
            owner=owner,
            settings=settings,
            unasked=unasked,
            on_outcome=lambda source, outcome: outcomes.append((source, outcome)),
        )
        yield Asking(projected=projected, fetcher=fetcher, api=api, outcomes=outcomes)


BOUGHT = page(described(line()))
PAYMENT, INVOICE = Stream("acme/payment/pi_1"), Stream("acme/invoice/in_1")
REFUND = happened(JANUARY, refunded("pi_1", 1000), stream=PAYMENT)
LINK = happened(JANUARY, linked("pi_1", "in_1"), f.StreamsLinked(streams=("payment/pi_1",)), stream=INVOICE)
ANONYMOUS = happened(JANUARY, described(line()), activated(), f.CustomerDescribed(reference="cus_1"))


def api() -> Api:
    return Api(**{LINES: [BOUGHT]})


async def status(each: Asking, stream: Stream = PURCHASE) -> tuple[str, str]:
    found = await each.projected.queries.stream(stream)
    assert found is not None
    return found[0].status, found[0].problem


async def answers(each: Asking, stream: Stream = PURCHASE) -> list[Event]:
    return [event for event in await each.projected.log.read_stream(stream) if event.origin == "readback"]


async def again(each: Asking, stream: Stream = PURCHASE) -> Retried:
    """Ada has a stream tried again."""
    return await retry_stream(reader(each), stream, "ada", "asked on the phone")


def reader(each: Asking, unasked: str = "") -> Reader:
    sources = {
        name: msgspec.structs.replace(source, unasked=unasked) for name, source in each.projected.sources.items()
    }
    return Reader(log=each.projected.log, queries=each.projected.queries, sources=sources)


async def now(shop: Asking) -> datetime:
    async with shop.projected.pool.connection() as connection:
        (at,) = await (await connection.execute("select now()")).fetchone() or (None,)
    assert isinstance(at, datetime)
    return at.astimezone(UTC)
