"""The fetcher: asks providers' APIs for what payloads leave out, and appends each answer as an event.

It is told by rows what the folds of streams lack, and writes nothing derived: once the runner has folded an answer,
the row is gone. Asking changes nothing at the provider, so a crash at any point costs at most a second question; the
same answer twice is one event.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_hex
from time import monotonic
from typing import Literal

import msgspec
import structlog

from domain.events import LONGEST_STREAM, NewEvent, Stream
from domain.providers import Provider
from domain.readback import encode_answer, instant_of
from projections.budget import Budget, hold, spend
from projections.failures import FAILURES, in_short
from projections.ports import EventLog, Provided
from projections.provided import Doubtful, ProvidedError, Refused, Throttled, Unauthorized, Unavailable
from projections.tables import Pool, Tables
from projections.versions import read_version
from projections.working import work_off

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes of all pages of an answer."""

Outcome = Literal["answered", "unknown", "doubtful", "throttled", "unavailable", "unauthorized", "refused", "failed"]
"""What became of a question; `unknown`: the API knows of no such thing; `doubtful`: it said so, and is asked again."""

WARN_AGAIN = 60.0
"""Seconds for which a source's refused API key is not warned of again."""

_log = structlog.get_logger("tenure.fetcher")


class FetcherSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `lease` bounds a question with its turn; what is not answered by half of it is given up.

    `doubtful_delays` lie between the times that a source has to say that there is no such thing, the last of them
    between all further ones.
    """

    concurrency: int = 4
    poll: float = 1.0
    lease: float = 120.0
    first_delay: float = 1.0
    longest_delay: float = 600.0
    refused_delay: float = 3600.0
    doubtful_delays: tuple[float, ...] = (60.0, 300.0, 1800.0)
    pause: float = 30.0
    behind: float = 1.0
    longest_wait: float = 10.0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A source whose API can be asked.

    `sure_after` is how often it has to say that there is no such thing before it is believed: some say so when they
    are asked too often, which is why minutes lie in between.
    """

    provider: Provider
    provided: Provided
    budget: Budget
    sure_after: int = 1


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be asked for one stream."""

    partition: int
    stream: Stream
    about: str
    source: str
    attempts: int
    unfound: int
    """How often the source said that there is no such thing."""
    again: bool
    """It was answered before, and is asked once more."""
    position: int
    """Up to which its stream was folded when it was claimed."""
    owner: str
    """Of this claim alone."""
    tables: Tables
    """The version of the projections that wants it."""

    @property
    def named(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("partition", "stream", "about", "owner")}


_CLAIMED = ("partition", "stream", "about", "source", "attempts", "unfound", "again", "position")


class Fetcher:
    """Asks what is due at the given sources, until it is told to stop."""

    def __init__(
        self,
        *,
        log: EventLog,
        pool: Pool,
        tables: Tables,
        sources: Mapping[str, Asked],
        owner: str,
        settings: FetcherSettings | None = None,
        unasked: Mapping[str, str] | None = None,
        on_outcome: Callable[[str, Outcome], None] = lambda _source, _outcome: None,
    ) -> None:
        """`unasked` are the sources that are not asked, each with the reason, which is kept with what is due there.

        `on_outcome` is told the source and what became of each question.
        """
        self._log = log
        self._pool = pool
        self._tables = tables
        self._sources = sources
        self._owner = owner
        self._settings = settings or FetcherSettings()
        self._unasked = unasked or {}
        self._begun = False
        self._warned: dict[str, float] = {}
        self._on_outcome = on_outcome
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Says that rows were written, so that the fetcher need not wait for its poll."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Asks until `stop` is set; questions under way are answered and recorded first."""
        await work_off(
            stop,
            self._woken,
            claim=self._claim_safely,
            work=self._fetch_safely,
            concurrency=self._settings.concurrency,
            poll=self._settings.poll,
        )

    async def fetch_until_idle(self) -> int:
        """Asks everything due now, one after another; the number of questions."""
        count = 0
        while claims := await self._claim(1):
            await self._fetch(claims[0])
            count += 1
        return count

    async def _claim_safely(self, limit: int) -> list[Claim] | None:
        try:
            return await self._claim(limit)
        except FAILURES as error:
            _log.warning("the database failed the fetcher; trying again", error=in_short(error))
            return None

    async def _fetch_safely(self, claim: Claim) -> None:
        try:
            await self._fetch(claim)
        except FAILURES as error:
            _log.warning(
                "an answer could not be recorded; it is asked again", stream=claim.stream, error=in_short(error)
            )
        except Exception as error:  # noqa: BLE001 - one question's fault must not end the others; its lease expires
            _log.error("a question failed", stream=claim.stream, about=claim.about, error=type(error).__name__)

    async def _claim(self, limit: int) -> list[Claim]:
        await self._prepare()
        if not self._sources:
            return []
        owner = f"{self._owner}/{token_hex(4)}"
        ttl = timedelta(seconds=self._settings.lease)
        arguments = {"owner": owner, "ttl": ttl, "limit": limit, "sources": list(self._sources)}
        tables = self._tables.still()
        async with self._pool.connection() as connection:
            cursor = await connection.execute(tables["claim_wants"], arguments)
            rows = await cursor.fetchall()
        return [Claim(**dict(zip(_CLAIMED, row, strict=True)), owner=owner, tables=tables) for row in rows]

    async def _prepare(self) -> None:
        if self._begun and not self._unasked:
            return
        async with self._pool.connection() as connection:
            if not self._begun:
                await connection.execute(self._tables["ask_with_new_key"], {"sources": list(self._sources)})
                self._begun = True
            for source, reason in self._unasked.items():
                await connection.execute(self._tables["note_unasked"], {"source": source, "reason": reason})

    async def _fetch(self, claim: Claim) -> None:
        if await self._log.read_stream(claim.stream, claim.position, 1):
            # It may have been said, or answered, just now.
            await self._statement("release_want", claim, delay=self._settings.behind)
            return
        asked = self._sources[claim.source]
        account, longest = account_of(claim.source), self._settings.longest_wait
        if wait := await spend(self._pool, self._tables, account, asked.budget, at_most=longest):
            # Others need not wait for an API that asked for a pause.
            await self._statement("release_want", claim, delay=wait)
            return
        at = await self._renew(claim)
        if at is None:
            return
        try:
            await self._record(claim, asked, await self._ask(claim, asked), at)
        except ProvidedError as error:
            await self._postpone(claim, error)

    async def _renew(self, claim: Claim) -> datetime | None:
        """The database's time now; None when the claim is another's by now, or there is nothing to ask any more."""
        arguments = {**claim.named, "ttl": timedelta(seconds=self._settings.lease)}
        async with self._pool.connection() as connection:
            cursor = await connection.execute(claim.tables["renew_want"], arguments)
            return next((at for (at,) in await cursor.fetchall()), None)

    async def _ask(self, claim: Claim, asked: Asked) -> list[bytes]:
        """The pages of the answer, none where the API knows of no such thing. Raises ProvidedError."""
        try:
            async with asyncio.timeout(self._settings.lease / 2):
                pages = await asked.provided.read(claim.about)
        except ProvidedError:
            raise
        except TimeoutError:
            raise Unavailable(claim.about, text="not answered in time") from None
        except Exception as error:
            _log.error("a fault in Tenure while asking a provider", about=claim.about, error=type(error).__name__)
            text = f"{type(error).__name__}: a fault in Tenure, please report it"
            raise Refused(claim.about, text=text) from error
        if pages is None and claim.unfound + 1 < asked.sure_after:
            raise Doubtful(claim.about, text="knows of no such thing, but may say so when asked too often")
        _check(claim.about, pages or [])
        return pages or []

    async def _record(self, claim: Claim, asked: Asked, pages: list[bytes], at: datetime) -> None:
        """Appends the answer, in one go, to every stream it is an event of."""
        body = encode_answer(claim.about, pages)
        events = [
            NewEvent(
                stream=stream,
                event_id=f"readback:{claim.about}:{sha256(body).hexdigest()[:16]}",
                type=type_,
                origin="readback",
                occurred_at=instant_of(at),
                received_at=at,
                body=body,
            )
            for stream, type_ in asked.provider.unpack_answer(claim.stream, claim.about, body)
            # Of a longer name there can be no stream.
            if len(stream.encode()) <= LONGEST_STREAM
        ]
        await self._log.append(events)
        if claim.again:
            await self._statement("drop_want", claim)
        else:
            # Not to be asked again before the answer is folded, and later each time if that does not help.
            delay = max(self._settings.pause, self._delay(claim.attempts))
            await self._statement("postpone_want", claim, delay=delay, error=None, unfound=0, unauthorized=False)
        self._on_outcome(claim.source, "answered" if pages else "unknown")

    async def _postpone(self, claim: Claim, error: ProvidedError) -> None:
        settings = self._settings
        delay = self._delay(claim.attempts)
        unauthorized, doubtful = isinstance(error, Unauthorized), isinstance(error, Doubtful)
        if isinstance(error, Unauthorized):
            # Says nothing about what was asked, so it is asked soon after the key was mended.
            delay = settings.longest_delay
            self._warn(claim.source, error)
        elif isinstance(error, Refused):
            delay = settings.refused_delay
        elif isinstance(error, Doubtful):
            least = settings.doubtful_delays[min(claim.unfound, len(settings.doubtful_delays) - 1)]
            delay = least * random.uniform(1.0, 1.25)  # noqa: S311 - jitter, not a secret
        elif error.retry_after:
            delay = max(delay, error.retry_after)
        if isinstance(error, Throttled):
            pause = min(delay, settings.longest_delay)
            await hold(self._pool, self._tables, account_of(claim.source), self._sources[claim.source].budget, pause)
        _log.info("asked again later", stream=claim.stream, about=claim.about, error=str(error), delay=round(delay, 2))
        arguments = {"error": str(error), "unfound": int(doubtful), "unauthorized": unauthorized}
        await self._statement("postpone_want", claim, delay=delay, **arguments)
        self._on_outcome(claim.source, _OUTCOMES.get(type(error), "failed"))

    def _warn(self, source: str, error: ProvidedError) -> None:
        """An API key that is refused fails everything that is asked: once in a while is enough."""
        now = monotonic()
        if now - self._warned.get(source, -WARN_AGAIN) >= WARN_AGAIN:
            self._warned[source] = now
            _log.warning("a provider refuses the API key", source=source, error=str(error))

    def _delay(self, attempts: int) -> float:
        delay = min(self._settings.longest_delay, self._settings.first_delay * 2.0 ** min(attempts, 20))
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret

    async def _statement(self, name: str, claim: Claim, *, delay: float = 0.0, **arguments: object) -> None:
        """Runs a statement on the claim's row, in whatever version that stands by now, if it is still its."""
        named = {**claim.named, "delay": timedelta(seconds=delay), **arguments}
        async with self._pool.connection() as connection:
            if (await connection.execute(claim.tables[name], named)).rowcount == 0:
                read = await read_version(connection)
                if read is not None and read != claim.tables.version:
                    await connection.execute(Tables(read)[name], named)


_OUTCOMES: dict[type[ProvidedError], Outcome] = {
    Doubtful: "doubtful",
    Throttled: "throttled",
    Unavailable: "unavailable",
    Unauthorized: "unauthorized",
    Refused: "refused",
}


def account_of(source: str) -> str:
    """The name of its API's budget, which no target can have."""
    return f"source/{source}"


def _check(about: str, pages: list[bytes]) -> None:
    """Raises Refused where an answer is too large to be kept, and Unavailable where it is not JSON."""
    if sum(map(len, pages)) > LARGEST_ANSWER:
        raise Refused(about, text=f"the answer has more than {LARGEST_ANSWER} bytes")
    try:
        for page in pages:
            msgspec.json.decode(page, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unavailable(about, text="the answer is not JSON") from None
