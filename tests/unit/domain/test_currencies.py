"""Amounts in a currency's unit become amounts in its smallest unit, exactly."""

from decimal import Decimal

import pytest

from domain.currencies import digits_of, in_smallest_unit


@pytest.mark.parametrize(
    ("amount", "currency", "smallest"),
    [
        ("29.0", "USD", 2900),
        ("29.10", "usd", 2910),
        ("0.07", "EUR", 7),
        ("-5.5", "EUR", -550),
        ("1200", "JPY", 1200),
        ("1200.0", "jpy", 1200),
        ("1.5", "KWD", 1500),
        ("9.995", "USD", 1000),
        ("-0.0", "USD", 0),
        ("1", "", 100),
        ("90071992547409.93", "USD", 9_007_199_254_740_993),
    ],
)
def test_an_amount_in_the_smallest_unit(amount: str, currency: str, smallest: int) -> None:
    assert in_smallest_unit(Decimal(amount), currency) == smallest


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1e999999999", "1e18", "-1e17"])
def test_what_is_no_sum_of_money_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="no sum of money"):
        in_smallest_unit(Decimal(amount), "USD")


def test_a_tiny_amount_is_nothing() -> None:
    assert in_smallest_unit(Decimal("1e-999999"), "USD") == 0


def test_currencies_have_0_2_or_3_digits() -> None:
    assert [digits_of(code) for code in ("JPY", "USD", "xyz", "kwd")] == [0, 2, 2, 3]
