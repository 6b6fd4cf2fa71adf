"""One request to an API and its answer, over kept connections: bounded in time and size, and never sent twice unasked.

What may go wrong is told by the one thing that matters after a write: whether the request can have been read.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import quote, urlencode

import msgspec
from yarl import URL

Params = Iterable[tuple[str, str]]


class NotSent(Exception):
    """The request failed before its first byte was written."""


class Lost(Exception):
    """The request may have been read and acted on, but no answer came."""


class Headers(dict[str, str]):
    """Headers that hold a key, and so are not shown, should a traceback print local values."""

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. `body` holds at most as many bytes as were asked for; `is_cut` where there are more.

    `broken` says why the rest of a body did not come. `retry_after` is what the server asks to wait, in seconds.
    """

    status: int
    body: bytes
    is_cut: bool = False
    broken: str = ""
    retry_after: float | None = None


class Http(Protocol):
    """An API at the address `base`, which ends with a slash."""

    base: URL

    async def send(
        self, method: str, url: URL, *, headers: Headers, content: bytes | None, limit: int, deadline: float
    ) -> Answer:
        """Sends one request and reads at most `limit` bytes of its answer; follows no redirect.

        `deadline` bounds the whole of it, in seconds. Raises NotSent and Lost.
        """
        ...


def url_of(http: Http, path: str, params: Params | Mapping[str, str] = ()) -> URL:
    """The URL of what is at that path below the base; what is escaped in `path` already stays as it is."""
    given = params.items() if isinstance(params, Mapping) else params
    query = urlencode(list(given))
    escaped = quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~")
    return URL(f"{http.base}{escaped}{'?' if query else ''}{query}", encoded=True)
