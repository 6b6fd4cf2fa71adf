"""Bodies of our own types can be read in every version that was ever written."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from domain import upcasting
from domain.acts import LicenseDisabled, LicenseEnabled
from domain.erasure import ERASED, read_erased
from domain.events import Origin
from domain.history import Fold, extend, refold
from domain.own import OWN
from domain.readback import TYPE as READBACK
from domain.readback import encode_answer, read_answer
from domain.receipts import AnyReceipt, PushRetried, encode_receipt, read_receipt, type_of
from domain.retries import STREAM_RETRIED, read_retry, say_retry
from domain.subscription import Subscription
from domain.upcasting import CURRENT, Step, UpcastersIncomplete, check, encode_own, upcast
from tests.stories import (
    FEBRUARY,
    JANUARY,
    LATE_JANUARY,
    MID_JANUARY,
    TELLER,
    _event,
    acted,
    activated,
    answered,
    described,
    given,
    happened,
    line,
    paid,
    period,
    recorded,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "own_events"
"""A body of each type in each version, as it was written then: `{type}.v{version}.json`. Never edited."""

RECEIPTS = {type_of(each) for each in get_args(AnyReceipt)}
MADE: dict[str, Origin] = {type_: origin for origin, type_ in OWN if origin in ("timer", "operator")}
"""What time and operators make, as the table of their meaning lists it: a new type is one more here by itself."""
TYPES = sorted({*RECEIPTS, *MADE, READBACK, STREAM_RETRIED})
VERSIONS = [(type_, version) for type_ in TYPES for version in range(1, CURRENT.get(type_, 1) + 1)]

RENAMED = "tenure.test"
STEPS: dict[tuple[str, int], Step] = {
    (RENAMED, 1): lambda body: {"name": body["nom"]},
    (RENAMED, 2): lambda body: {**body, "loud": body["name"].upper()},
}
THREE = {RENAMED: 3}


def test_the_chain_of_this_program_is_complete() -> None:
    check()


@pytest.mark.parametrize(("type_", "version"), VERSIONS)
def test_every_version_that_was_ever_written_is_still_read(type_: str, version: int) -> None:
    body = (FIXTURES / f"{type_.rstrip('.')}.v{version}.json").read_bytes()
    assert json.loads(body).get("version", 1) == version
    event = _event(JANUARY, type_, "", MADE.get(type_, "receipt"), body, "acme/subscription/sub_1")
    if type_ == READBACK:
        answer = read_answer(event)
        assert (answer.about, bytes(answer.pages[0])) == ("invoices/in_1", b'{"id":"in_1","version":7}')
    elif type_ == STREAM_RETRIED:
        assert say_retry(read_retry(event)) == "dora had this tried again: the translator is mended"
    elif type_ in MADE:
        [fact] = OWN[MADE[type_], type_](event)
        # What is not named in the body has a value all the same.
        told = {name: value for name, value in json.loads(body).items() if name not in ("version", "type")}
        read = json.loads(msgspec.json.encode(read_erased(event) if type_ == ERASED else fact))
        assert {name: read.get(name) for name in told} == told
        assert not refold(recorded([event]), TELLER).stopped
    else:
        receipt = read_receipt(event)
        assert type_of(receipt) == type_
        assert read_receipt(answered(JANUARY, receipt)) == receipt


def test_there_is_a_body_of_every_type_and_no_other() -> None:
    wanted = {f"{type_.rstrip('.')}.v{version}.json" for type_, version in VERSIONS}
    assert {path.name for path in FIXTURES.iterdir()} == wanted


def test_old_acts_of_operators_count_as_before_when_their_form_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    story = given(
        happened(JANUARY, described(line()), activated(), paid("in_1", period(JANUARY, FEBRUARY))),
    )
    before = acted(MID_JANUARY, LicenseDisabled(license=story.license().id), named="act_1")
    # As if version 1 had called it `who`, and `why`.
    content = json.loads(before.body)
    old = {"who": content.pop("author"), "why": content.pop("reason"), **content}
    before = msgspec.structs.replace(before, body=json.dumps(old).encode())
    monkeypatch.setitem(upcasting.CURRENT, before.type, 2)
    with pytest.raises(UpcastersIncomplete, match="nothing leads from version 1"):
        check()
    monkeypatch.setitem(upcasting.STEPS, (before.type, 1), _renamed)
    check()
    disabled = story.when(before)
    assert disabled.license().enabled is False
    assert "by ada: asked on the phone" in disabled.license().because["enabled"].rule.replace("disabled ", "")
    # One that is written now says that it is of version 2, and both are folded into one, the stored fold extended.
    now = acted(LATE_JANUARY, LicenseDisabled(license=story.license().id), named="act_2")
    assert json.loads(now.body)["version"] == 2
    again = disabled.when(now, acted(FEBRUARY, LicenseEnabled(license=story.license().id), named="act_3"))
    assert again.license().enabled is True
    extended = extend(disabled.fold, again.events[2:], TELLER)
    assert msgspec.json.encode(extended) == msgspec.json.encode(again.fold)


def _renamed(body: dict[str, Any]) -> dict[str, Any]:
    named = {"who": "author", "why": "reason"}
    return {named.get(name, name): value for name, value in body.items()}


def test_an_answer_of_a_provider_is_kept_as_it_came_whatever_it_calls_a_version() -> None:
    body = encode_answer("invoices/in_1", [b'{"version": "2"}'])
    event = _event(JANUARY, f"{READBACK}invoices", "", "readback", body, "acme/subscription/sub_1")
    assert bytes(read_answer(event).pages[0]) == b'{"version": "2"}'


def test_a_body_without_a_version_is_of_version_1_and_goes_all_the_way() -> None:
    raised = upcast(RENAMED, b'{"nom":"ada"}', THREE, STEPS)
    assert json.loads(raised) == {"name": "ada", "loud": "ADA", "version": 3}


def test_a_body_starts_at_the_version_that_it_says() -> None:
    assert json.loads(upcast(RENAMED, b'{"version":2,"name":"b"}', THREE, STEPS))["loud"] == "B"
    today = b'{"version":3,"name":"b","loud":"?"}'
    assert upcast(RENAMED, today, THREE, STEPS) == today


@pytest.mark.parametrize(("version", "told"), [(0, "$"), (-1, "$"), (4, ": upgrade Tenure$")])
def test_a_version_that_nobody_knows_is_an_error_that_says_so(version: int, told: str) -> None:
    known = "this program knows 1 to 3"
    with pytest.raises(ValueError, match=f"version {version} of tenure.test is none: {known}{told}"):
        upcast(RENAMED, json.dumps({"version": version}).encode(), THREE, STEPS)


def test_a_body_of_a_newer_program_stops_its_stream_and_is_not_misread() -> None:
    body = msgspec.json.encode({"receipt": "push_retried", "target": "ls", "subjects": [], "version": 2})
    event = _event(JANUARY, "tenure.push_retried", "", "receipt", body, "acme/subscription/sub_1")
    assert "version 2 of tenure.push_retried" in refold(recorded([event]), TELLER).stopped
    assert refold([], TELLER) == Fold(subscription=Subscription())


@pytest.mark.parametrize(
    ("current", "steps", "told"),
    [
        ({RENAMED: 3}, {(RENAMED, 1): dict}, "nothing leads from version 2 to 3"),
        ({RENAMED: 3}, {(RENAMED, 2): dict}, "nothing leads from version 1 to 2"),
        ({RENAMED: 2}, {}, "nothing leads from version 1 to 2"),
        ({RENAMED: 2}, STEPS, "a step leads from version 2, and 2 is the latest"),
        ({}, {(RENAMED, 1): dict}, "a step leads from version 1, and 1 is the latest"),
    ],
)
def test_a_gap_in_the_chain_is_found_at_the_start(
    current: dict[str, int], steps: dict[tuple[str, int], Step], told: str
) -> None:
    with pytest.raises(UpcastersIncomplete, match=told):
        check(current, steps)


def test_what_is_written_carries_its_version_from_the_second_on() -> None:
    receipt = PushRetried(target="ls", subjects=("lic_1",))
    assert b"version" not in encode_receipt(receipt)
    written: dict[str, Any] = json.loads(encode_own(RENAMED, receipt, THREE))
    assert written["version"] == 3
    assert written["receipt"] == "push_retried"
