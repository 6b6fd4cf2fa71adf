"""The same deliveries give the same subscriptions, licenses and timelines, in any order and however often.

Whole lives of Stripe subscriptions, in the three API versions, go through the real store and the real runner: once in
true order, and once shuffled, doubled and cut into rounds, each followed by all the projecting and relaying that it
leads to. Every derived row (for two targets whose policies differ), every stored fold byte for byte, and every timeline
must be the same.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.policy import Policy
from domain.providers.stripe import PROVIDER
from service.sandbox.stripe import LIFECYCLES, Shape, lifecycles
from tests.converging import Worlds
from tests.databases import Server
from tests.strategies.acts import decided
from tests.strategies.stripe import lifecycles as random_lifecycles
from tests.strategies.stripe import shuffled_and_doubled

EXAMPLES = 200
FEEDS = {"ls": Policy(), "other": Policy(on_refund="keep", on_dispute="keep", renewal_margin_hours=1)}


@pytest.fixture
def worlds(server: Server, migrated_template: str) -> Iterator[Worlds]:
    with server.database(template=migrated_template) as true, server.database(template=migrated_template) as other:
        worlds = Worlds((server.dsn(true), server.dsn(other)), PROVIDER, FEEDS)
        try:
            yield worlds
        finally:
            worlds.close()


@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_lives_converge_whatever_the_order_of_arrival(worlds: Worlds, data: st.DataObject) -> None:
    told = data.draw(random_lifecycles(most_acts=6))
    arriving = data.draw(shuffled_and_doubled(told))
    cuts = data.draw(st.lists(st.integers(0, len(arriving)), max_size=4))
    worlds.converge(told, arriving, cuts)


@pytest.mark.timeout(900)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_operators_decide_converges_with_random_lives_whenever_it_is_heard_of(
    worlds: Worlds, data: st.DataObject
) -> None:
    told = data.draw(random_lifecycles(most_acts=4))
    arriving = data.draw(shuffled_and_doubled(told))
    worlds.converge_with_acts(
        told,
        arriving,
        data.draw(st.integers(0, len(arriving))),
        lambda licenses, at: data.draw(decided(licenses, at)),
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", list(Shape))
def test_every_named_life_converges_backwards_and_doubled(worlds: Worlds, shape: Shape) -> None:
    for name, life in lifecycles(shape).items():
        told = life(shape)
        assert told, name
        rows = worlds.converge(told, [*reversed(told), *told], [len(told) // 2, len(told)])
        at = [{row[0] for row in rows["license"] if row[2] == target} for target in FEEDS]
        assert at[0] == at[1], "what names no target is at each"


def test_there_are_lives_to_tell() -> None:
    assert len(LIFECYCLES) > 15
