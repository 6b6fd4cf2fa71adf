"""Where only what is read back tells a test from what was paid for real: a source makes licenses of one of them."""

import pytest

from domain import facts as f
from domain.policy import Policy
from domain.receipts import OrderCreated
from projections.folding import rows_of
from projections.rows import Rows
from projections.sources import Source
from projections.targets.licensespring.target import LicenseSpringTarget
from tests.stories import MID_JANUARY, PAID_JANUARY, SUBSCRIBED, TELLER, Story, answered, given, happened


def rows(story: Story, *, live: bool) -> Rows:
    source = Source(name="acme", provider=TELLER, targets={"ls": Policy()}, live=live)
    return rows_of(story.events[0].stream, story.fold, 9, source, {"ls": LicenseSpringTarget("ls", None)})  # type: ignore[arg-type]


def told(test: bool | None) -> Story:
    return given(SUBSCRIBED, PAID_JANUARY).when(happened(MID_JANUARY, f.TestDescribed(test=test)))


@pytest.mark.parametrize(("live", "test"), [(True, False), (False, True), (True, None), (False, None)])
def test_what_is_of_the_sources_mode_or_does_not_tell_is_made(live: bool, test: bool | None) -> None:
    found = rows(told(test), live=live)
    assert [(row.withheld, row.due) for row in found.licenses] == [("", True)]
    assert found.stream.problem == ""


@pytest.mark.parametrize(("live", "says"), [(True, "test environment"), (False, "for real")])
def test_what_is_of_the_other_mode_is_withheld_and_listed(live: bool, says: str) -> None:
    found = rows(told(live), live=live)
    [row] = found.licenses
    assert (says in row.withheld, row.due) == (True, False)
    assert says in found.stream.problem
    assert [push.due for push in found.pushes] == [False]


def test_a_payment_for_real_has_it_made_after_all() -> None:
    story = told(True).when(happened(MID_JANUARY, f.TestDescribed(test=False), named="later"))
    assert [(row.withheld, row.due) for row in rows(story, live=True).licenses] == [("", True)]


def test_what_was_made_already_stays() -> None:
    story = told(None)
    ids = [each.id for each in story.licenses]
    made = OrderCreated(
        target="ls", order="o-1", licenses=dict.fromkeys(ids, "7"), fields={name: {"enabled": True} for name in ids}
    )
    story = story.when(answered(MID_JANUARY, made), happened(MID_JANUARY, f.TestDescribed(test=True), named="z"))
    found = rows(story, live=True)
    assert [(row.withheld, row.enabled) for row in found.licenses] == [("", True)]
    assert found.stream.problem == ""
