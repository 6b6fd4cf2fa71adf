"""What Prometheus is shown of a running service and of what its database holds."""

from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection

from domain.events import PARTITIONS, partition_of
from service.settings import Settings
from tests.sealed import seal
from tests.serving import Served, settings
from tests.shop import STORY, as_event, open_shop, project, refused

pytestmark = pytest.mark.anyio


@pytest.fixture
def configured(database: str) -> Settings:
    return settings(database)


@pytest.fixture
async def shop(configured: Settings, database: str) -> AsyncIterator[Served]:
    async with open_shop(configured, database) as shop:
        yield shop


async def test_metrics_are_text_that_prometheus_reads(shop: Served) -> None:
    answer = await shop.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "tenure_append_seconds_bucket" in answer.text


async def test_metrics_count_the_work_of_each_target_and_its_dead_letters(
    shop: Served, configured: Settings, database: str
) -> None:
    due, failing, letters = (
        f'tenure_{name}{{target="ls"}}' for name in ("pushes_due", "pushes_failing", "dead_letters")
    )
    assert [await shop.metric(each) for each in (due, failing, letters)] == [1, 0, 0]
    reader = shop.process.reader
    await refused(reader.log, (await reader.queries.licenses())[0].id)
    await project(configured, database)
    async with await AsyncConnection.connect(database) as connection:
        await connection.execute("update projection_1.push set attempts = 3")
    assert [await shop.metric(each) for each in (due, failing, letters)] == [1, 1, 1]


async def test_metrics_tell_what_is_asked_of_each_source_and_how_long_the_oldest_waits(
    shop: Served, database: str
) -> None:
    wants, oldest = 'tenure_wants_open{source="shop"}', 'tenure_oldest_want_age_seconds{source="shop"}'
    asked = len(await shop.process.reader.queries.wants())
    assert asked > 0
    assert await shop.metric(wants) == asked
    async with await AsyncConnection.connect(database) as connection:
        await connection.execute("update projection_1.want set since = now() - interval '1 hour'")
    assert 3600 <= await shop.metric(oldest) < 3700
    assert await shop.metric('tenure_wants_open{source="other"}') == 0


async def test_metrics_show_nothing_of_a_database_that_cannot_be_asked(shop: Served, database: str) -> None:
    assert await shop.metric('tenure_streams{state="pending",status="stopped"}') == 1
    async with await AsyncConnection.connect(database) as connection:
        await connection.execute("alter schema projection_1 rename to gone")
    text = (await shop.http.get("/metrics")).text
    assert "tenure_projection_lag_events NaN" in text
    assert "tenure_streams{" not in text
    assert "tenure_pushes_due{" not in text


async def test_metrics_tell_how_far_the_hash_chain_is_behind_and_for_how_long(shop: Served, database: str) -> None:
    behind, oldest = "tenure_seal_lag_events", "tenure_oldest_unsealed_age_seconds"
    log = shop.process.reader.log
    heads = await log.heads(range(PARTITIONS))
    assert await shop.metric(behind) == sum(heads.values()) > 1
    assert 0 < await shop.metric(oldest) < 600
    partition = min(each for each, position in heads.items() if position)
    one = f'tenure_seal_lag_partition_events{{partition="{partition}"}}'
    assert await shop.metric(one) == heads[partition]
    await seal(database)
    assert [await shop.metric(each) for each in (behind, oldest)] == [0, 0]
    assert "tenure_seal_lag_partition_events{" not in (await shop.http.get("/metrics")).text
    appended = as_event(STORY[0], source="other")
    await log.append([appended])
    later = f'tenure_seal_lag_partition_events{{partition="{partition_of(appended.stream)}"}}'
    assert [await shop.metric(each) for each in (behind, later)] == [1, 1]


async def test_metrics_count_streams_in_need_and_what_is_not_projected_yet(shop: Served) -> None:
    assert await shop.metric('tenure_streams{state="pending",status="stopped"}') == 1
    assert await shop.metric("tenure_projection_lag_events") == 0
    await shop.process.reader.log.append([as_event(STORY[0], source="other")])
    assert await shop.metric("tenure_projection_lag_events") == 1
