"""Identifiers as FastSpring makes them, from a seed instead of chance."""

from base64 import urlsafe_b64encode
from hashlib import sha256

from service.sandbox.fastspring.calendar import instant

_CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Identifiers:
    """Counts per kind, so that a store's identifiers depend on nothing but its seed and what was done in it."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._counts: dict[str, int] = {}

    def new(self, kind: str) -> str:
        """22 characters of base64url, as of orders, accounts and subscriptions."""
        return urlsafe_b64encode(self._digest(kind)[:16]).decode().rstrip("=")

    def event(self) -> str:
        """`EV` and 28 capitals or digits, as since 2025."""
        rest = int.from_bytes(self._digest("event"))
        letters = []
        for _ in range(28):
            rest, place = divmod(rest, len(_CAPITALS))
            letters.append(_CAPITALS[place])
        return "EV" + "".join(letters)

    def reference(self, now: int) -> str:
        """What the buyer sees of an order, such as `FAL260201-1003-35981`."""
        number = int.from_bytes(self._digest("reference")[:4])
        return f"FAL{instant(now):%y%m%d}-{1000 + number % 9000}-{10000 + number // 9000 % 90000}"

    def _digest(self, kind: str) -> bytes:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return sha256(f"{self._seed}/{kind}/{self._counts[kind]}".encode()).digest()
