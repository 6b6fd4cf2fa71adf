"""How a provider's API is asked for what its deliveries leave out: where it is, at which pace, and by whom."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from msgspec import Struct

from projections.ports import Provided


class AccountUnfit(ValueError):
    """The account that the settings name is not of the provider's form; the text says what is."""


class Reading(Struct, frozen=True, kw_only=True):
    """What a provider's API client promises.

    `open(url, key, account)` is the API at that address for as long as it is entered; entering it raises ValueError
    where the key or the account is not of the provider's form. `account` is what the settings call so: empty where a
    key is of one account alone. `url` and `requests_per_minute` hold where the settings say nothing; `burst` calls may
    be made at once. `sure_after` is how often the API has to say that there is no such thing before it is believed.
    """

    open: Callable[[str, str, str], AbstractAsyncContextManager[Provided]]
    url: str
    requests_per_minute: int
    burst: int = 10
    sure_after: int = 1
