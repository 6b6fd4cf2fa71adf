"""The rows of one stream, as they are written; each field is a column."""

from datetime import datetime, timedelta

import msgspec

from domain.events import Stream


class StreamRow(msgspec.Struct, frozen=True, kw_only=True):
    partition: int
    stream: Stream
    source: str
    kind: str
    identifier: str
    status: str
    state: str
    problem: str
    warnings: str
    customer: str
    email: str
    events: int
    anomalies: int
    first_at: datetime | None
    latest_at: datetime | None
    position: int
    code: str
    fold: bytes


class LicenseRow(msgspec.Struct, frozen=True, kw_only=True):
    partition: int
    id: str
    stream: Stream
    target: str
    due: bool
    enabled: bool
    withheld: str
    """Why it is not to be made there; empty where it is."""
    key: str | None
    desired: str
    applied: str | None
    refusal: str | None


class PushRow(msgspec.Struct, frozen=True, kw_only=True):
    partition: int
    stream: Stream
    target: str
    due: bool
    digest: str
    folded: int


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    partition: int
    from_stream: Stream
    to_stream: Stream


class WantRow(msgspec.Struct, frozen=True, kw_only=True):
    partition: int
    stream: Stream
    about: str
    source: str
    why: str
    essential: bool
    delay: timedelta
    """How long a webhook is given to say it first."""


class TimerRow(msgspec.Struct, frozen=True, kw_only=True):
    partition: int
    stream: Stream
    event_id: str
    at: datetime
    type: str
    body: bytes


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of one stream."""

    stream: StreamRow
    licenses: tuple[LicenseRow, ...]
    pushes: tuple[PushRow, ...]
    links: tuple[LinkRow, ...]
    wants: tuple[WantRow, ...]
    vain: tuple[str, ...]
    """What is missing although it was asked about and answered."""
    timers: tuple[TimerRow, ...]
