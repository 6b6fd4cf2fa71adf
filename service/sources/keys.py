"""The public keys of a provider that signs with private ones: asked for by the id that a signature names, then kept.

Anybody can name an id, so what is asked is bounded; and a key that cannot be had right now says nothing about a
delivery, which is sent again then.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol, runtime_checkable

import structlog

from projections.provided import ProvidedError
from service.secrets import Secret

MISS_SECONDS = 60.0
"""For which an id that the provider does not know is not asked for again."""
BELIEVED_SECONDS = 3600.0
"""For which a key is believed without a question; longer only while the provider does not answer."""
ASKED_A_MINUTE = 10
"""Ids that are asked for within MINUTE, at most; a provider has few keys and seldom a new one."""
MINUTE = 60.0
WAIT_SECONDS = 4.0
"""For which a delivery waits for its key; it is asked on, for when the delivery comes again."""
MOST_KEYS = 1000

_log = structlog.get_logger(__name__)


@runtime_checkable
class HasKeys(Protocol):
    """An API that gives a provider's public keys by their ids; None for one it does not know.

    Raises ProvidedError.
    """

    async def public_key(self, key_id: str) -> str | None: ...


class KeysUnavailable(Exception):
    """Whether there is a key of that id cannot be said right now: neither take the delivery nor refuse it for good.

    `reason` is one of a few fixed texts.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeyRing:
    """The keys of one source. Safe to share between tasks; made by `key_ring`, which ends what it began."""

    def __init__(self, source: str, provided: HasKeys, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._provided = provided
        self._clock = clock
        self._keys: dict[str, Secret] = {}
        self._confirm_at: dict[str, float] = {}
        """When a key that is known is asked about again."""
        self._missed: dict[str, float] = {}
        """Until when they are believed not to exist, the oldest first."""
        self._asking: dict[str, asyncio.Task[str]] = {}
        self._asked: list[float] = []
        self._failure = ""
        """Why the last question was not answered; empty when it was."""

    async def find(self, key_id: str) -> Secret | None:
        """The public key of that id, None when the provider has none. Raises KeysUnavailable."""
        found = self._keys.get(key_id)
        if found is not None:
            self._confirm(key_id)
            return found
        if self._missed.get(key_id, 0.0) > self._clock():
            return None
        asking = self._asking.get(key_id) or self._ask(key_id)
        # Not `wait_for`, which would cancel: others wait for the same, and the next delivery will.
        done, _ = await asyncio.wait({asking}, timeout=WAIT_SECONDS)
        failure = asking.result() if done and not asking.cancelled() else "the public key was not given in time"
        if failure:
            raise KeysUnavailable(failure)
        return self._keys.get(key_id)

    def _confirm(self, key_id: str) -> None:
        """Asks about a known key again now and then, beside the delivery: the provider may have withdrawn it."""
        if self._confirm_at.get(key_id, 0.0) > self._clock() or key_id in self._asking:
            return
        with suppress(KeysUnavailable):
            self._ask(key_id)
        # Whatever comes of it: during an outage what was believed stays, and is asked about a little later.
        self._confirm_at[key_id] = self._clock() + MISS_SECONDS

    def knows(self, key_id: str) -> bool:
        """Whether a delivery need not wait for that key."""
        return key_id in self._keys

    def remember(self, key_id: str, key: Secret) -> None:
        """Keeps a key that proved a delivery before, so that a start needs no answer of the provider."""
        self._keys.setdefault(key_id, key)

    async def close(self) -> None:
        """Ends what is being asked."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _ask(self, key_id: str) -> asyncio.Task[str]:
        now = self._clock()
        self._asked = [at for at in self._asked if at > now - MINUTE]
        if len(self._asked) >= ASKED_A_MINUTE:
            raise KeysUnavailable(self._failure or "too many public keys were asked for within a minute")
        self._asked.append(now)
        task = asyncio.create_task(self._fetch(key_id))
        self._asking[key_id] = task
        task.add_done_callback(lambda _: self._asking.pop(key_id, None))
        return task

    async def _fetch(self, key_id: str) -> str:
        """Asks and keeps what is answered; why there was no answer, empty when there was one."""
        failure = self._failure = await self._fetched(key_id)
        return failure

    async def _fetched(self, key_id: str) -> str:
        try:
            text = await self._provided.public_key(key_id)
        except ProvidedError as error:
            _log.warning("a public key could not be read", source=self._source, key_id=key_id, error=str(error))
            return f"the public key could not be read: {type(error).__name__}"
        except Exception as error:  # noqa: BLE001 - a fault of ours is no reason to refuse what may be authentic
            _log.error("a fault in Tenure asking for a public key", source=self._source, error=type(error).__name__)
            return "the public key could not be read: a fault in Tenure"
        _log.info("a public key was asked for", source=self._source, key_id=key_id, found=text is not None)
        now = self._clock()
        if text is None:
            if self._keys.pop(key_id, None) is not None:
                _log.warning(
                    "a public key was withdrawn by the provider: deliveries signed with it are refused from now on",
                    source=self._source,
                    key_id=key_id,
                )
            self._missed = {missed: until for missed, until in self._missed.items() if until > now}
            self._missed[key_id] = now + MISS_SECONDS
            return ""
        while len(self._keys) >= MOST_KEYS:
            forgotten = next(iter(self._keys))
            del self._keys[forgotten]
            self._confirm_at.pop(forgotten, None)
        self._keys[key_id] = Secret(text)
        self._confirm_at[key_id] = now + BELIEVED_SECONDS
        return ""


@asynccontextmanager
async def key_ring(
    source: str, provided: HasKeys, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[KeyRing]:
    """The keys of a source, to be asked from `provided` for as long as that is open."""
    ring = KeyRing(source, provided, clock)
    try:
        yield ring
    finally:
        await ring.close()
