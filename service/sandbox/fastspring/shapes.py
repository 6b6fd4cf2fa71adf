"""How a webhook was set up, and since when: what is an object and what is a string."""

from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Shape(StrEnum):
    """A way in which the same events are written."""

    EXPANDED = "expanded"
    """With expansion, as since 2023: accounts, products, orders and subscriptions are objects."""
    PLAIN = "plain"
    """Without expansion: they are the strings that identify them."""
    OF_2019 = "2019"
    """With expansion, but without the link to the first order and whatever else came later."""


_NEWER_THAN_2019 = frozenset(
    {
        "acquisitionTransactionType",
        "addons",
        "initialOrderId",
        "initialOrderReference",
        "ipAddress",
        "isAddon",
        "isPauseScheduled",
        "isSubscriptionEligibleForPauseByBuyer",
        "paymentMethod",
        "paymentMethodAction",
        "productAppReference",
        "quote",
        "siteId",
        "subscribed",
        "taxcode",
        "taxcodeDescription",
    }
)
_IDENTIFIED_BY = frozenset({"account", "order", "product", "subscription"})


def shaped(whole: Json, shape: Shape) -> Json:
    """An event's `data`, written out with everything as an object, in that shape."""
    if shape is Shape.OF_2019:
        return {name: without_newer(value) for name, value in whole.items() if name not in _NEWER_THAN_2019}
    if shape is Shape.PLAIN:
        return {name: _identified(name, value) for name, value in whole.items()}
    return whole


def without_newer(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_newer(each) for name, each in value.items() if name not in _NEWER_THAN_2019}
    return [without_newer(each) for each in value] if isinstance(value, list) else value


def _identified(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_identified(name, each) for each in value]
    if not isinstance(value, dict):
        return value
    if name in _IDENTIFIED_BY and name in value:
        return value[name]
    return {inner: _identified(inner, each) for inner, each in value.items()}
