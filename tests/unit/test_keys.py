"""A key ring asks for what it does not know, once, seldom, and says when it could not find out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from projections.provided import ProvidedError, Throttled, Unauthorized, Unavailable
from service.secrets import Secret
from service.sources import keys
from service.sources.keys import (
    ASKED_A_MINUTE,
    BELIEVED_SECONDS,
    MINUTE,
    MISS_SECONDS,
    KeyRing,
    KeysUnavailable,
    key_ring,
)

pytestmark = pytest.mark.anyio


class Provider:
    """Knows the keys it was given; raises `error` while there is one, and answers nothing while `gate` is closed."""

    def __init__(self, **known: str) -> None:
        self.known = known
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.gate, self.reached = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def public_key(self, key_id: str) -> str | None:
        self.asked.append(key_id)
        self.reached.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.known.get(key_id)


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@asynccontextmanager
async def ringed(**known: str) -> AsyncIterator[tuple[KeyRing, Provider, Clock]]:
    provider, clock = Provider(**known), Clock()
    async with key_ring("shop", provider, clock) as ring:
        yield ring, provider, clock


async def test_a_key_is_asked_for_once_and_kept() -> None:
    async with ringed(a="KEY") as (ring, provider, clock):
        assert await ring.find("a") == Secret("KEY")
        clock.at += BELIEVED_SECONDS - 1
        assert await ring.find("a") == Secret("KEY")
        assert provider.asked == ["a"]


async def settled(ring: KeyRing) -> None:
    """What is being asked beside the deliveries is answered."""
    await asyncio.gather(*ring._asking.values())


async def test_a_withdrawn_key_is_believed_for_an_hour_and_its_last_delivery_does_not_wait() -> None:
    async with ringed(a="KEY") as (ring, provider, clock):
        assert await ring.find("a") == Secret("KEY")
        provider.known.clear()
        clock.at += BELIEVED_SECONDS
        provider.gate.clear()
        assert await ring.find("a") == Secret("KEY"), "it is asked about beside the delivery"
        provider.gate.set()
        await settled(ring)
        assert await ring.find("a") is None
        assert not ring.knows("a")
        assert provider.asked == ["a", "a"]


async def test_a_key_that_is_still_good_is_asked_about_once_an_hour_only() -> None:
    async with ringed(a="KEY") as (ring, provider, clock):
        for hour in range(1, 4):
            for _ in range(5):
                assert await ring.find("a") == Secret("KEY")
                await settled(ring)
            assert len(provider.asked) == hour
            clock.at += BELIEVED_SECONDS


async def test_a_key_is_believed_on_while_the_provider_does_not_answer() -> None:
    async with ringed(a="KEY") as (ring, provider, clock):
        await ring.find("a")
        provider.error = Unavailable("read key")
        for minute in range(3):
            clock.at += BELIEVED_SECONDS if minute == 0 else MISS_SECONDS
            for _ in range(5):
                assert await ring.find("a") == Secret("KEY")
                await settled(ring)
        assert len(provider.asked) == 4, "once a minute, until it is answered"
        provider.error = None
        provider.known.clear()
        clock.at += MISS_SECONDS
        await ring.find("a")
        await settled(ring)
        assert await ring.find("a") is None


async def test_a_key_that_was_remembered_is_asked_about_when_it_is_used_first() -> None:
    async with ringed() as (ring, provider, _):
        ring.remember("a", Secret("KEY"))
        assert await ring.find("a") == Secret("KEY")
        await settled(ring)
        assert await ring.find("a") is None
        assert provider.asked == ["a"]


async def test_a_flood_of_invented_ids_puts_the_question_off_and_no_delivery() -> None:
    async with ringed(a="KEY") as (ring, provider, clock):
        await ring.find("a")
        clock.at += BELIEVED_SECONDS
        for number in range(ASKED_A_MINUTE):
            await ring.find(str(number))
        assert await ring.find("a") == Secret("KEY")
        assert provider.asked.count("a") == 1
        clock.at += MINUTE
        await ring.find("a")
        await settled(ring)
        assert provider.asked.count("a") == 2


async def test_deliveries_of_one_moment_share_the_question() -> None:
    async with ringed(a="KEY") as (ring, provider, _):
        provider.gate.clear()
        waiting = [asyncio.ensure_future(ring.find("a")) for _ in range(50)]
        await provider.reached.wait()
        provider.gate.set()
        assert await asyncio.gather(*waiting) == [Secret("KEY")] * 50
        assert provider.asked == ["a"]


async def test_an_unknown_id_is_not_asked_again_for_a_minute() -> None:
    async with ringed() as (ring, provider, clock):
        assert [await ring.find("x") for _ in range(5)] == [None] * 5
        clock.at += MISS_SECONDS - 1
        assert await ring.find("x") is None
        assert provider.asked == ["x"]
        provider.known["x"] = "NEW"
        clock.at += 2
        assert await ring.find("x") == Secret("NEW")


async def test_a_flood_of_invented_ids_asks_little_and_remembers_little() -> None:
    async with ringed(a="KEY") as (ring, provider, clock):
        await ring.find("a")
        for minute in range(5):
            for number in range(500):
                if len(provider.asked) < (minute + 1) * ASKED_A_MINUTE:
                    assert await ring.find(f"{minute}-{number}") is None
                else:
                    with pytest.raises(KeysUnavailable, match="too many"):
                        await ring.find(f"{minute}-{number}")
            assert await ring.find("a") == Secret("KEY"), "what is known needs no question"
            assert len(provider.asked) == (minute + 1) * ASKED_A_MINUTE
            clock.at += MINUTE
        assert len(ring._missed) <= 2 * ASKED_A_MINUTE
        assert not ring._asking


async def test_a_flood_at_one_moment_is_bounded_too() -> None:
    async with ringed() as (ring, provider, _):
        provider.gate.clear()
        flood = [asyncio.ensure_future(ring.find(str(number))) for number in range(200)]
        await provider.reached.wait()
        provider.gate.set()
        found = await asyncio.gather(*flood, return_exceptions=True)
        assert len(provider.asked) == ASKED_A_MINUTE
        assert found.count(None) == ASKED_A_MINUTE
        assert sum(isinstance(each, KeysUnavailable) for each in found) == 200 - ASKED_A_MINUTE


async def test_the_cause_of_a_failure_is_still_told_when_no_more_is_asked() -> None:
    async with ringed() as (ring, provider, clock):
        provider.error = Unauthorized("webhooks/encryption-keys/a", text="secret words")
        for _ in range(ASKED_A_MINUTE + 5):
            with pytest.raises(KeysUnavailable, match="could not be read: Unauthorized"):
                await ring.find("a")
        assert len(provider.asked) == ASKED_A_MINUTE
        clock.at += MINUTE
        provider.error = None
        for number in range(ASKED_A_MINUTE):
            assert await ring.find(str(number)) is None
        with pytest.raises(KeysUnavailable, match="too many"):
            await ring.find("one more")


@pytest.mark.parametrize("error", [Unavailable, Throttled, Unauthorized])
async def test_what_could_not_be_asked_is_neither_known_nor_unknown(error: type[ProvidedError]) -> None:
    async with ringed(a="KEY") as (ring, provider, _):
        provider.error = error("webhooks/encryption-keys/a", text="secret words")
        with pytest.raises(KeysUnavailable) as caught:
            await ring.find("a")
        assert caught.value.reason == f"the public key could not be read: {error.__name__}"
        provider.error = None
        assert await ring.find("a") == Secret("KEY")


async def test_a_fault_of_ours_is_no_reason_to_refuse() -> None:
    async with ringed(a="KEY") as (ring, provider, _):
        provider.error = KeyError("a bug")
        with pytest.raises(KeysUnavailable, match="fault in Tenure"):
            await ring.find("a")


async def test_a_slow_answer_is_there_for_the_next_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "WAIT_SECONDS", 0.01)
    async with ringed(a="KEY") as (ring, provider, _):
        provider.gate.clear()
        with pytest.raises(KeysUnavailable, match="in time"):
            await ring.find("a")
        provider.gate.set()
        await asyncio.gather(*ring._asking.values())
        assert await ring.find("a") == Secret("KEY")
        assert provider.asked == ["a"]


async def test_a_sender_that_goes_away_takes_no_key_from_the_others() -> None:
    async with ringed(a="KEY") as (ring, provider, _):
        provider.gate.clear()
        gone, stays = asyncio.ensure_future(ring.find("a")), asyncio.ensure_future(ring.find("a"))
        await provider.reached.wait()
        gone.cancel()
        provider.gate.set()
        assert await stays == Secret("KEY")
        assert gone.cancelled()


async def test_what_is_being_asked_ends_with_the_ring() -> None:
    async with ringed() as (ring, provider, _):
        provider.gate.clear()
        waiting = asyncio.ensure_future(ring.find("a"))
        await provider.reached.wait()
    with pytest.raises(KeysUnavailable):
        await waiting
