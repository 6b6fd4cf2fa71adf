"""Makes ids, license keys and first passwords, in the shapes LicenseSpring gives them."""

from __future__ import annotations

import random

from service.sandbox.clock import Clock

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
KEY_LENGTH = 16
SMALLEST_LARGE_ID = 10**15


class Mint:
    """Large ids look like microseconds since 1970 and always grow; small ids count. Each id is given once."""

    def __init__(self, clock: Clock, seed: int | None = None) -> None:
        self._clock = clock
        self._random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 (sandbox)
        self._large = SMALLEST_LARGE_ID
        self._small = 0

    def never_below(self, large: int, small: int) -> None:
        """Ids given from now on are above these, which are in use."""
        self._large = max(self._large, large)
        self._small = max(self._small, small)

    def large_id(self) -> int:
        self._large = max(self._large + 1, int(self._clock.now().timestamp() * 1_000_000))
        return self._large

    def small_id(self) -> int:
        self._small += 1
        return self._small

    def key(self, length: int = KEY_LENGTH, alphabet: str = ALPHABET) -> str:
        """Groups of four, such as `AAAA-BBBB-CCCC-DDDD`."""
        letters = "".join(self._random.choice(alphabet) for _ in range(length))
        return "-".join(letters[start : start + 4] for start in range(0, length, 4))

    def password(self) -> str:
        return "".join(self._random.choice(ALPHABET) for _ in range(10))
