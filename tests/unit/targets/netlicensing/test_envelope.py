"""NetLicensing's envelope: one shape for everything, with its traps."""

import msgspec
import pytest

from projections.targets.errors import (
    NotFound,
    Refused,
    TargetError,
    Throttled,
    Unauthorized,
    Unavailable,
    Unclear,
)
from projections.targets.netlicensing.envelope import Envelope, Item, envelope_in
from projections.targets.netlicensing.refusals import WINDOW, PlanExhausted, failure
from projections.targets.transport import Answer

ONE = {"type": "License", "property": [{"name": "number", "value": "L1"}, {"name": "active", "value": "true"}]}
READ = Item("License", {"number": "L1", "active": "true"})


def read(answer: object) -> Envelope | None:
    return envelope_in(msgspec.json.encode(answer))


@pytest.mark.parametrize("items", [[ONE], ONE])
def test_an_item_is_read_whether_it_stands_in_a_list_or_alone(items: object) -> None:
    assert read({"infos": {"info": []}, "items": {"item": items}}) == Envelope((READ,))


def test_a_single_property_may_stand_alone_too() -> None:
    envelope = read({"items": {"item": {"type": "License", "property": {"name": "number", "value": "L1"}}}})
    assert envelope is not None
    assert envelope.items[0]["number"] == "L1"
    assert envelope.items[0]["active"] == ""


@pytest.mark.parametrize(
    "answer",
    [
        {"items": None, "infos": None},
        {"items": {"item": None}},
        {"items": {"item": []}},
        {"infos": {"info": {"id": "x", "type": "INFO", "value": "fine"}}},
    ],
)
def test_nothing_is_an_empty_answer_and_no_error(answer: object) -> None:
    assert read(answer) == Envelope()


def test_an_empty_body_is_an_empty_answer() -> None:
    assert envelope_in(b" ") == Envelope()


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'"x"', b'{"detail": "no"}', b"\xff", b"[" * 100_000])
def test_what_is_no_envelope_is_told_apart_from_an_empty_one(body: bytes) -> None:
    assert envelope_in(body) is None


@pytest.mark.parametrize("more", ["true", True, "TRUE"])
def test_a_list_says_whether_it_goes_on(more: object) -> None:
    envelope = read({"items": {"item": [ONE], "hasnext": more}})
    assert envelope is not None
    assert envelope.more


def test_nested_lists_keep_their_names() -> None:
    nested = {"name": "module", "property": {"name": "valid", "value": "true"}, "list": []}
    envelope = read({"items": {"item": {"type": "ProductModuleValidation", "property": [], "list": nested}}})
    assert envelope is not None
    assert envelope.items[0]["module.valid"] == "true"


def words(text: str) -> str:
    return text


def error(status: int, *, id: str = "", text: str = "", wrote: bool = True, wait: float | None = None) -> TargetError:  # noqa: A002
    infos = {"info": [{"type": "WARNING", "value": "hm"}, {"id": id, "type": "ERROR", "value": text}]}
    answer = Answer(status=status, body=msgspec.json.encode({"infos": infos, "items": None}), retry_after=wait)
    found = failure("create license", answer, wrote=wrote, words=words)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Unauthorized),
        (402, PlanExhausted),
        (403, Unauthorized),
        (404, NotFound),
        (408, Unclear),
        (429, Throttled),
        (500, Unclear),
        (503, Unclear),
    ],
)
def test_each_status_says_what_can_be_done_next(status: int, kind: type[TargetError]) -> None:
    assert type(error(status)) is kind


@pytest.mark.parametrize("status", [408, 500, 502])
def test_a_read_that_failed_did_nothing(status: int) -> None:
    assert type(error(status, wrote=False)) is Unavailable


def test_an_error_in_a_success_is_an_error() -> None:
    found = error(200, id="IllegalOperationException", text="cannot be")
    assert type(found) is Refused
    assert found.text == "IllegalOperationException: cannot be"


@pytest.mark.parametrize(
    ("id_", "text"), [("NotFoundException", "x"), ("1000", "Requested license does not exist"), ("", "not found")]
)
def test_what_is_not_there_is_told_by_its_name_where_the_status_does_not(id_: str, text: str) -> None:
    assert type(error(400, id=id_, text=text)) is NotFound


@pytest.mark.parametrize(("wrote", "kind"), [(True, Refused), (False, Unavailable)])
def test_an_error_in_a_success_makes_nothing_missing_whatever_it_says(wrote: bool, kind: type[TargetError]) -> None:
    assert type(error(200, id="NotFoundException", text="not found", wrote=wrote)) is kind


@pytest.mark.parametrize("status", [301, 302, 307, 404, 405, 410])
@pytest.mark.parametrize("body", [b"<html>Not Found</html>", b"", b'{"items": null}', b'{"detail": "not found"}'])
def test_what_somebody_else_answers_is_neither_missing_nor_refused(status: int, body: bytes) -> None:
    for wrote, kind in ((True, Unclear), (False, Unavailable)):
        found = failure("change license", Answer(status=status, body=body), wrote=wrote, words=words)
        assert type(found) is kind


@pytest.mark.parametrize("status", [402, 403, 429])
def test_a_limit_of_requests_is_waited_for_as_long_as_the_server_says(status: int) -> None:
    found = error(status, wait=7.0)
    assert type(found) is Throttled
    assert found.retry_after == 7.0


@pytest.mark.parametrize("status", [200, 400, 402, 403])
@pytest.mark.parametrize(
    "text",
    [
        "Too many requests per minute",
        "Quota of requests exceeded for this minute",
        "Maximum number of API requests reached",
        "rate-limit",
    ],
)
def test_a_limit_of_requests_is_known_by_its_words_too_and_waits_a_whole_window(status: int, text: str) -> None:
    found = error(status, text=text)
    assert type(found) is Throttled
    assert found.retry_after == WINDOW


def test_a_customer_who_is_called_like_a_limit_holds_up_nobody() -> None:
    info = {"type": "ERROR", "value": "the name 'Rate Limit Ltd' is not allowed"}
    answer = Answer(status=400, body=msgspec.json.encode({"infos": {"info": info}}))
    found = failure("create licensee", answer, wrote=True, words=words, sent=("Rate Limit Ltd",))
    assert type(found) is Refused


def test_what_the_plan_does_not_allow_holds_up_nothing_else_of_the_account() -> None:
    found = error(402, text="Not allowed within your pricing plan")
    assert isinstance(found, Throttled)
    assert found.retry_after is None


def test_a_success_is_no_failure() -> None:
    answer = Answer(status=200, body=msgspec.json.encode({"items": {"item": [ONE]}}))
    assert failure("create license", answer, wrote=True, words=words) is None


def test_a_page_of_a_proxy_is_told_without_its_markup() -> None:
    answer = Answer(status=502, body=b"<html><script>x</script><h1>Bad</h1> Gateway</html>")
    found = failure("create license", answer, wrote=False, words=words)
    assert found is not None
    assert found.text.split() == ["Bad", "Gateway"]
