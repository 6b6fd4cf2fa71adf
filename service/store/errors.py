"""What can go wrong with the event store. No message holds anything of an event's content."""

from projections.ports import LogUnavailable


class StoreError(Exception):
    """The event store did not do what was asked; the message says what to do."""


class StoreBusy(StoreError, LogUnavailable):
    """The queue of waiting appends is full: nothing was stored, the sender should try again."""


class StoreUnavailable(StoreError, LogUnavailable):
    """The database could not be used within the deadline.

    An append may nevertheless have been stored, when the answer to its commit was lost. Appending the same events
    again is always safe.
    """


class UnstorableEvent(StoreError):
    """An event cannot be stored as it is, now or later, and with it none of its request."""


class MigrationError(StoreError):
    """The database's schema and this program do not fit together."""


class MigrationEdited(MigrationError):
    """A migration was changed after it had been applied."""


class DatabaseNewer(MigrationError):
    """A newer version of the program has migrated the database."""


class DatabaseOutdated(MigrationError):
    """Migrations are waiting, and this process must not apply them."""


class MigrationFailed(MigrationError):
    """A migration could not be applied; the database stands as after the one before it."""
