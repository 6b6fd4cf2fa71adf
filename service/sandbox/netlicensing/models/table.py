"""Which function judges which licensing model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.sandbox.netlicensing.models import counted, features, floating, nodes, timed
from service.sandbox.netlicensing.models.verdict import Licensed, Verdict

JUDGES: Mapping[str, Callable[[Licensed], Verdict]] = {
    "Subscription": timed.subscription,
    "TryAndBuy": timed.try_and_buy,
    "Rental": timed.rental,
    "Floating": floating.floating,
    "MultiFeature": features.multi_feature,
    "PayPerUse": counted.pay_per_use,
    "Quota": counted.quota,
    "NodeLocked": nodes.node_locked,
}
