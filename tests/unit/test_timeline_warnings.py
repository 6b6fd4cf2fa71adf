"""What is ignored of the license attributes is said on the timeline, once, at the event that told it first."""

import io

import msgspec
import pytest
from rich.console import Console

from domain import facts as f
from domain.events import Event
from projections.queries import StreamView
from projections.timeline import Entry, timeline
from service.commands.timeline import Told, show
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MID_JANUARY,
    STREAM,
    TELLER,
    TERMS,
    activated,
    described,
    given,
    happened,
    line,
)

FOO = {**TERMS, "foo": "1"}
IGNORED = "attribute 'foo' of product prod_app is not known and was ignored"


def warnings(*events: Event) -> dict[str, tuple[str, ...]]:
    """By the name of the event."""
    entries = timeline(given(*events).events, TELLER)
    return {entry.event_id: entry.warnings for entry in entries if entry.warnings}


def test_a_warning_stands_at_the_event_that_described_the_line_and_nowhere_else() -> None:
    assert warnings(
        happened(JANUARY, described(line()), activated(), named="right"),
        happened(MID_JANUARY, described(line(attributes=FOO)), named="ignored"),
        happened(LATE_JANUARY, described(line(quantity=2, attributes=FOO)), named="again"),
    ) == {"ignored": (IGNORED,)}


def test_a_warning_that_went_and_came_is_no_news() -> None:
    assert warnings(
        happened(JANUARY, described(line(attributes=FOO)), activated(), named="ignored"),
        happened(MID_JANUARY, described(line()), named="right"),
        happened(LATE_JANUARY, described(line(attributes=FOO)), named="again"),
    ) == {"ignored": (IGNORED,)}


def test_whatever_the_order_of_arrival_it_stands_at_the_event_that_happened_first() -> None:
    first = happened(JANUARY, described(line(attributes=FOO)), activated(), named="first")
    second = happened(MID_JANUARY, described(line(quantity=2, attributes=FOO)), named="second")
    assert warnings(first, second) == warnings(second, first) == {"first": (IGNORED,)}


def test_a_price_that_is_read_back_is_warned_of_where_it_was_read() -> None:
    assert warnings(
        happened(JANUARY, described(line(attributes={}, described=False)), activated(), named="bare"),
        happened(FEBRUARY, f.PriceDescribed(price="price_app", product="prod_app", attributes=FOO), named="read"),
    ) == {"read": (IGNORED,)}


def test_what_is_wrong_hides_no_warning() -> None:
    wrong = described(line(attributes={**FOO, "max_activations": "many"}))
    assert warnings(happened(JANUARY, wrong, activated(), named="both")) == {"both": (IGNORED,)}


@pytest.mark.parametrize("summary", [("lines: 1 x APP",), ()])
def test_people_see_it_even_at_an_event_that_says_nothing_else(summary: tuple[str, ...]) -> None:
    (entry,) = timeline(given(happened(JANUARY, described(line(attributes=FOO)))).events, TELLER)
    shown = printed(msgspec.structs.replace(entry, summary=summary))
    assert f"! {IGNORED}" in shown
    assert all(words in shown for words in summary)


def printed(entry: Entry) -> str:
    view = StreamView(
        partition=entry.partition,
        stream=STREAM,
        source="acme",
        kind="subscription",
        identifier="sub_1",
        status="folded",
        state="pending",
        problem="",
        warnings=(),
        customer="",
        email="",
        events=1,
        anomalies=0,
        first_at=JANUARY,
        latest_at=JANUARY,
        position=1,
    )
    console = Console(file=io.StringIO(), width=120)
    show(console, Told(subscription=view, licenses=[], state="pending", timeline=[entry]))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
