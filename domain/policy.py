"""What the vendor decided about money that is late, returned or disputed; data, not code."""

from typing import Literal

import msgspec

OnMoneyBack = Literal["disable", "keep"]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a source's subscriptions become licenses where the provider leaves it open.

    `renewal_margin_hours` is how long beyond the paid-through date a license keeps working by itself: a renewal is
    paid an hour or more after the old period ended, and webhooks come late.
    """

    renewal_margin_hours: int = 48
    on_refund: OnMoneyBack = "disable"
    on_partial_refund: OnMoneyBack = "keep"
    on_dispute: OnMoneyBack = "disable"

    def __post_init__(self) -> None:
        if not 0 <= self.renewal_margin_hours <= 24 * 366:
            raise ValueError("renewal_margin_hours must be between 0 and 8784 (one year)")
