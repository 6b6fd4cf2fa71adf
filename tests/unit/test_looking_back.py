"""What looking back prints, and what it may be asked: comparisons, CSV, bodies, kinds and instants."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from rich.console import Console

from domain import facts as f
from domain.events import Event
from domain.licensing.standing import works_at, works_until
from domain.policy import Policy
from domain.receipts import KeysMinted, PushRefused
from projections.comparing import compare
from projections.kinds import KINDS, UnknownKind, is_of, read_kinds
from projections.sources import Source
from projections.timeline import Entry, Kind, timeline
from service.cli.showing import KINDS as OFFERED
from service.commands.compare import Comparison, show
from service.entries import EntryWithBody, with_bodies, write_csv
from service.instants import NoInstant, read_instant
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MID_JANUARY,
    PAID_JANUARY,
    STREAM,
    SUBSCRIBED,
    TELLER,
    answered,
    happened,
    paid,
    period,
    recorded,
    sold_with,
    utc,
)

SOURCE = Source(name="acme", provider=TELLER, targets={"ls": Policy()})


def known(event: Event, at: datetime) -> Event:
    return msgspec.structs.replace(event, recorded_at=at)


ENDED = known(happened(MID_JANUARY, f.SubscriptionTerminated(reason="fraud"), named="ended"), LATE_JANUARY)
STORY = recorded([SUBSCRIBED, PAID_JANUARY, ENDED])
THEN = MID_JANUARY + timedelta(days=1)


# --- comparisons --------------------------------------------------------------------------------------------


def printed(comparison: Comparison) -> str:
    console = Console(file=io.StringIO(), width=80)
    show(console, comparison)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def comparison(*events: Event, at: datetime = THEN) -> Comparison:
    compared = compare(STREAM, recorded(events), SOURCE, at, None)
    return Comparison(
        at=at,
        known_at=None,
        believed=compared.believed,
        really=compared.really,
        differences=compared.differences,
        unclear=[STREAM] if compared.unclear else [],
    )


def test_a_license_believed_active_that_was_not_is_told_with_what_came_late() -> None:
    text = printed(comparison(*STORY))
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    assert "believed active 1 really active 0 Believed active, and was not: 1" in words
    assert "believed: active until 2026-02-03 00:00; subscription active" in words
    assert "told ended of 2026-01-15 00:00:00 was recorded 2026-01-20 00:00:00, 5 days after it happened" in words
    assert "held at ls then: not there" in words


def test_one_that_was_active_and_not_believed_so_is_told_too() -> None:
    late = known(PAID_JANUARY, LATE_JANUARY)
    begun = msgspec.structs.replace(SUBSCRIBED, recorded_at=LATE_JANUARY)
    words = " ".join(printed(comparison(begun, late)).split())
    assert "Was active, and not believed so: 1" in words
    assert "believed: not known" in words
    assert "2 events of it came late" in words


def test_what_cannot_be_said_is_not_guessed() -> None:
    odd = msgspec.structs.replace(SUBSCRIBED, body=b'"?"')
    assert f"cannot be said (tenure timeline ID tells why): {STREAM}" in " ".join(printed(comparison(odd)).split())


def test_a_license_works_until_its_margin_is_over() -> None:
    license_ = msgspec.structs.replace(sold_with(1), expiry=FEBRUARY, margin_hours=48)
    end = FEBRUARY + timedelta(hours=48)
    assert works_until(license_) == end
    assert works_at(license_, end)
    assert not works_at(license_, end + timedelta(microseconds=1))
    assert not works_at(msgspec.structs.replace(license_, enabled=False), JANUARY)
    assert works_at(msgspec.structs.replace(license_, expiry=None), utc(2100, 1, 1))


# --- kinds --------------------------------------------------------------------------------------------------


def entries(*events: Event) -> list[Entry]:
    return timeline(recorded(events), TELLER)


def test_the_command_line_offers_the_kinds_that_there_are() -> None:
    assert [name.strip() for name in OFFERED.split(",")] == list(KINDS)


def test_every_way_in_which_an_event_comes_is_a_kind() -> None:
    [entry] = entries(SUBSCRIBED)
    named = {
        kind: {name for name, holds in KINDS.items() if holds(msgspec.structs.replace(entry, kind=kind))}
        for kind in get_args(Kind)
    }
    ways = ("deliveries", "relays", "readbacks", "backfills", "acts", "timers", "receipts")
    assert {kind: names & set(ways) for kind, names in named.items()} == {
        kind: {way} for kind, way in zip(get_args(Kind), ways, strict=True)
    }


def test_entries_are_of_the_kinds_that_they_tell_of() -> None:
    refusal = PushRefused(target="ls", subjects=("x",), call="create order", status=400, text="no", digest="d")
    minted = KeysMinted(target="ls", order="o", keys={})
    told = entries(SUBSCRIBED, PAID_JANUARY, answered(FEBRUARY, minted), answered(FEBRUARY, refusal))
    chosen = {kind: [entry.type for entry in told if is_of(entry, {kind})] for kind in KINDS}
    assert chosen["payments"] == ["told"]
    assert chosen["transitions"] == ["told"]
    assert chosen["pushes"] == ["tenure.push_refused"]
    assert chosen["receipts"] == ["tenure.keys_minted", "tenure.push_refused"]
    assert all(is_of(entry, ()) for entry in told)


def test_a_kind_that_there_is_not_is_answered_with_those_that_there_are() -> None:
    assert read_kinds("") == frozenset()
    assert read_kinds(" payments ,late,") == {"payments", "late"}
    with pytest.raises(UnknownKind, match="'money' is no kind of entry; there are: deliveries, "):
        read_kinds("payments,money")


def test_the_same_content_under_another_id_names_the_first_and_tenures_own_acts_never_do() -> None:
    again = msgspec.structs.replace(PAID_JANUARY, event_id="again")
    minted = KeysMinted(target="ls", order="o", keys={})
    told = entries(
        PAID_JANUARY, again, answered(FEBRUARY, minted, named="one"), answered(FEBRUARY, minted, named="two")
    )
    assert {entry.event_id: entry.same_as for entry in told if entry.same_as} == {"again": "paid-january"}


# --- for programs -------------------------------------------------------------------------------------------


def test_a_body_is_given_exactly_be_it_text_or_not() -> None:
    [text] = with_bodies(entries(SUBSCRIBED), recorded([SUBSCRIBED]))
    assert (text.body.encode(), text.encoding, text.size) == (SUBSCRIBED.body, "utf-8", len(SUBSCRIBED.body))
    binary = msgspec.structs.replace(SUBSCRIBED, body=b"\xff\x00")
    [other] = with_bodies(entries(binary), recorded([binary]))
    assert (other.body, other.encoding, other.size) == ("/wA=", "base64", 2)


def test_csv_has_a_line_for_each_entry_and_nothing_that_a_spreadsheet_would_run() -> None:
    noted = happened(JANUARY, f.Noted(about='=HYPERLINK("x")'), paid("in_1", period(JANUARY, FEBRUARY)), named="-1")
    out = io.StringIO()
    write_csv(out, with_bodies(entries(noted), recorded([noted])))
    [row] = csv.DictReader(io.StringIO(out.getvalue()))
    assert row["event_id"] == "'-1"
    assert row["summary"].startswith("'=HYPERLINK")
    assert (row["occurred_at"], row["late"], row["lag_seconds"]) == ("2026-01-01T00:00:00+00:00", "no", "0.0")
    assert row["body"].encode() == noted.body
    assert set(msgspec.structs.asdict(entries(noted)[0])) <= set(row) | {"lag"}
    assert isinstance(with_bodies(entries(noted), recorded([noted]))[0], EntryWithBody)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-03", datetime(2026, 3, 3, tzinfo=UTC)),
        ("2026-03-03T14:00", datetime(2026, 3, 3, 14, tzinfo=UTC)),
        ("2026-03-03T14:00:00Z", datetime(2026, 3, 3, 14, tzinfo=UTC)),
        ("2026-03-03T14:00:00+02:00", datetime(2026, 3, 3, 12, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, instant: Any) -> None:
    assert read_instant(text) == instant


@pytest.mark.parametrize("text", ["soon", "2026-02-30", "2026-13-01T00:00:00Z", "", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_instant_is_answered_with_how_to_write_one(text: str) -> None:
    with pytest.raises(NoInstant, match=r"2026-03-03|years 1 and 9999"):
        read_instant(text)
