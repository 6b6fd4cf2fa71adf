"""A source with several targets: what belongs to each, under which policy, and what must not be made twice."""

from collections.abc import Mapping
from typing import Any

import pytest

from domain import facts as f
from domain.acts import LicenseDisabled, Merged, Undone
from domain.policy import Policy
from domain.receipts import AnyReceipt, KeysGenerated, LicenseChanged, OrderCreated
from projections.folding import rows_of
from projections.rows import LicenseRow, Rows
from projections.sources import Source
from projections.targets import Target
from projections.targets.licensespring.target import LicenseSpringTarget
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MID_JANUARY,
    PAID_JANUARY,
    STREAM,
    SUBSCRIBED,
    TELLER,
    Story,
    acted,
    activated,
    answered,
    described,
    given,
    happened,
    line,
    paid,
    period,
    refunded,
)

USUAL, KIND = Policy(), Policy(on_refund="keep")
BOTH = {"ls": USUAL, "other": USUAL}


def rows(story: Story, feeds: Mapping[str, Policy], position: int = 9) -> Rows:
    """What the runner derives of a story; no target is asked, since plans are pure."""
    source = Source(name="acme", provider=TELLER, targets=feeds)
    targets: dict[str, Target] = {name: LicenseSpringTarget(name, None) for name in ("ls", "other")}  # type: ignore[arg-type]
    return rows_of(story.events[0].stream, story.fold, position, source, targets)


def named(*targets: str) -> Story:
    """A paid January of one line for each of these `license_target`s."""
    lines = [
        line(f"si_{number}", start=JANUARY, end=FEBRUARY, attributes={"short_code": f"APP{number}"} | _naming(target))
        for number, target in enumerate(targets, 1)
    ]
    periods = [period(JANUARY, FEBRUARY, each.id) for each in lines]
    return given(happened(JANUARY, described(*lines), activated(), paid("in_1", *periods)))


def _naming(target: str) -> dict[str, str]:
    return {"license_target": target} if target else {}


def holding(story: Story, target: str, *, enabled: bool = True) -> Story:
    """The story when all its licenses were made at a target."""
    ids = [each.id for each in story.licenses]
    created = OrderCreated(
        target=target,
        order=f"o-{target}",
        licenses={name: str(number) for number, name in enumerate(ids)},
        fields={name: {"enabled": True} for name in ids},
    )
    after = [LicenseChanged(target=target, license=name, fields={"enabled": False}) for name in ids if not enabled]
    receipts: list[AnyReceipt] = [created, *after]
    return story.when(*(answered(MID_JANUARY, receipt, named=str(receipt)) for receipt in receipts))


def at(found: Rows, target: str) -> list[LicenseRow]:
    return [row for row in found.licenses if row.target == target]


def due(found: Rows) -> dict[str, bool]:
    return {push.target: push.due for push in found.pushes}


# --- what belongs where ---------------------------------------------------------------------------------------


def test_what_names_no_target_is_at_all_of_them() -> None:
    found = rows(given(SUBSCRIBED, PAID_JANUARY), BOTH)
    assert [(row.target, row.due, row.withheld) for row in found.licenses] == [("ls", True, ""), ("other", True, "")]
    assert len({row.id for row in found.licenses}) == 1
    assert due(found) == {"ls": True, "other": True}
    assert found.stream.problem == ""


def test_what_names_a_target_is_there_alone() -> None:
    found = rows(named("other", ""), BOTH)
    assert len(at(found, "other")) == 2
    assert [row.desired.find("APP2") > 0 for row in at(found, "ls")] == [True]


def test_a_target_that_nothing_belongs_to_has_no_work() -> None:
    assert due(rows(named("other"), BOTH)) == {"other": True}


def test_each_target_has_its_policy() -> None:
    story = given(SUBSCRIBED, PAID_JANUARY).when(happened(MID_JANUARY, refunded("pi_1", 1000)))
    found = rows(story, {"ls": USUAL, "other": KIND})
    assert [(row.target, row.enabled) for row in found.licenses] == [("ls", False), ("other", True)]


def test_a_timer_is_set_for_each_targets_grace() -> None:
    story = given(SUBSCRIBED, PAID_JANUARY).when(happened(FEBRUARY, f.PaymentFellOverdue()))
    found = rows(story, {"ls": Policy(past_due_days=3), "other": Policy(past_due_days=14)})
    assert len(found.timers) == 2


# --- a target the source does not have ------------------------------------------------------------------------


def test_a_license_for_an_unknown_target_is_a_problem_and_nobodys_work() -> None:
    found = rows(named("elsewhere", ""), BOTH)
    assert "license_target 'elsewhere' is no target of this source: name one of ls, other" in found.stream.problem
    (row,) = at(found, "elsewhere")
    assert not row.due
    assert row.withheld
    assert due(found) == {"ls": True, "other": True}, "its other products go on"
    assert all(len(at(found, target)) == 1 for target in BOTH)


def test_what_came_to_name_an_unknown_target_is_not_taken_away() -> None:
    held = holding(named(""), "ls")
    found = rows(_renamed(held, "elsewhere"), {"ls": USUAL})
    (row,) = at(found, "ls")
    assert (row.enabled, row.withheld) == (True, "")
    assert "license_target 'elsewhere'" in found.stream.problem


def _renamed(story: Story, target: str) -> Story:
    """The product names this target from now on."""
    return story.when(
        happened(
            MID_JANUARY,
            described(line("si_1", start=JANUARY, end=FEBRUARY, attributes={"short_code": "APP1"} | _naming(target))),
            named="renamed",
        )
    )


# --- no second license ----------------------------------------------------------------------------------------


def test_a_target_that_was_taken_out_makes_no_second_license_at_the_others() -> None:
    found = rows(holding(named(""), "gone"), BOTH)
    assert due(found) == {"ls": False, "other": False}
    assert all("held at 'gone'" in row.withheld for row in found.licenses)
    assert "held at 'gone'" in found.stream.problem


def test_not_even_of_what_is_bought_later_where_none_of_the_stream_is() -> None:
    more = described(line("si_1", start=JANUARY, end=FEBRUARY, quantity=2, attributes={"short_code": "APP1"}))
    found = rows(holding(named(""), "gone").when(happened(MID_JANUARY, more, named="more")), {"ls": USUAL})
    assert [bool(row.withheld) for row in found.licenses] == [True, True]


def test_what_was_disabled_there_may_be_made_anew() -> None:
    assert due(rows(holding(named(""), "gone", enabled=False), {"ls": USUAL})) == {"ls": True}


def test_a_target_that_has_it_too_goes_on_when_the_other_is_taken_out() -> None:
    found = rows(holding(holding(named(""), "ls"), "gone"), {"ls": USUAL})
    assert [row.withheld for row in found.licenses] == [""]
    assert "held at 'gone'" in found.stream.problem, "nobody keeps that one in line any more"


def test_a_target_that_is_added_gets_its_own() -> None:
    found = rows(holding(named(""), "ls"), BOTH)
    assert [row.withheld for row in at(found, "other")] == [""]
    assert due(found)["other"]


def test_a_product_that_names_another_target_now_stays_where_it_works() -> None:
    found = rows(_renamed(holding(named("ls"), "ls"), "other"), BOTH)
    assert [row.withheld for row in at(found, "ls")] == [""]
    (there,) = at(found, "other")
    assert "names the target 'other', and its license is held at 'ls'" in there.withheld
    assert due(found)["other"] is False
    assert there.withheld in found.stream.problem


def test_a_product_that_comes_to_name_one_of_the_targets_that_have_it_is_taken_from_the_other() -> None:
    found = rows(_renamed(holding(holding(named(""), "ls"), "other"), "other"), BOTH)
    assert at(found, "ls") == []
    assert due(found)["ls"], "it is to be disabled there"
    assert found.stream.problem == ""


def test_a_product_that_loses_the_name_of_its_target_is_licensed_nowhere_else() -> None:
    found = rows(_renamed(holding(named("ls"), "ls"), ""), BOTH)
    assert [row.target for row in found.licenses] == ["ls"]
    assert "lost its license_target 'ls', which is kept" in found.stream.warnings


def test_what_a_product_of_another_target_replaces_works_until_that_is_made() -> None:
    held = holding(named("ls"), "ls")
    changed = line("si_1", price="p2", start=JANUARY, end=FEBRUARY, attributes={"short_code": "NEW"} | _naming("other"))
    story = held.when(happened(MID_JANUARY, described(changed), named="changed"))
    found = rows(story, BOTH)
    assert {row.target: row.enabled for row in found.licenses} == {"ls": True, "other": True}
    new = next(each.id for each in story.licenses if each.product_code == "NEW")
    made = OrderCreated(target="other", order="o2", licenses={new: "7"}, fields={new: {"enabled": True}})
    after = rows(story.when(answered(MID_JANUARY, made, named="made")), BOTH)
    assert {row.target: row.enabled for row in after.licenses} == {"ls": False, "other": True}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("merged", [False, True])
def test_what_an_operator_disabled_does_not_work_until_another_target_made_its_replacement(
    moment: str, merged: bool
) -> None:
    held = holding(named("ls"), "ls")
    old = held.license().id
    deed = Merged(duplicate=STREAM, kept="acme/subscription/sub_2") if merged else LicenseDisabled(license=old)
    disabled = acted(MID_JANUARY if moment == "before" else LATE_JANUARY, deed, named=f"act_{moment}")
    changed = line("si_1", price="p2", start=JANUARY, end=FEBRUARY, attributes={"short_code": "NEW"} | _naming("other"))
    story = held.when(happened(MID_JANUARY, described(changed), named="changed"), disabled)
    found = rows(story, BOTH)
    assert {row.target: row.enabled for row in found.licenses} == {"ls": False, "other": not merged}
    (there,) = at(found, "ls")
    assert '"operator.' in there.desired, "it says who decided it"
    undone = acted(LATE_JANUARY, Undone(undoes=f"act_{moment}"), named="undoing")
    assert at(rows(story.when(undone), BOTH), "ls")[0].enabled, "without the act it works until then"


def test_what_ends_while_its_replacement_is_awaited_ends() -> None:
    held = holding(named("ls"), "ls")
    changed = line("si_1", price="p2", start=JANUARY, end=FEBRUARY, attributes={"short_code": "NEW"} | _naming("other"))
    ended = happened(FEBRUARY, f.SubscriptionTerminated(), named="ended")
    story = held.when(happened(MID_JANUARY, described(changed), named="changed"), ended)
    assert not any(row.enabled for row in rows(story, BOTH).licenses)


def test_keys_of_the_generator_that_are_of_another_target_than_the_licenses_are_told() -> None:
    story = named("other").when(happened(MID_JANUARY, f.FulfillmentNamed(reference="R1"), named="order"))
    keys: AnyReceipt = KeysGenerated(target="ls", product="prod_app", keys=("A",))
    found = rows(story.when(answered(MID_JANUARY, keys)), BOTH)
    assert "gave keys of 'prod_app' at 'ls', and its licenses are at other" in found.stream.problem
    right: AnyReceipt = KeysGenerated(target="other", product="prod_app", keys=("A",))
    assert rows(story.when(answered(MID_JANUARY, right)), BOTH).stream.problem == ""


@pytest.mark.parametrize("feeds", [{}, {"ls": USUAL}, BOTH])
def test_a_stopped_stream_has_no_work_at_any_target(feeds: dict[str, Policy]) -> None:
    story: Any = holding(named(""), "ls")
    story.fold.stopped = "it could not be understood"
    assert not any(push.due for push in rows(story, feeds).pushes)
