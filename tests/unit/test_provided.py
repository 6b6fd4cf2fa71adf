"""Errors of reading from a provider: bounded, on one line, and with nothing private in them."""

import pytest

from projections.http.waiting import LONGEST_WAIT
from projections.provided import TEXT_LIMIT, ProvidedError, Refused, Throttled, Unauthorized, Unavailable


def test_an_error_says_status_words_and_what_to_do() -> None:
    error = Refused("prices/price_1", status=400, text="Unrecognized\n  request")
    assert str(error) == "400 Unrecognized request (look at what the API says; it is asked again in an hour)"
    assert str(Unavailable("prices/price_1")) == "no answer (asked again later)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no customer ada.example+1@mail.example.com here", "no customer [e-mail] here"),
        ("Invalid API Key provided: sk_live_****abcd", "Invalid API Key provided: [key]"),
        ("rk_test_51AbC is restricted", "[key] is restricted"),
        ("\x1b[31mred\x00", "[31mred"),
    ],
)
def test_an_error_shows_no_addresses_keys_or_control_characters(text: str, shown: str) -> None:
    assert Unauthorized("customers/cus_1", text=text).text == shown


def test_an_error_is_short_however_much_was_said() -> None:
    assert len(Unavailable("x", text="word " * 10_000).text) == TEXT_LIMIT


@pytest.mark.parametrize(("asked", "waited"), [(None, None), (-5.0, 0.0), (7.5, 7.5), (1e9, LONGEST_WAIT)])
def test_nobody_is_made_to_wait_for_ever(asked: float | None, waited: float | None) -> None:
    assert Throttled("x", retry_after=asked).retry_after == waited


def test_who_is_not_let_in_was_refused() -> None:
    assert issubclass(Unauthorized, Refused)
    assert {Refused, Throttled, Unavailable} <= set(ProvidedError.__subclasses__())
