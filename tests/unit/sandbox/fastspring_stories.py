"""Reading the simulated FastSpring's deliveries in tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.sandbox.fastspring import LIFECYCLES, Shape, Store, deliveries

Json = dict[str, Any]

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "fastspring"
with_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not here")
every_story = pytest.mark.parametrize(("name", "shape"), [(name, shape) for name in LIFECYCLES for shape in Shape])


def events_of(store: Store, shape: Shape = Shape.EXPANDED) -> list[Json]:
    """Every event in true order."""
    requests = [json.loads(delivery.body) for delivery in deliveries(store, shape, calm=True)]
    return [event for request in requests for event in request["events"]]


def told(name: str, shape: Shape = Shape.EXPANDED) -> list[Json]:
    return events_of(LIFECYCLES[name].store(), shape)


def of_type(events: list[Json], *types: str) -> list[Json]:
    return [event["data"] for event in events if event["type"] in types]
