"""The pusher: makes license servers hold what is desired, one call and one receipt at a time.

Level-triggered: it is not told what happened but compares what is desired with what receipts say is applied, so a
crash at any point loses nothing and ten changes in a row cost one call. It writes nothing derived: what came of a
call is appended as an event, and the runner folds it.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import psycopg
import structlog

from domain.events import NewEvent, Stream
from domain.licensing import License
from domain.receipts import AnyReceipt, Applied, KeysMinted, PushRefused, apply_receipt, encode_receipt, type_of
from projections.authority import claim, place_of, standing_at
from projections.budget import Budget, Turns, hold, most_at_once
from projections.claims import Claim, Claims, LostClaim
from projections.ports import Appended, EventLog
from projections.sharing import Shared
from projections.tables import Pool, Tables
from projections.targets import Call, Target, subject_of
from projections.targets.errors import Paced, Refused, TargetError, Throttled, Unauthorized, Unclear
from projections.working import work_off

_log = structlog.get_logger("tenure.pusher")


class PusherSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `lease` must exceed the longest call, or two processes may work on one stream.

    `concurrency` is of each account, where its pace lets so many be under way.
    """

    concurrency: int = 64
    poll: float = 1.0
    lease: float = 120.0
    first_delay: float = 1.0
    longest_delay: float = 600.0
    calls_at_most: int = 200
    pause: float = 30.0
    behind: float = 0.1


class _Work(msgspec.Struct, kw_only=True):
    """A claim being worked on: what is desired, what is known to be held by now, and what is in doubt.

    `due` is false where the runner saw no work any more, so that only what is in doubt is looked at.
    """

    claim: Claim
    account: "Account"
    desired: Sequence[License]
    applied: dict[str, Applied]
    doubt: list[str]
    due: bool
    waits_for: int = 0
    relayed_soon: bool = False
    """What it needs stands in the purchase's stream of keys, and is about to be relayed."""

    @property
    def held(self) -> Applied:
        return self.applied.get(self.claim.target) or Applied()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A target with the pace its account allows; where it is `paced`, its client takes its turns itself."""

    target: Target
    budget: Budget
    paced: bool = False


class Pusher:
    """Works off what is due at the given accounts, until it is told to stop."""

    def __init__(
        self,
        *,
        log: EventLog,
        pool: Pool,
        tables: Tables,
        accounts: Mapping[str, Account],
        owner: str,
        settings: PusherSettings | None = None,
    ) -> None:
        self._log = log
        self._pool = pool
        self._tables = tables
        self._accounts = accounts
        self._owner = owner
        self._settings = settings or PusherSettings()
        self._claims = Claims(pool, tables)
        self._grown = Shared(self._ask_grown)
        self._turns = {name: Turns(pool, tables, name, account.budget) for name, account in accounts.items()}
        self._woken = {name: asyncio.Event() for name in accounts}
        self._paced: dict[str, float] = {}
        """Account → the instant of the loop's clock before which it bears no request."""

    def wake(self) -> None:
        """Says that rows were written, so that the pusher need not wait for its poll."""
        for woken in self._woken.values():
            woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Pushes until `stop` is set; calls under way are finished and recorded first.

        Each account is served by itself, so that a slow one, or one that is down, holds up no other.
        """
        async with asyncio.TaskGroup() as serving:
            for name in self._accounts:
                serving.create_task(self._serve(name, stop))

    async def _serve(self, name: str, stop: asyncio.Event) -> None:
        await work_off(
            stop,
            self._woken[name],
            claim=lambda room: self._claim_safely(room, name),
            work=self._push_safely,
            concurrency=min(self._settings.concurrency, most_at_once(self._accounts[name].budget)),
            poll=self._settings.poll,
        )

    async def push_until_idle(self) -> int:
        """Works off everything due now, one stream after another; the number of streams worked on."""
        count = 0
        while claims := await self._claim(1):
            await self._push(claims[0])
            count += 1
        return count

    async def _claim_safely(self, limit: int, account: str) -> list[Claim] | None:
        try:
            return await self._claim(limit, account)
        except (psycopg.Error, OSError) as error:
            _log.warning("the database failed the pusher; trying again", error=type(error).__name__)
            return None

    async def _push_safely(self, claim: Claim) -> None:
        try:
            await self._push(claim)
        except Exception as error:  # noqa: BLE001 - one stream's fault must not end the others; its lease expires
            _log.error("a push failed", stream=claim.stream, target=claim.target, error=repr(error)[:300])

    async def _claim(self, limit: int, *accounts: str) -> list[Claim]:
        """Claims work at those accounts, or at any; none at one that bears no request for now."""
        now = asyncio.get_running_loop().time()
        able = [name for name in accounts or self._accounts if self._paced.get(name, 0.0) <= now]
        if not able:
            return []
        return await self._claims.take(limit, able, self._owner, lease=self._settings.lease)

    async def _push(self, claim: Claim) -> None:
        if await self._grown((claim.stream, claim.folded)):
            # More has happened than is folded: what is desired now may be the past, above all while history is
            # projected again. The runner will say.
            await self._claims.release(claim, self._settings.behind)
            return
        work = await self._load(claim)
        if work is None or not (work.due or work.doubt):
            # No work is no wish: the stream stopped, or its source left the settings or has another target now.
            await self._claims.release(claim, self._settings.pause)
            return
        try:
            await self._settle_doubts(work)
            if work.due:
                await self._follow_plan(work)
        except TargetError as error:
            # Only an unclear end leaves a doubt; what was in doubt before and not yet looked at still is.
            kept = work.doubt if isinstance(error, Unclear) else [each for each in work.doubt if each in claim.doubt]
            if isinstance(error, Paced):
                await self._await_turn(claim, error.retry_after or 0.0, work.waits_for, kept)
            else:
                await self._postpone(claim, error, work.waits_for, kept)
        except LostClaim:
            _log.warning("a claim was lost while waiting for its turn", stream=claim.stream, target=claim.target)
            # Where only the version is another one, what is next follows from that; else this changes nothing.
            kept = [each for each in work.doubt if each in claim.doubt]
            await self._claims.pace(claim, self._settings.behind, work.waits_for, kept)
        else:
            await self._claims.finish(claim, self._pause(work), work.waits_for)

    def _pause(self, work: "_Work") -> float:
        if work.relayed_soon:
            return self._settings.behind
        # With nothing to do the runner has yet to say so, or other code saw work: not to be asked at once.
        return 0.0 if work.waits_for else self._settings.pause

    async def _settle_doubts(self, work: "_Work") -> None:
        """Looks at what an earlier call was about whose answer nobody heard."""
        for doubt in work.claim.doubt:
            receipt = await self._look(work.claim, work.account, doubt, work.held)
            if receipt is not None:
                await self._record(work, receipt)
            work.doubt.remove(doubt)

    async def _follow_plan(self, work: "_Work") -> None:
        """Makes one call after the other until the plan is empty."""
        fresh: set[str] = set()
        for _ in range(self._settings.calls_at_most):
            calls = work.account.target.plan(work.desired, work.held)
            if not calls or not await self._make(work, calls[0], fresh):
                break

    async def _make(self, work: "_Work", call: Call, fresh: set[str]) -> bool:
        """Makes one call and records its receipt; false when the runner has to say first what follows from it."""
        place = place_of(work.claim.stream, work.claim.target, call.fulfillment)
        standing = await standing_at(self._log, place) if place else None
        if place and standing and standing.is_ahead_of(work.held, place.product):
            work.relayed_soon = True
            return False
        work.doubt = list(call.doubts)
        receipt = await self._perform(work.claim, work.account, call, fresh)
        if place and standing and isinstance(receipt, KeysMinted):
            # Not this stream's to decide: the provider's license generator may be asking for them at this moment, and
            # another subscription of the purchase may need them too.
            keys = {name: work.held.license(name).key or receipt.keys[name] for name in call.subjects}
            mint, now = work.account.target.new_keys, datetime.now(UTC)
            if await claim(self._log, place, standing, keys, mint=mint, at=now):
                work.relayed_soon = True
                return False
        appended = await self._record(work, receipt)
        work.doubt = []
        if not isinstance(receipt, KeysMinted):
            return True
        fresh.add(receipt.order)
        # Where another process recorded keys first, those count, and the runner will tell us.
        return not appended.repeated

    async def _record(self, work: "_Work", receipt: AnyReceipt) -> Appended:
        appended = await self._append(work.claim, receipt)
        work.waits_for = appended.position
        work.applied = apply_receipt(work.applied, receipt, datetime.now(UTC))
        return appended

    async def _look(self, claim: Claim, account: Account, doubt: str, applied: Applied) -> AnyReceipt | None:
        await self._take_turn(claim, account, claim.doubt)
        try:
            return await account.target.look(doubt, applied)
        except Unauthorized:
            raise
        except Refused as error:
            return self._refusal(claim, (subject_of(doubt),), "look", "", error)

    async def _ask_grown(self, asked: Sequence[tuple[Stream, int]]) -> list[bool]:
        grown = await self._log.grown(asked)
        return [each in grown for each in asked]

    async def _load(self, claim: Claim) -> _Work | None:
        """What the runner derived: the licenses desired, and what each target is known to hold; None if it stopped."""
        derived = await self._claims.load(claim)
        if derived is None:
            return None
        account, applied = self._accounts[claim.target], dict(derived.applied)
        return _Work(
            claim=claim,
            account=account,
            desired=derived.desired,
            applied=applied,
            doubt=list(claim.doubt),
            due=derived.due,
        )

    async def _perform(self, claim: Claim, account: Account, call: Call, fresh: set[str]) -> AnyReceipt:
        await self._take_turn(claim, account, call.doubts)
        try:
            return await account.target.perform(call, fresh=call.order in fresh)
        except Unauthorized:
            # A wrong key refuses everything; that says nothing about this license.
            raise
        except Refused as error:
            return self._refusal(claim, call.subjects, call.name, call.digest, error)

    async def _take_turn(self, claim: Claim, account: Account, doubt: Sequence[str]) -> None:
        """Waits for a turn, and records what is in doubt from now on. Raises Paced and LostClaim."""
        if not account.paced:
            await self._turns[claim.target].take()
        await self._claims.renew(claim, doubt, lease=self._settings.lease)

    def _refusal(self, claim: Claim, subjects: tuple[str, ...], call: str, digest: str, error: Refused) -> PushRefused:
        _log.warning("a target refused", stream=claim.stream, call=call, status=error.status, text=error.text)
        return PushRefused(
            target=claim.target, subjects=subjects, call=call, status=error.status, text=error.text, digest=digest
        )

    async def _append(self, claim: Claim, receipt: AnyReceipt) -> Appended:
        now = datetime.now(UTC)
        (appended,) = await self._log.append(
            [
                NewEvent(
                    stream=claim.stream,
                    event_id=receipt_id(receipt),
                    type=type_of(receipt),
                    origin="receipt",
                    occurred_at=now,
                    received_at=now,
                    body=encode_receipt(receipt),
                )
            ]
        )
        return appended

    async def _await_turn(self, claim: Claim, wait: float, waits_for: int, doubt: list[str]) -> None:
        """Gives the claim back until the account bears another request: nothing was tried, and nothing failed."""
        self._paced[claim.target] = asyncio.get_running_loop().time() + wait
        await self._claims.pace(claim, wait, waits_for, doubt)

    async def _postpone(self, claim: Claim, error: TargetError, waits_for: int, doubt: list[str]) -> None:
        settings = self._settings
        delay = min(settings.longest_delay, settings.first_delay * 2 ** min(claim.attempts, 20))
        delay *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        if isinstance(error, Throttled) and error.retry_after:
            delay = max(delay, error.retry_after)
            budget = self._accounts[claim.target].budget
            await hold(self._pool, self._tables, claim.target, budget, min(delay, settings.longest_delay))
        _log.info("a push is tried again later", stream=claim.stream, error=str(error)[:300], delay=round(delay, 2))
        await self._claims.postpone(claim, str(error)[:500], delay, waits_for, doubt)


def receipt_id(receipt: AnyReceipt) -> str:
    """The event id of a receipt. Keys are recorded once per order, whoever minted them first."""
    if isinstance(receipt, KeysMinted):
        return f"{type_of(receipt)}:{receipt.target}:{receipt.order}"
    return f"{type_of(receipt)}:{uuid4()}"
