"""Reading the simulated Stripe's deliveries in tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.sandbox.stripe import LIFECYCLES, Delivery, Shape, lifecycles

Json = dict[str, Any]

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "stripe"
STORIES = [(name, shape) for shape in Shape for name in lifecycles(shape)]
every_story = pytest.mark.parametrize(("name", "shape"), STORIES)
with_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not here")


def parsed(deliveries: list[Delivery]) -> list[Json]:
    return [json.loads(delivery.body) for delivery in deliveries]


def told(name: str, shape: Shape = Shape.CLOVER) -> list[Json]:
    return parsed(LIFECYCLES[name](shape))


def of_type(events: list[Json], *types: str) -> list[Json]:
    return [event["data"]["object"] for event in events if event["type"] in types]
