"""Read-backs: what a payload leaves out is asked from the provider's API, and the answer is appended as an event.

No fold asks anybody. The fold of a stream shows what it wants (`Provider.wants`), somebody asks, and what comes back
is an event of origin `readback` like any other: kept as it was at that moment, translated on read.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from domain.events import Event
from domain.upcasting import encode_own, upcast

TYPE = "readback."
"""How the types of read-back events begin; the rest is the provider's word for what was read."""


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be asked from the provider.

    `about` is the path of the API's resource with its query, without version and leading slash, as the provider's
    own module understands it; `why` says in words what is missing. `essential`: no license can be derived before.
    `patient`: a webhook may well say it soon, so it is not asked at once.
    """

    about: str
    why: str
    essential: bool = False
    patient: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a read-back event: what was asked, and the pages of the answer, each exactly as it came.

    No page at all means that the API knows of no such thing.
    """

    about: str
    pages: tuple[msgspec.Raw, ...] = ()


_decoder = msgspec.json.Decoder(Answer)


def read_answer(event: Event) -> Answer:
    """The answer a read-back event holds. Raises ValueError."""
    return _decoder.decode(upcast(TYPE, event.body))


def encode_answer(about: str, pages: Iterable[bytes]) -> bytes:
    """The body of a read-back event; each page is JSON."""
    return encode_own(TYPE, Answer(about=about, pages=tuple(map(msgspec.Raw, pages))))


def instant_of(asked_at: datetime) -> datetime:
    """The `occurred_at` of an answer: the second in which it was asked.

    Providers' clocks have whole seconds or finer; whatever changed while the question was on its way has an event
    of its own that sorts after it.
    """
    return asked_at.replace(microsecond=0)
