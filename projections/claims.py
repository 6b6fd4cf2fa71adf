"""The pusher's work list in the database: who works on which stream's licenses at which target, and until when."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Any

import msgspec

from domain.events import Stream
from domain.history import decode_fold
from domain.licensing import License
from domain.receipts import Applied
from projections.sharing import Shared
from projections.tables import Pool, Tables
from projections.versions import read_version


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One stream whose licenses at one target are to be brought in line."""

    partition: int
    stream: Stream
    target: str
    attempts: int
    owner: str
    """Of this claim alone: even the same process may not work on it twice at once."""
    folded: int
    """The position up to which the stream was folded when it was claimed."""
    doubt: list[str] = []
    """What an earlier call was about that may have acted without a receipt."""
    tables: Tables
    """The version of the projections that says what is desired."""


_NAMED = ("partition", "stream", "target", "owner")
_TOGETHER = ("renew_push", "finish_push", "release_push")
_CLAIMED = ("partition", "stream", "target", "attempts", "folded", "doubt")


_license = msgspec.json.Decoder(License)


class LostClaim(Exception):
    """Another process works on the stream now."""


class Derived(msgspec.Struct, frozen=True, kw_only=True):
    """What the runner derived for a claim: the licenses desired, and what each target is known to hold.

    `due` is false where it sees no work at the target.
    """

    desired: Sequence[License]
    applied: Mapping[str, Applied]
    due: bool


_Shared = Shared[Mapping[str, object], "tuple[Any, ...] | None"]


class Claims:
    """Takes claims and gives them back. All times are in seconds; `waits_for` is a position to be folded before."""

    def __init__(self, pool: Pool, tables: Tables) -> None:
        self._pool = pool
        self._tables = tables
        self._shared: dict[tuple[str, int], _Shared] = {}

    async def take(self, limit: int, targets: Sequence[str], process: str, *, lease: float) -> list[Claim]:
        """Claims up to so many streams with work at those targets."""
        owner = f"{process}/{token_hex(4)}"
        arguments = {"owner": owner, "ttl": timedelta(seconds=lease), "limit": limit, "targets": list(targets)}
        tables = self._tables.still()
        async with self._pool.connection() as connection:
            cursor = await connection.execute(tables["claim_pushes"], arguments)
            rows = await cursor.fetchall()
        return [Claim(**dict(zip(_CLAIMED, row, strict=True)), owner=owner, tables=tables) for row in rows]

    async def load(self, claim: Claim) -> Derived | None:
        """What the runner derived, all of one moment; None if the stream stopped."""
        derived = await self._together(claim.tables, "load_derived")(_named(claim))
        (status, fold, due, desired) = derived or (None, None, False, [])
        if status == "stopped" or fold is None:
            return None
        licenses = [_license.decode(text) for text in desired]
        return Derived(desired=licenses, applied=decode_fold(fold).applied, due=bool(due))

    async def renew(self, claim: Claim, doubt: Sequence[str], *, lease: float) -> None:
        """Keeps the claim, and records what is in doubt from now on. Raises LostClaim."""
        arguments = {"ttl": timedelta(seconds=lease), "doubt": list(doubt)}
        if not await self._changed(claim.tables, "renew_push", claim, arguments):
            raise LostClaim

    async def release(self, claim: Claim, pause: float) -> None:
        """Gives it back untried."""
        await self._change("release_push", claim, pause=timedelta(seconds=pause))

    async def finish(self, claim: Claim, pause: float, waits_for: int) -> None:
        """Gives it back done."""
        await self._change("finish_push", claim, pause=timedelta(seconds=pause), waits_for=waits_for)

    async def pace(self, claim: Claim, pause: float, waits_for: int, doubt: Sequence[str]) -> None:
        """Gives it back until the account bears another request, which is no failure."""
        waiting = timedelta(seconds=pause)
        await self._change("pace_push", claim, pause=waiting, waits_for=waits_for, doubt=list(doubt))

    async def postpone(self, claim: Claim, error: str, delay: float, waits_for: int, doubt: Sequence[str]) -> None:
        """Gives it back failed, to be tried again."""
        later = timedelta(seconds=delay)
        await self._change("postpone_push", claim, error=error, delay=later, waits_for=waits_for, doubt=list(doubt))

    async def _change(self, statement: str, claim: Claim, **arguments: object) -> None:
        """Runs a statement on the claim's row, in whatever version that stands by now, if the claim is still its."""
        if await self._changed(claim.tables, statement, claim, arguments):
            return
        async with self._pool.connection() as connection:
            read = await read_version(connection)
        if read is not None and read != claim.tables.version:
            # A switch carries a claim over with its owner's name.
            await self._changed(Tables(read), statement, claim, arguments)

    async def _changed(self, tables: Tables, statement: str, claim: Claim, arguments: Mapping[str, object]) -> bool:
        """False when the claim is another's there by now."""
        named = {**_named(claim), **arguments}
        if statement in _TOGETHER and await self._together(tables, f"{statement}_together")(named) is not None:
            return True
        async with self._pool.connection() as connection:
            return (await connection.execute(tables[statement], named)).rowcount == 1

    def _together(self, tables: Tables, statement: str) -> "_Shared":
        shared = self._shared.get((statement, tables.version))
        if shared is None:
            shared = self._shared[statement, tables.version] = Shared(partial(self._ask, tables, statement))
        return shared

    async def _ask(
        self, tables: Tables, statement: str, asked: Sequence[Mapping[str, object]]
    ) -> list[tuple[Any, ...] | None]:
        """What a statement about several claims says of each, None where it says nothing."""
        columns = {name: [_flat(each[name]) for each in asked] for name in asked[0]}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(tables[statement], columns, binary=True)).fetchall()
        told = {row[: len(_NAMED)]: row[len(_NAMED) :] for row in rows}
        return [told.get(tuple(each[name] for name in _NAMED)) for each in asked]


def _named(claim: Claim) -> dict[str, object]:
    return {name: getattr(claim, name) for name in _NAMED}


def _flat(value: object) -> object:
    """Arrays in an array would have to be of one length."""
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value
