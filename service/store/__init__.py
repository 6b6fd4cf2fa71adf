"""The event store: append, read, heads. `README.md` beside this file says what it promises."""

from service.store.store import EventStore, Unsealed

__all__ = ["EventStore", "Unsealed"]
