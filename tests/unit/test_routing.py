"""Where streams live. These vectors must never change: a changed route would break deduplication."""

import pytest

from domain.events import (
    PARTITIONS,
    Stream,
    identifier_of,
    kind_of,
    partition_of,
    source_of,
    stream_of,
)

VECTORS = [
    ("stripe-main/subscription/sub_1MowQVLkdIwHu7ixeRlqHVzs", 206),
    ("fastspring-eu/subscription/OiJPFqmcTfOIc2SuQ1rTmA", 162),
    ("stripe-main/payment_intent/pi_3MtwBwLkdIwHu7ix28a3tqPa", 9),
    ("wallee-ch/subscription/4711", 16),
    ("stripe-main/purchase/cs_test_a1b2", 234),
    ("a/b/c", 73),
    ("a/b/c/d", 220),
    ("källa/abonnemang/åäö", 178),
    ("源/订阅/一", 47),
]


@pytest.mark.parametrize(("stream", "partition"), VECTORS)
def test_a_stream_lives_in_the_same_partition_for_ever(stream: str, partition: int) -> None:
    assert partition_of(Stream(stream)) == partition


def test_streams_spread_over_all_partitions() -> None:
    used = {partition_of(stream_of("stripe-main", "subscription", f"sub_{number}")) for number in range(5_000)}

    assert used == set(range(PARTITIONS))


def test_a_stream_names_its_parts_and_the_identifier_may_hold_slashes() -> None:
    stream = stream_of("stripe-main", "subscription", "sub/1/2")

    assert (source_of(stream), kind_of(stream), identifier_of(stream)) == ("stripe-main", "subscription", "sub/1/2")
