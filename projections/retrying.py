"""Records that an operator wants something tried again; whoever tries does so once the event is folded."""

from datetime import datetime
from uuid import uuid4

from domain.events import NewEvent, Stream
from domain.receipts import PUSH_RETRIED, PushRetried, encode_receipt
from domain.retries import STREAM_RETRIED, StreamRetried, encode_retry
from projections.ports import EventLog


async def retry_refused(
    log: EventLog, stream: Stream, target: str, subjects: tuple[str, ...], author: str, reason: str, at: datetime
) -> None:
    """Has what a target refused pushed again; `at` is the database's time."""
    receipt = PushRetried(target=target, subjects=subjects, author=author, reason=reason)
    await log.append([_event(stream, PUSH_RETRIED, at, encode_receipt(receipt))])


async def retry_fold(log: EventLog, stream: Stream, author: str, reason: str, at: datetime) -> None:
    """Has a stream folded again where it stopped; `at` is the database's time."""
    body = encode_retry(StreamRetried(author=author, reason=reason))
    await log.append([_event(stream, STREAM_RETRIED, at, body)])


def _event(stream: Stream, type_: str, at: datetime, body: bytes) -> NewEvent:
    return NewEvent(
        stream=stream,
        event_id=f"{type_}:{uuid4()}",
        type=type_,
        origin="operator",
        occurred_at=at,
        received_at=at,
        body=body,
    )
