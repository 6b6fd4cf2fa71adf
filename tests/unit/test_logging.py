"""Logs hold nothing secret and nothing personal, whoever writes them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from service.logging import HIDDEN, hide, set_up_logging


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    set_up_logging("DEBUG", stream)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "key", ["authorization", "API_KEY", "apikey", "signing_secret", "token", "password", "email", "body", "headers"]
)
def test_a_telling_key_hides_its_value(key: str) -> None:
    assert hide(None, "", {key: "x"}) == {key: HIDDEN}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("signed with whsec_abc123", "signed with [hidden]"),
        ("key sk_live_abc", "key [hidden]"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [hidden]"),
        ("Api-Key ABCD.efgh", "Api-Key [hidden]"),
        ("postgresql://user:word@host/db", "postgresql://[hidden]@host/db"),
        ("host=h password=word dbname=d", "host=h password=[hidden] dbname=d"),
        ("to ada.b+c@mail.example.com now", "to [hidden] now"),
        ("nothing at all: evt_1 @ 12:00", "nothing at all: evt_1 @ 12:00"),
    ],
)
def test_a_telling_text_is_hidden_under_any_key(text: str, hidden: str) -> None:
    assert hide(None, "", {"event": text})["event"] == hidden
    assert hide(None, "", {"deep": [{"inner": (text,)}]}) == {"deep": [{"inner": [hidden]}]}


def test_lines_are_json_where_no_person_watches(written: io.StringIO) -> None:
    structlog.get_logger("tenure.test").warning("it happened", source="shop")
    [line] = lines(written)
    assert (line["event"], line["level"], line["logger"], line["source"]) == (
        "it happened",
        "warning",
        "tenure.test",
        "shop",
    )
    assert line["timestamp"].endswith("Z")


def test_libraries_log_in_the_same_form_and_as_little(written: io.StringIO) -> None:
    logging.getLogger("some.library").error("cannot reach %s", "postgresql://me:word@host/db")
    [line] = lines(written)
    assert line["event"] == "cannot reach postgresql://[hidden]@host/db"


def test_exceptions_are_logged_without_what_they_quote(written: io.StringIO) -> None:
    try:
        raise ValueError("ada@example.com whsec_1")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    text = written.getvalue()
    assert "ValueError" in text
    assert "ada@" not in text
    assert "whsec_1" not in text
