"""What the vendor decided about money that is late, returned or disputed; data, not code."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

OnMoneyBack = Literal["disable", "keep"]
AtExpiry = Literal["leave", "disable"]
PastDueDays = int | Literal["provider"]
LONGEST_MARGIN_HOURS = 24 * 366
LONGEST_GRACE_DAYS = 366


class ProductPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decided differently for one product; what is not set is as for the source."""

    renewal_margin_hours: int | UnsetType = UNSET
    past_due_days: PastDueDays | UnsetType = UNSET
    on_refund: OnMoneyBack | UnsetType = UNSET
    on_partial_refund: OnMoneyBack | UnsetType = UNSET
    on_dispute: OnMoneyBack | UnsetType = UNSET
    on_pause: OnMoneyBack | UnsetType = UNSET
    devices_at_end: Literal["keep", "free"] | UnsetType = UNSET
    at_expiry: AtExpiry | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check(self.renewal_margin_hours, self.past_due_days)


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a source's subscriptions become licenses where the provider leaves it open.

    `renewal_margin_hours` is how long beyond the paid-through date a license keeps working by itself: a renewal is
    paid an hour or more after the old period ended, and webhooks come late. `past_due_days` is how long a subscription
    stays licensed after it fell past due: a number of days, or "provider" for as long as the provider keeps trying to
    collect. `on_pause` is for a subscription that is paused. `devices_at_end` says whether a termination also frees
    the devices that use a license, which cannot be taken back. `at_expiry` says who ends a license of which nothing is
    heard any more: the license server by the date it holds, or Tenure, for one that holds none. `products` decides
    differently by product code.
    """

    renewal_margin_hours: int = 48
    past_due_days: PastDueDays = "provider"
    on_refund: OnMoneyBack = "disable"
    on_partial_refund: OnMoneyBack = "keep"
    on_dispute: OnMoneyBack = "disable"
    on_pause: OnMoneyBack = "disable"
    devices_at_end: Literal["keep", "free"] = "keep"
    at_expiry: AtExpiry = "leave"
    products: dict[str, ProductPolicy] = {}

    def __post_init__(self) -> None:
        _check(self.renewal_margin_hours, self.past_due_days)

    @property
    def ends_some(self) -> bool:
        """Whether Tenure ends licenses of any product of which nothing is heard any more."""
        return self.at_expiry == "disable" or any(own.at_expiry == "disable" for own in self.products.values())

    def of(self, product_code: str) -> "Policy":
        """The policy as it is for one product."""
        own = self.products.get(product_code)
        return self if own is None else msgspec.structs.replace(self, **_decided(own))


class Decisions(ProductPolicy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decided for one source; what is not set is as its provider and the license server are best treated."""

    products: dict[str, ProductPolicy] = {}

    def over(self, *defaults: Mapping[str, object]) -> Policy:
        """The whole policy: these decisions over the defaults, of which the later go over the earlier."""
        policy = Policy()
        for layer in (*defaults, _decided(self)):
            policy = msgspec.structs.replace(policy, **layer)
        return policy


def set_keys(own: ProductPolicy) -> tuple[str, ...]:
    """The keys that somebody decided, those of single products aside."""
    return tuple(name for name in ProductPolicy.__struct_fields__ if getattr(own, name) is not UNSET)


def _decided(own: ProductPolicy) -> dict[str, object]:
    return {name: value for name in own.__struct_fields__ if (value := getattr(own, name)) is not UNSET}


def _check(margin: int | UnsetType, days: PastDueDays | UnsetType) -> None:
    if margin is not UNSET and not 0 <= margin <= LONGEST_MARGIN_HOURS:
        raise ValueError(f"renewal_margin_hours must be between 0 and {LONGEST_MARGIN_HOURS} (one year)")
    if isinstance(days, int) and not 0 <= days <= LONGEST_GRACE_DAYS:
        raise ValueError(f'past_due_days must be "provider" or between 0 and {LONGEST_GRACE_DAYS}')
