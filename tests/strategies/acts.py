"""What operators decide about the licenses of random lives: several acts on few licenses, some of them undone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from domain import acts
from domain.events import NewEvent, Origin, Stream
from domain.receipts import AnyReceipt, PushRefused, PushRetried, type_of

HOUR = timedelta(hours=1)


def deeds(license_: str, stream: str, others: Sequence[str], at: datetime) -> st.SearchStrategy[acts.AnyDeed]:
    """Whatever may be decided about a license of a stream; `others` are streams that it may be a duplicate of."""
    single: list[st.SearchStrategy[acts.AnyDeed]] = [
        st.just(acts.LicenseDisabled(license=license_)),
        st.just(acts.LicenseEnabled(license=license_)),
        st.integers(1, 90).map(lambda days: acts.LicenseExtended(license=license_, until=at + timedelta(days=days))),
        st.just(acts.FieldSet(license=license_, field="max_activations", value=9)),
        st.just(acts.FieldSet(license=license_, field="custom_fields.ticket", value="7")),
    ]
    merges = [acts.Merged(duplicate=stream, kept=other) for other in others if other != stream]
    return st.one_of(*single, *([st.sampled_from(merges)] if merges else []))


@st.composite
def decided(draw: Any, licenses: Sequence[tuple[str, str]], at: Sequence[datetime]) -> list[NewEvent]:
    """Events by which operators decide something about some of these (id, stream), at some of these instants."""
    streams = sorted({stream for _, stream in licenses})
    events: list[NewEvent] = []
    for number in range(draw(st.integers(1, 5)) if licenses else 0):
        license_, stream = draw(st.sampled_from(licenses))
        when = draw(st.sampled_from(at)) + draw(st.sampled_from([timedelta(), HOUR]))
        earlier = [each for each in events if each.type.startswith("operator.") and each.stream == stream]
        if earlier and draw(st.booleans()):
            deed: acts.AnyDeed = acts.Undone(undoes=draw(st.sampled_from(earlier)).event_id)
        else:
            deed = draw(deeds(license_, stream, streams, when))
        lapses = draw(st.none() | st.integers(1, 40))
        expires = None if lapses is None else when + timedelta(days=lapses)
        fact = acts.OperatorActed(author="ada", reason="asked", deed=deed, expires=expires)
        of = (deed.duplicate, deed.kept) if isinstance(deed, acts.Merged) else (stream,)
        body = acts.write_body(fact)
        events += [_event(each, f"act_{number}", acts.type_of(deed), when, body) for each in of]
    if events and draw(st.booleans()):
        license_, stream = licenses[0]
        about: Any = {"target": "ls", "subjects": (license_,)}
        refused = PushRefused(call="create order", status=400, text="no", digest="d", **about)
        asked_again = PushRetried(author="ada", reason="it is there now", **about)
        events.append(_receipt(stream, refused, at[0], "receipt"))
        events.append(_receipt(stream, asked_again, at[0] + HOUR, "operator"))
    return events


def _receipt(stream: str, receipt: AnyReceipt, at: datetime, origin: Origin) -> NewEvent:
    event = _event(stream, f"{origin}_of_a_push", type_of(receipt), at, msgspec.json.encode(receipt))
    return msgspec.structs.replace(event, origin=origin)


def _event(stream: str, name: str, kind: str, at: datetime, body: bytes) -> NewEvent:
    return NewEvent(
        stream=Stream(stream),
        event_id=name,
        type=kind,
        origin="operator",
        occurred_at=at,
        received_at=at,
        body=body,
    )
