"""Reading the simulated wallee's deliveries in tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.sandbox.wallee import EVERYTHING, LIFECYCLES, Listening, Space, deliveries

Json = dict[str, Any]

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "wallee"
with_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared fixtures are not here")
every_life = pytest.mark.parametrize("name", LIFECYCLES)


def lived(name: str) -> tuple[Space, int]:
    """The space after a life of one subscription, and the subscription's id."""
    space = LIFECYCLES[name].space()
    [subscription] = space.book.subscriptions
    return space, subscription


def bodies(space: Space, listening: Listening = EVERYTHING) -> list[Json]:
    return [json.loads(each.body) for each in deliveries(space, listening)]


def states(space: Space, name: str, listening: Listening = EVERYTHING) -> list[str]:
    """The states told of an entity type, in true order."""
    return [it["state"] for it in bodies(space, listening) if it["listenerEntityTechnicalName"] == name]
