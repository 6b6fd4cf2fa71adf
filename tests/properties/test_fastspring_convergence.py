"""The same events of FastSpring give the same subscriptions, licenses and timelines, in any order and however often.

Whole lives, with webhook expansion, without it and as of 2019, go through the real store and the real runner: once in
true order, and once shuffled, doubled, batched anew and cut into rounds. Every derived row, every stored fold byte for
byte, and every timeline must be the same; and with expansion states and licenses must be what the store's books say.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.providers.fastspring import PROVIDER
from service.sandbox.fastspring import LIFECYCLES, Shape, Store, deliveries
from tests.converging import Worlds
from tests.databases import Server
from tests.expectations import Expected, expected
from tests.strategies.acts import decided
from tests.strategies.fastspring import shuffled_and_doubled, stores
from tests.strategies.fastspring import told as random_told

EXAMPLES = 150


@pytest.fixture
def worlds(server: Server, migrated_template: str) -> Iterator[Worlds]:
    with server.database(template=migrated_template) as true, server.database(template=migrated_template) as other:
        worlds = Worlds((server.dsn(true), server.dsn(other)), PROVIDER)
        try:
            yield worlds
        finally:
            worlds.close()


def found(rows: dict[str, Any]) -> dict[str, Expected]:
    """The states and the numbers of enabled licenses of subscriptions and purchases, by kind and id."""
    enabled = Counter(stream for _, stream, _, _, works, *_ in rows["license"] if works)
    # A return or a chargeback alone says nothing of what was bought: it is passed on.
    named = {stream: state for stream, status, state, *_ in rows["stream"] if status != "unrouted"}
    return {
        stream.partition("/")[2]: Expected(state, enabled[stream])
        for stream, state in named.items()
        if stream.split("/")[1] in {"subscription", "order"}
    }


@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_lives_converge_whatever_the_order_of_arrival(worlds: Worlds, data: st.DataObject) -> None:
    told = data.draw(random_told(data.draw(stores(most_acts=6))))
    arriving = data.draw(shuffled_and_doubled(told))
    cuts = data.draw(st.lists(st.integers(0, len(arriving)), max_size=4))
    worlds.converge(told, arriving, cuts)


@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(store=stores(orderly=True))
def test_random_lives_end_as_the_books_of_the_store_say(worlds: Worlds, store: Store) -> None:
    told = deliveries(store)
    assert_as_expected(worlds.converge(told, told, []), store)


@pytest.mark.timeout(900)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_operators_decide_converges_with_random_lives_whenever_it_is_heard_of(
    worlds: Worlds, data: st.DataObject
) -> None:
    told = data.draw(random_told(data.draw(stores(most_acts=4))))
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
    for name, life in LIFECYCLES.items():
        told = life(shape, most=1)
        assert told, name
        worlds.converge(told, [*reversed(told), *told], [len(told) // 2, len(told)])


@pytest.mark.parametrize("name", LIFECYCLES)
def test_every_named_life_ends_as_the_books_of_the_store_say(worlds: Worlds, name: str) -> None:
    store = LIFECYCLES[name].store()
    told = deliveries(store)
    assert_as_expected(worlds.converge(told, [*reversed(told), *told], [1]), store)


def assert_as_expected(rows: dict[str, Any], store: Store) -> None:
    assert found(rows) == expected(store)
