"""How many digits a currency's smallest unit lies behind its unit (ISO 4217)."""

from decimal import ROUND_HALF_UP, Decimal

_UNITS = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)
_THOUSANDTHS = frozenset(["bhd", "iqd", "jod", "kwd", "lyd", "omr", "tnd"])
_LARGEST = 2**63 - 1


def digits_of(currency: str) -> int:
    """0, 2 or 3; 2 for a currency that is not known."""
    code = currency.lower()
    return 0 if code in _UNITS else 3 if code in _THOUSANDTHS else 2


def in_smallest_unit(amount: Decimal, currency: str) -> int:
    """The amount of units in the smallest unit, halves of it rounded away from zero.

    Raises ValueError for one that is no number or too large to be money.
    """
    # The exponent first: an absurd one would become a number of a billion digits.
    if not amount.is_finite() or (amount and amount.adjusted() > 18):
        raise ValueError("An amount that is no sum of money")
    smallest = int(amount.scaleb(digits_of(currency)).to_integral_value(ROUND_HALF_UP))
    if abs(smallest) > _LARGEST:
        raise ValueError("An amount that is no sum of money")
    return smallest
