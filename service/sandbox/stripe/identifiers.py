"""Identifiers as Stripe makes them, from a seed instead of chance."""

from hashlib import sha256

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

STEMS = {
    "cs": ("cs_{mode}_a1", 57),
    "cus": ("cus_", 14),
    "dp": ("du_1", 23),
    "prod": ("prod_", 14),
    "req": ("req_", 14),
    "si": ("si_", 14),
    # Payments begin with a 3, everything else that has a long identifier with a 1.
    "ch": ("ch_3", 23),
    "pi": ("pi_3", 23),
    "re": ("re_3", 23),
    "txn": ("txn_3", 23),
}


def identifier(seed: str, kind: str, number: int, *, mode: str = "test") -> str:
    """The `number`th identifier of that kind; the same seed always gives the same one."""
    stem, length = STEMS.get(kind, (f"{kind}_1", 23))
    rest = int.from_bytes(sha256(f"{seed}/{kind}/{number}".encode()).digest() * 2)
    letters = []
    for _ in range(length):
        rest, place = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[place])
    return stem.format(mode=mode) + "".join(letters)


class Identifiers:
    """Counts per kind, so that an account's identifiers depend on nothing but its seed and what was done to it."""

    def __init__(self, seed: str, *, livemode: bool) -> None:
        self._seed = seed
        self._mode = "live" if livemode else "test"
        self._counts: dict[str, int] = {}

    def new(self, kind: str) -> str:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return identifier(self._seed, kind, self._counts[kind], mode=self._mode)
