"""Identifiers as wallee makes them, from a seed instead of chance: numbers that rise, and a UUID for a key."""

from hashlib import sha256
from uuid import UUID

_SPACES_APART = 100_000


class Identifiers:
    """Numbers that rise with everything made in a space; spaces of other seeds have others."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._last = int.from_bytes(self._digest("numbers")[:4]) * _SPACES_APART

    def new(self) -> int:
        self._last += 1
        return self._last

    def key_id(self) -> str:
        """The id of the key that signs, a UUID."""
        return str(UUID(bytes=self._digest("key id")[:16], version=4))

    def secret(self) -> bytes:
        """32 bytes that the signing key is made from."""
        return self._digest("key")

    def _digest(self, of: str) -> bytes:
        return sha256(f"{self._seed}/{of}".encode()).digest()
