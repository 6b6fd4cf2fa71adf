"""Many lives from a few: what the simulated stores tell of one subscription, told again of any number of others.

A simulator takes milliseconds for a life; a copy takes microseconds, since only the identifiers are exchanged.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial

import msgspec

from service.sandbox import fastspring, stripe, wallee
from tests.benchmarks.workload import busy_life

COPIES = 100_000_000
"""How many copies of a life there can be."""
LONG, LONG_LIVES = 20, 4
_WORD = re.compile(rb"[A-Za-z0-9_-]{12,}")
_EMAIL = re.compile(rb"[a-z.]+@example\.com")
_DIGITS = 8


class Pattern(msgspec.Struct, frozen=True):
    """A life as request bodies, each cut at its identifiers: text, identifier, text, …"""

    bodies: tuple[tuple[bytes, ...], ...]

    def copy(self, number: int) -> list[bytes]:
        """The bodies of the copy of that number; every number has identifiers and an email address of its own."""
        own = b"%08d" % (number % COPIES)
        return [_joined(parts, own) for parts in self.bodies]

    def body(self, place: int, number: int) -> bytes:
        """One of them."""
        return _joined(self.bodies[place], b"%08d" % (number % COPIES))


def _joined(parts: Sequence[bytes], own: bytes) -> bytes:
    words = list(parts)
    # The beginning of an identifier tells it from the others of the same life.
    words[1::2] = [_renamed(word, own) for word in parts[1::2]]
    return b"".join(words)


def _renamed(word: bytes, own: bytes) -> bytes:
    if b"@" in word:
        return b"ada." + own + b"@example.com"
    return word[:-_DIGITS] + own


def pattern(life: Callable[[str], Sequence[bytes]]) -> Pattern:
    """Of a function that gives the bodies of a life by its seed: what differs from seed to seed is an identifier."""
    bodies, others = life("one"), life("another")
    identifiers = {word for body in bodies for word in _WORD.findall(body)}
    identifiers -= {word for body in others for word in _WORD.findall(body)}
    identifiers |= {word for body in bodies for word in _EMAIL.findall(body)}
    cut = re.compile(b"(" + b"|".join(map(re.escape, sorted(identifiers, key=len, reverse=True))) + b")")
    return Pattern(tuple(tuple(cut.split(body)) for body in bodies))


@cache
def stripe_lives() -> tuple[Pattern, ...]:
    """Every life of a subscription that Stripe's simulator knows."""
    lives = stripe.lifecycles(stripe.Shape.CLOVER).items()
    return tuple(pattern(partial(_stripe, name, life)) for name, life in lives if not name.startswith("one_time"))


def _stripe(name: str, life: stripe.Lifecycle, seed: str) -> list[bytes]:
    return [each.body for each in life(seed=f"{name} {seed}", types=stripe.LICENSING)]


@cache
def long_lives() -> tuple[Pattern, ...]:
    """Some lives of the length that a subscription has after a year: 20 webhooks of 3.2 kB each."""
    return tuple(
        Pattern(pattern(partial(_stripe, f"busy {number}", busy_life)).bodies[:LONG]) for number in range(LONG_LIVES)
    )


def of_lives(number: int) -> bytes:
    """The webhook of that number, where many subscriptions of Stripe live at once, each event of each in its turn."""
    lives = stripe_lives()
    generation, place = divmod(number, sum(len(life.bodies) for life in lives))
    life, place = _in_turn()[place]
    return lives[life].body(place, generation)


@cache
def _in_turn() -> list[tuple[int, int]]:
    """Every body of one generation as life and place, the first of each life before the second of any."""
    places = [(life, place) for life, told in enumerate(stripe_lives()) for place in range(len(told.bodies))]
    return sorted(places, key=lambda each: each[1])


@cache
def fastspring_lives() -> tuple[Pattern, ...]:
    """Every life that FastSpring's simulator knows, several events in a body where one act has them."""
    return tuple(pattern(partial(_fastspring, name, life)) for name, life in fastspring.LIFECYCLES.items())


def _fastspring(name: str, life: fastspring.Lifecycle, seed: str) -> list[bytes]:
    store = life.store(seed=f"{name} {seed}")
    return [each.body for each in fastspring.deliveries(store, types=fastspring.LICENSING)]


@cache
def wallee_change() -> Pattern:
    """A change of a subscription, as one small webhook of wallee tells it."""

    def told(seed: str) -> list[bytes]:
        space = next(iter(wallee.LIFECYCLES.values())).space(seed=seed)
        return [each.body for each in wallee.deliveries(space, wallee.LICENSING, kinds=["subscription"])][:1]

    return pattern(told)
