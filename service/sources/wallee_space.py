"""Requests to wallee's API 2.0: an object by its id, a list by a query, a public key. Each answer as it came.

Paths, query and the form of lists are those of wallee's own SDK 6.4.0 (`wallee/service/`).
"""

import re
from typing import TypeVar

import msgspec
from msgspec import Struct

from projections.http import Http
from projections.provided import Unavailable
from service.sources.exchange import LARGEST_ANSWER, Answered, Exchange
from service.sources.wallee import LONGEST_KEY, public_key
from service.sources.wallee_auth import WalleeAuth

ENTRIES, MOST_PAGES = 100, 3
"""Of one list."""
LARGEST_LIST = LARGEST_ANSWER // 4
"""Bytes of a list, from which on no further page is asked for: a reading holds several."""
KEY_SECONDS = 8.0

_TOKEN = re.compile(r"\beyJ[\w-]*\.[\w-]*(?:\.[\w-]*)?")

Params = list[tuple[str, str]]
T = TypeVar("T")


class _Failed(Struct, frozen=True):
    id: str | None = None
    code: str | None = None
    message: str | None = None


class _Object(Struct, frozen=True):
    id: int


class _List(Struct, frozen=True, rename="camel"):
    data: list[msgspec.Raw]
    has_more: bool = False


class WalleeSpace:
    """One space, for reading only, as whom `auth` signs for; `secrets` are never shown."""

    def __init__(self, http: Http, auth: WalleeAuth, space: str, *, secrets: list[str], deadline: float = 30.0) -> None:
        self._exchange = Exchange(
            http, {"Space": space}, sign=auth.headers, secrets=secrets, words=_words, deadline=deadline
        )
        # Keys are the platform's, so they have no space (SDK 6.4.0, webhook_encryption_keys_service.py).
        accept = {"Accept": "text/plain, application/json"}
        self._keys = Exchange(
            http, accept, sign=auth.headers, secrets=secrets, words=_words, deadline=min(deadline, KEY_SECONDS)
        )

    async def public_key(self, key_id: str) -> str | None:
        """The public key of that id, base64 of DER; None where there is none. Raises ProvidedError."""
        about = f"webhooks/encryption-keys/{key_id}"
        answered = await self._keys.get(about, f"/{about}", limit=4 * LONGEST_KEY)
        if _is_nothing(about, answered):
            return None
        # A text, or a text in JSON: the SDK takes both.
        text = answered.body.decode("ascii", "replace").strip().removeprefix('"').removesuffix('"')
        try:
            public_key(text)
        except ValueError as error:
            raise Unavailable(about, status=200, text=str(error)) from None
        return text

    async def get(self, about: str, path: str, *expanded: str) -> msgspec.Raw | None:
        """The object at that path; None where there is none. Raises ProvidedError, which is `about` what is told."""
        answered = await self._exchange.get(about, f"/{path}", _expand(expanded))
        if _is_nothing(about, answered):
            return None
        decoded(about, answered.body, _Object)
        return msgspec.Raw(answered.body)

    async def search(self, about: str, path: str, query: str, *expanded: str) -> list[msgspec.Raw]:
        """The objects that fit the query, the newest first, at most MOST_PAGES of ENTRIES. Raises ProvidedError."""
        found: list[msgspec.Raw] = []
        asked = [("query", query), ("order", "id:DESC"), ("limit", str(ENTRIES)), *_expand(expanded)]
        size = 0
        for _ in range(MOST_PAGES):
            further = [("offset", str(len(found)))] if found else []
            answered = await self._exchange.get(about, f"/{path}/search", asked + further)
            if answered.status != 200:
                raise self._exchange.refusal(about, answered)
            page = decoded(about, answered.body, _List)
            found += page.data
            size += len(answered.body)
            if not (page.has_more and page.data) or size > LARGEST_LIST:
                break
        return found


def decoded(about: str, body: bytes | msgspec.Raw, type_: type[T]) -> T:
    """Raises Unavailable for what is not of that form."""
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Unavailable(about, status=200, text="the answer is not of the form that wallee's have") from None


def _expand(names: tuple[str, ...]) -> Params:
    return [("expand", name) for name in names]


def _is_nothing(about: str, answered: Answered) -> bool:
    """Whether there is no such thing, which is believed in wallee's own words alone: a wrong address says 404, too."""
    if answered.status != 404:
        return False
    if not _words(answered.body):
        raise Unavailable(about, status=404, text="this is not wallee's: check the url of the source's API")
    return True


def _words(body: bytes) -> str:
    try:
        failed = msgspec.json.decode(body, type=_Failed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    # An error may quote the token that it was asked with.
    return _TOKEN.sub("[token]", failed.message or failed.code or failed.id or "")
