"""How FastSpring writes a date or an amount: once as a value, and several times for people to read.

The display fields follow the buyer's language, and some languages put a no-break space in them: never to be parsed.
"""

from typing import Any

import msgspec

from service.sandbox.fastspring.calendar import instant
from service.sandbox.fastspring.model import Account, Currency, Language

Json = dict[str, Any]

PAYOUT: Currency = "USD"
_SIGNS: dict[Currency, str] = {"USD": "$", "EUR": "€"}
_DOLLARS_FOR: dict[Currency, tuple[int, int]] = {"USD": (1, 1), "EUR": (109, 100)}


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """Whose language and currency it is, and whether in the way of 2019."""

    language: Language
    currency: Currency
    of_2019: bool

    def date(self, name: str, at: int | None) -> Json:
        """One date or instant: milliseconds, seconds, and texts."""
        written: Json = {
            name: at,
            f"{name}Value": at,
            f"{name}InSeconds": None if at is None else at // 1000,
            f"{name}Display": None if at is None else self._day(at),
        }
        if not self.of_2019:
            written[f"{name}DisplayISO8601"] = None if at is None else f"{instant(at):%Y-%m-%d}"
        return written

    def money(self, name: str, amount: int) -> Json:
        """One amount: a number of the currency's unit, in the currency paid in and in the one paid out."""
        times, divisor = _DOLLARS_FOR[self.currency]
        dollars = amount * times // divisor
        return {
            name: self.number(amount),
            f"{name}Display": self.amount(amount, self.currency),
            f"{name}InPayoutCurrency": self.number(dollars),
            f"{name}InPayoutCurrencyDisplay": self.amount(dollars, PAYOUT),
        }

    def number(self, amount: int) -> float | int:
        """In 2019 a whole amount had no point."""
        whole, rest = divmod(amount, 100)
        return whole if self.of_2019 and not rest else amount / 100

    def amount(self, amount: int, currency: Currency) -> str:
        sign, value = _SIGNS[currency], f"{amount / 100:,.2f}"
        if self.language == "de":
            return value.translate(str.maketrans(",.", ".,")) + "\N{NO-BREAK SPACE}" + sign
        return sign + value

    def _day(self, at: int) -> str:
        day = instant(at)
        if self.language == "de":
            return f"{day:%d.%m.%y}"
        return f"{day.month}/{day.day}/{day:%y}"


def writing_for(account: Account, *, of_2019: bool) -> Writing:
    return Writing(language=account.language, currency=account.currency, of_2019=of_2019)
