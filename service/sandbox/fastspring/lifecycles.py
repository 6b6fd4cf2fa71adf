"""Whole lives of subscriptions and purchases, by name: what happened, told by the events FastSpring sends."""

from service.sandbox.fastspring.lifecycle import Lifecycle
from service.sandbox.fastspring.lives import LIVES
from service.sandbox.fastspring.purchases import PURCHASES

LIFECYCLES: dict[str, Lifecycle] = {each.name: each for each in (*LIVES, *PURCHASES)}
