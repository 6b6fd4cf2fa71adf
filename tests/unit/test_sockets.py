"""Answers leave in one piece."""

import asyncio
from typing import cast

import pytest

from service.sockets import Gathered

pytestmark = pytest.mark.anyio


class Wire:
    """What a transport was told to do."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.told


def gathered(wire: Wire) -> Gathered:
    return Gathered(cast("asyncio.Transport", wire), asyncio.get_running_loop())


async def next_turn() -> None:
    await asyncio.sleep(0)


async def test_what_is_written_in_one_turn_is_sent_at_once() -> None:
    wire = Wire()
    transport = gathered(wire)
    transport.write(b"head ")
    transport.write(b"body")
    assert wire.told == []
    await next_turn()
    transport.write(b"next")
    await next_turn()
    assert wire.told == [b"head body", b"next"]


async def test_what_was_written_is_sent_before_a_connection_is_closed() -> None:
    wire = Wire()
    transport = gathered(wire)
    transport.write(b"last")
    transport.close()
    await next_turn()
    assert wire.told == [b"last", "closed"]
    assert transport.is_closing()


async def test_what_was_written_to_a_connection_that_was_reset_is_not_sent() -> None:
    wire = Wire()
    transport = gathered(wire)
    transport.write(b"late")
    wire.close()
    await next_turn()
    assert wire.told == ["closed"]
