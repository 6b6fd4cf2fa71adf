"""The store's bounds: how much may wait, how much goes into one transaction or page, and for how long."""

import msgspec

MIB = 1024 * 1024

_ALLOWED = {
    "deadline": (0.05, 300),
    "queue_events": (1, 1_000_000),
    "queue_bytes": (MIB, 4096 * MIB),
    "batch_events": (1, 10_000),
    "batch_bytes": (1024, 256 * MIB),
    "page_events": (1, 100_000),
    "page_bytes": (1024, 1024 * MIB),
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds with sane defaults. Raises ValueError for one that makes no sense."""

    deadline: float = 10.0
    """Seconds until a caller is told that the database cannot be used."""
    queue_events: int = 5_000
    queue_bytes: int = 64 * MIB
    batch_events: int = 500
    batch_bytes: int = 8 * MIB
    page_events: int = 10_000
    page_bytes: int = 16 * MIB

    def __post_init__(self) -> None:
        for name, (least, most) in _ALLOWED.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} of the event store must be between {least} and {most}")
