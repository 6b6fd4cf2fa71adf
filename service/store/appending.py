"""The statement that makes events durable: one for an event by itself, one for any number at once."""

from collections.abc import Sequence
from hashlib import sha256

from service.store.rows import Request
from service.store.sql import statements

_APPEND = statements("append.sql")


def append_of(requests: Sequence[Request]) -> tuple[bytes, Sequence[object]]:
    """The statement that stores the events of those requests, one after the other, and its arguments.

    Each event, in their order, gives a row with the fields of `Appended`.
    """
    match requests:
        case [Request(rows=[row], bodies=[body])]:
            return _APPEND["append_one"], (*row[:-1], body, sha256(body).digest())
        case _:
            return _APPEND["append"], _columns(requests)


def _columns(requests: Sequence[Request]) -> list[Sequence[object]]:
    rows = [row for one in requests for row in one.rows]
    columns: list[Sequence[object]] = [list(column) for column in zip(*rows, strict=True)]
    bodies: list[bytes] = []
    body_of: list[int] = []
    for one in requests:
        before = len(bodies) + 1  # PostgreSQL counts from 1
        body_of.extend(before + row[-1] for row in one.rows)
        bodies.extend(one.bodies)
    return [*columns[:-1], body_of, bodies, [sha256(body).digest() for body in bodies]]
