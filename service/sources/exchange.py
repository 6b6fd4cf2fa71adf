"""One question to a provider's API and its answer: bounded in time and size, and every failure told apart.

Nothing is tried twice here; when to ask again is the fetcher's decision.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import httpx2
from msgspec import Struct

from projections.http.waiting import seconds_to_wait
from projections.provided import ProvidedError, Refused, Throttled, Unauthorized, Unavailable

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes of one answer with all its pages; a source has to hold many of them at once."""

_PASSING = frozenset({408, 409, 425})
"""Statuses beside 5xx that say nothing about the question: too slow, too early, or somebody holds a lock."""


class Answered(Struct, frozen=True):
    """An answer that says something about what was asked."""

    status: int
    body: bytes


class Exchange:
    """Asks one account's API.

    `headers` go with every request and hold the key, whose `secrets` are taken out of whatever is reported; `words`
    finds the API's own words in a body. `answers` are the statuses that say something, all others are errors.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        headers: Mapping[str, str],
        *,
        secrets: Sequence[str],
        words: Callable[[bytes], str],
        answers: frozenset[int] = frozenset({200, 404}),
        deadline: float = 30.0,
    ) -> None:
        if not http.base_url.host:
            raise ValueError("the HTTP client needs the base URL of the provider's API")
        # httpx2.Headers hides the key in its repr, should a traceback print local values.
        self._headers = httpx2.Headers({"Accept": "application/json", "Accept-Encoding": "identity", **headers})
        self._http = http
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._words = words
        self._answers = answers
        self._deadline = deadline

    async def get(
        self, about: str, path: str, params: Sequence[tuple[str, str]] = (), *, limit: int = LARGEST_ANSWER
    ) -> Answered:
        """The answer to `GET {path}`, of at most `limit` bytes. Raises ProvidedError."""
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._http.stream(
                    "GET", path, params=list(params), headers=self._headers, follow_redirects=False
                ) as response,
            ):
                body = await _read(response, limit)
        except (httpx2.HTTPError, OSError) as error:
            # TimeoutError is an OSError too.
            raise Unavailable(about, text=self._shown(f"{type(error).__name__}: {error}")) from None
        except httpx2.InvalidURL:
            raise Refused(about, text="what was to be asked makes no URL") from None
        if len(body) > limit:
            raise Refused(about, status=response.status_code, text=f"the answer has more than {limit} bytes")
        if response.status_code not in self._answers:
            raise self._failure(about, response, body)
        return Answered(response.status_code, body)

    def refusal(self, about: str, answered: Answered) -> ProvidedError:
        """The error for an answer that is not one to this question after all."""
        return Refused(about, status=answered.status, text=self._shown(self._words(answered.body)))

    def _failure(self, about: str, response: httpx2.Response, body: bytes) -> ProvidedError:
        headers = response.headers
        asked = seconds_to_wait(headers.get("retry-after"), headers.get("date"))
        kind = _kind(response.status_code)
        return kind(about, status=response.status_code, text=self._shown(self._words(body)), retry_after=asked)

    def _shown(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text


def _kind(status: int) -> type[ProvidedError]:
    match status:
        case 401 | 403:
            return Unauthorized
        case 429:
            return Throttled
        case _ if status >= 500 or status in _PASSING:
            return Unavailable
        case _:
            return Refused


async def _read(response: httpx2.Response, limit: int) -> bytes:
    """The body, or a little more than may be."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)
