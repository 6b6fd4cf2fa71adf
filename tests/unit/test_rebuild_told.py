"""What a rebuild tells of a difference."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from domain.events import Stream
from domain.licensing.license import Because
from domain.subscription import EventRef
from projections.rebuilding.changes import FieldChange, StreamChange, license_change
from projections.rebuilding.comparing import Difference
from service.commands.changes import show
from service.rebuilding.rebuild import Rebuilt
from tests.stories import MARCH


def row(because: Because) -> dict[str, Any]:
    desired = {"product_code": "P", "expires": "2026-01-01", "because": {"expires": because}}
    found: dict[str, Any] = msgspec.to_builtins({"desired": desired, "due": False})
    return found


@pytest.mark.parametrize(
    ("event", "told"), [(EventRef("evt_2", "paid", MARCH), "paid through evt_2"), (None, "paid through")]
)
def test_a_reason_that_alone_differs_is_told_with_its_event(event: EventRef | None, told: str) -> None:
    before = row(Because("paid through", EventRef("evt_1", "paid", MARCH)))
    [change] = license_change("s", "l", "ls", before, row(Because("paid through", event))).fields
    assert (change.field, change.before, change.after) == ("why expires", "paid through evt_1", told)


def made(difference: Difference, *, switched: bool = False) -> Rebuilt:
    return Rebuilt(
        version=2, before=1, purpose="rebuild", switched=switched, resumed=False,
        events=0, bytes=0, seconds=0, processes=1, difference=difference,
    )  # fmt: skip


def test_times_that_differ_by_less_than_a_second_do_not_read_alike(capsys: pytest.CaptureFixture[str]) -> None:
    def told(before: datetime, after: datetime) -> str:
        field = FieldChange(field="latest_at", before=before.isoformat(), after=after.isoformat())
        change = StreamChange(stream=Stream("shop/subscription/sub_1"), kind="changed", fields=(field,))
        show(made(Difference(changed_streams=1, streams=[change])), 10)
        return " ".join(capsys.readouterr().out.split())

    assert "2026-03-01 00:00:00 → 2026-03-01 00:00:01" in told(MARCH, MARCH + timedelta(seconds=1))
    assert "00:00:00.000000 → 2026-03-01 00:00:00.000001" in told(MARCH, MARCH + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("switched", "count", "told"),
    [
        (False, 1, "1 subscription would be pushed to ls."),
        (False, 3, "3 subscriptions would be pushed to ls."),
        (True, 1, "1 subscription is to be pushed to ls."),
        (True, 3, "3 subscriptions are to be pushed to ls."),
    ],
)
def test_what_is_to_be_pushed_is_told_in_words(
    capsys: pytest.CaptureFixture[str], switched: bool, count: int, told: str
) -> None:
    show(made(Difference(changed_streams=1, pushes={"ls": count}), switched=switched), 10)
    assert told in capsys.readouterr().out
