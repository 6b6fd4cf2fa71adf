"""Reads the projections: subscriptions, licenses, and what needs a person's attention."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, cast

import msgspec
from psycopg.rows import dict_row

from domain.events import Stream, partition_of, source_of
from domain.history import Fold, decode_fold
from domain.licensing import License
from domain.readback import Want
from domain.receipts import AppliedLicense, Refusal
from domain.version import CODE
from projections.ports import EventLog
from projections.tables import Pool, Tables

Status = Literal["folded", "waiting", "unrouted", "stopped", "other"]
ANSWER_SECONDS = 30.0
KNOWN: tuple[Status, ...] = ("folded", "waiting", "stopped")
_MOST_HOPS = 5
_MOST_LED_TO = 50
_MOST_TARGETS = 50


class LastListed(msgspec.Struct, frozen=True, array_like=True):
    """The last stream of a page: where the next one goes on."""

    latest_at: datetime | None
    stream: str


class StreamView(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription or purchase (or another stream), as lists show it. Times are UTC, the provider's clock."""

    partition: int
    stream: Stream
    source: str
    kind: str
    identifier: str
    status: Status
    state: str
    problem: str
    warnings: tuple[str, ...]
    customer: str
    email: str
    events: int
    anomalies: int
    first_at: datetime | None
    latest_at: datetime | None
    position: int


class LastLicense(msgspec.Struct, frozen=True, array_like=True):
    """The last row of a page of licenses."""

    id: str = ""
    target: str = ""


class LicenseView(msgspec.Struct, frozen=True, kw_only=True):
    """One license at one target: what is desired, what is applied, and whether work or a dead letter stands between.

    `due` is null in the past: what was left to do then was for the settings of that day to say. `withheld` says why it
    is not to be made at this target, and is empty where it is.
    """

    id: str
    stream: Stream
    target: str
    due: bool | None
    enabled: bool
    withheld: str = ""
    key: str | None
    desired: License
    applied: AppliedLicense | None
    refusal: Refusal | None


class Postponed(msgspec.Struct, frozen=True, kw_only=True):
    stream: Stream
    target: str
    attempts: int
    next_at: datetime
    error: str | None


class PushView(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream's work at a target is; `doubt` while it is to be looked up what an unclear call did."""

    target: str
    due: bool
    attempts: int
    next_at: datetime
    error: str | None
    doubt: bool


class WantView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a provider's API is asked about for a stream, and what went wrong with it the last time.

    `about` is the path of the API's resource; `essential` when no license can be derived before.
    """

    stream: Stream
    source: str
    about: str
    why: str
    essential: bool
    since: datetime
    attempts: int
    next_at: datetime
    error: str | None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How much a source's API is asked about, how much of it in vain so far, and the age of the oldest in seconds."""

    source: str
    open: int = 0
    failing: int = 0
    oldest: float = 0.0


class Outstanding(msgspec.Struct, frozen=True, kw_only=True):
    """How many streams have work at a target, how many of those failed at least once, and how many dead letters."""

    target: str
    due: int = 0
    failing: int = 0
    refused: int = 0


class OpenWork(msgspec.Struct, frozen=True):
    """What has been appended but not yet followed to its end; all zero when everything is in line."""

    unprojected: int
    """Events behind the heads."""
    links: int
    pushes: int
    wants: int = 0
    timers: int = 0


class Queries:
    """Questions to one version of the projections. Every list is bounded by `limit` and pages by its cursor.

    Each raises TimeoutError when it is not answered in ANSWER_SECONDS, and psycopg.Error.
    """

    def __init__(self, pool: Pool, tables: Tables) -> None:
        self._pool = pool
        self._tables = tables

    async def find(self, text: str, *, by_key: bool) -> dict[Stream, Status]:
        """The streams a person may mean: by stream name, provider's id, license id or key; at most 20."""
        key = text if by_key else None
        rows = await self._rows("streams_by_identifier", text=text, key=key, partition=partition_of(Stream(text)))
        return {row["stream"]: row["status"] for row in rows}

    async def led_to(self, text: str) -> dict[Stream, Stream]:
        """The subscriptions and purchases that know of something of that stream name or provider's id.

        Each with the first stream on the way to it. Links are followed hop by hop: payment → invoice → subscription.
        """
        rows = await self._rows(
            "links_from_identifier", text=text, partition=partition_of(Stream(text)), limit=_MOST_LED_TO
        )
        ahead: dict[Stream, Stream] = {row["to_stream"]: row["from_stream"] for row in rows}
        seen = set(ahead)
        led: dict[Stream, Stream] = {}
        for _ in range(_MOST_HOPS):
            if not ahead:
                break
            names = {"partitions": [partition_of(stream) for stream in ahead], "streams": list(ahead)}
            known = [row["stream"] for row in await self._rows("get_statuses", **names) if row["status"] in KNOWN]
            led.update((stream, ahead[stream]) for stream in known)
            hops = await self._rows("links_from", **names, limit=_MOST_LED_TO)
            ahead = {
                hop["to_stream"]: ahead[hop["from_stream"]]
                for hop in hops
                if hop["to_stream"] not in seen and hop["from_stream"] not in led
            }
            seen.update(ahead)
        return led

    async def streams(
        self,
        *,
        statuses: tuple[Status, ...] = KNOWN,
        state: str | None = None,
        source: str | None = None,
        problems: bool = False,
        unlinked: bool = False,
        before: LastListed | None = None,
        limit: int = 50,
    ) -> list[StreamView]:
        """Subscriptions and purchases (or streams of other statuses), newest first.

        `problems` leaves only those that something is wrong with, `unlinked` those that no other stream knows of.
        """
        rows = await self._rows(
            "list_streams",
            statuses=list(statuses),
            state=state,
            source=source,
            problems=problems,
            unlinked=unlinked,
            before_at=before.latest_at if before else None,
            before_stream=before.stream if before else None,
            limit=limit,
        )
        return [stream_view(row) for row in rows]

    async def stream(self, stream: Stream) -> tuple[StreamView, Fold | None] | None:
        """One stream with everything derived from it; without the fold where that is of other code than this."""
        for row in await self._rows("get_stream", partition=partition_of(stream), stream=stream):
            return stream_view(row), decode_fold(row["fold"]) if row["code"] == CODE else None
        return None

    async def licenses(
        self,
        *,
        stream: Stream | None = None,
        target: str | None = None,
        refused: bool = False,
        enabled: bool | None = None,
        due: bool | None = None,
        after: LastLicense | None = None,
        limit: int = 50,
    ) -> list[LicenseView]:
        """Licenses by id and target.

        `refused` leaves only dead letters, `due` only those not yet in line (or in line).
        """
        rows = await self._rows(
            "list_licenses",
            stream=stream,
            partition=partition_of(stream) if stream else None,
            target=target,
            refused=refused,
            enabled=enabled,
            due=due,
            after=after.id if after else "",
            after_target=after.target if after else "",
            limit=limit,
        )
        return [license_view(row) for row in rows]

    async def licenses_named(self, text: str, *, by_key: bool) -> list[LicenseView]:
        """One license by its id, or by its key too, at each target that it belongs to."""
        rows = await self._rows("get_license", text=text, key=text if by_key else None, limit=_MOST_TARGETS)
        return [license_view(row) for row in rows]

    async def unrouted(self, *, before: LastListed | None = None, limit: int = 50) -> list[StreamView]:
        """Streams of payments and invoices that concern money and are linked to no subscription yet, newest first."""
        return await self.streams(statuses=("unrouted",), unlinked=True, before=before, limit=limit)

    async def wrong_mode(self, *, before: LastListed | None = None, limit: int = 50) -> list[StreamView]:
        """Streams that hold one delivery of the other mode than their source's, newest first."""
        rows = await self._rows(
            "list_wrong_mode",
            before_at=before.latest_at if before else None,
            before_stream=before.stream if before else None,
            limit=limit,
        )
        return [stream_view(row) for row in rows]

    async def postponed(self, *, limit: int = 50) -> list[Postponed]:
        """Pushes that failed and are tried again, the next one first."""
        return [Postponed(**row) for row in await self._rows("list_postponed", limit=limit)]

    async def pushes(self, stream: Stream) -> list[PushView]:
        """The work of one stream at each of its targets, done or not."""
        rows = await self._rows("pushes_of_stream", partition=partition_of(stream), stream=stream)
        return [PushView(**row) for row in rows]

    async def now(self) -> datetime:
        """The database's time, by which acts and timers go; that of a process may be wrong."""
        (row,) = await self._rows("now")
        return cast("datetime", row["now"]).astimezone(UTC)

    async def waiting(self, *, before: LastListed | None = None, limit: int = 50) -> list[StreamView]:
        """Streams for which something has to be fetched, newest first."""
        rows = await self._rows(
            "list_waiting",
            before_at=before.latest_at if before else None,
            before_stream=before.stream if before else None,
            limit=limit,
        )
        return [stream_view(row) for row in rows]

    async def wants(self, streams: Collection[Stream] | None = None, *, limit: int = 50) -> list[WantView]:
        """What providers' APIs are asked and have not answered, of these streams or of any, the oldest first."""
        partitions = None if streams is None else [partition_of(stream) for stream in streams]
        named = None if streams is None else list(streams)
        rows = await self._rows("list_wants", streams=named, partitions=partitions, limit=limit)
        return [WantView(**row) for row in rows]

    async def wanted(self) -> list[Wanted]:
        """How much is asked and not answered, of each source that has any."""
        return [Wanted(**row) for row in await self._rows("count_wants")]

    async def counts(self) -> list[tuple[Status, str, int]]:
        """How many streams there are by status and state."""
        return [(row["status"], row["state"], row["count"]) for row in await self._rows("count_statuses")]

    async def outstanding(self) -> list[Outstanding]:
        """The work and the dead letters of each target that has any."""
        return [Outstanding(**row) for row in await self._rows("count_outstanding")]

    async def positions(self) -> dict[int, int]:
        """How far each partition is projected."""
        return {row["partition"]: row["position"] for row in await self._rows("positions")}

    async def open_work(self, log: EventLog, asked: Collection[str] | None = None) -> OpenWork:
        """How much is still to be projected, relayed, pushed, fetched and rung; dead letters do not count.

        Of what is to be fetched, only that of the sources `asked` (None: of all), and not what was put off for long.
        """
        positions = await self.positions()
        heads = await log.heads(list(positions))
        arguments = {"asked": None if asked is None else list(asked)}
        async with self._pool.connection() as connection:
            cursor = await connection.execute(self._tables["count_open_work"], arguments)
            links, pushes, wants, timers = await cursor.fetchone() or (0, 0, 0, 0)
        behind = sum(max(0, heads.get(partition, 0) - position) for partition, position in positions.items())
        return OpenWork(behind, links, pushes, wants, timers)

    async def ask_now(self, stream: Stream) -> bool:
        """Has what a stream lacks asked from its provider at once; false when it lacks nothing."""
        async with self._pool.connection() as connection:
            arguments = {"partition": partition_of(stream), "stream": stream}
            return (await connection.execute(self._tables["ask_now"], arguments)).rowcount > 0

    async def ask_in_vain(self, stream: Stream, wants: Collection[Want]) -> None:
        """Has a stream's provider asked once more what it has answered in vain. What it says now is an event, too."""
        shared = {"partition": partition_of(stream), "stream": stream, "source": source_of(stream)}
        rows = [{**shared, "about": want.about, "why": want.why, "essential": want.essential} for want in wants]
        async with self._pool.connection() as connection, connection.cursor() as cursor:
            await cursor.executemany(self._tables["ask_in_vain"], rows)

    async def _rows(self, statement: str, **arguments: Any) -> list[dict[str, Any]]:
        if any(isinstance(value, str) and "\0" in value for value in arguments.values()):
            return []  # PostgreSQL holds no such text
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            self._pool.connection() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(self._tables[statement], arguments)
            return await cursor.fetchall()


def stream_view(row: Mapping[str, Any]) -> StreamView:
    warnings = msgspec.json.decode(row["warnings"], type=tuple[str, ...])
    return StreamView(**{name: row[name] for name in StreamView.__struct_fields__} | {"warnings": warnings})


def license_view(row: Mapping[str, Any]) -> LicenseView:
    return LicenseView(
        **{name: row[name] for name in ("id", "stream", "target", "due", "enabled", "withheld", "key")},
        desired=msgspec.json.decode(row["desired"], type=License),
        applied=msgspec.json.decode(row["applied"], type=AppliedLicense) if row["applied"] else None,
        refusal=msgspec.json.decode(row["refusal"], type=Refusal) if row["refusal"] else None,
    )
