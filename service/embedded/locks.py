"""Locks between processes that the kernel drops when their holder dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.embedded.errors import EmbeddedServerError

POLL_SECONDS = 0.02


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor of a lock file, closed again (and so unlocked, unless a child holds it too) at the end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_exclusive(descriptor: int) -> bool:
    """Takes the lock alone, or says at once that somebody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def share(descriptor: int) -> None:
    """Takes the lock together with others."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


@contextmanager
def exclusive(path: Path, *, seconds: float) -> Iterator[None]:
    """Holds the lock alone; raises `EmbeddedServerError` when it is not free within that time."""
    deadline = time.monotonic() + seconds
    with opened(path) as descriptor:
        while not try_exclusive(descriptor):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"Another process has been starting or stopping the server of {path.parent} "
                    f"for more than {seconds:.0f} s: end that process, then try again."
                )
            time.sleep(POLL_SECONDS)
        yield
