"""One question to a provider's API and its answer: bounded in time and size, and every failure told apart.

Nothing is tried twice here; when to ask again is the fetcher's decision.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from yarl import URL

from projections.http import Answer, Headers, Http, Lost, NotSent, url_of
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

    `headers` go with every request, and what `sign` gives for its URL; they hold the key, whose `secrets` are taken
    out of whatever is reported. `words` finds the API's own words in a body. `answers` are the statuses that say
    something, all others are errors.
    """

    def __init__(
        self,
        http: Http,
        headers: Mapping[str, str],
        *,
        sign: Callable[[URL], Mapping[str, str]] = lambda _: {},
        secrets: Sequence[str],
        words: Callable[[bytes], str],
        answers: frozenset[int] = frozenset({200, 404}),
        deadline: float = 30.0,
    ) -> None:
        self._headers = Headers({"Accept": "application/json", "Accept-Encoding": "identity", **headers})
        self._sign = sign
        self._http = http
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._words = words
        self._answers = answers
        self._deadline = deadline

    async def get(
        self, about: str, path: str, params: Sequence[tuple[str, str]] = (), *, limit: int = LARGEST_ANSWER
    ) -> Answered:
        """The answer to `GET {path}`, of at most `limit` bytes. Raises ProvidedError."""
        url = url_of(self._http, path, params)
        headers = Headers({**self._headers, **self._sign(url)})
        try:
            answer = await self._http.send(
                "GET", url, headers=headers, content=None, limit=limit, deadline=self._deadline
            )
        except (NotSent, Lost) as error:
            raise Unavailable(about, text=self._shown(str(error))) from None
        if answer.is_cut:
            raise Refused(about, status=answer.status, text=f"the answer has more than {limit} bytes")
        if answer.broken:
            raise Unavailable(about, status=answer.status, text=f"answer broken off: {answer.broken}")
        if answer.status not in self._answers:
            raise self._failure(about, answer)
        return Answered(answer.status, answer.body)

    def refusal(self, about: str, answered: Answered) -> ProvidedError:
        """The error for an answer that is not one to this question after all."""
        return Refused(about, status=answered.status, text=self._shown(self._words(answered.body)))

    def _failure(self, about: str, answer: Answer) -> ProvidedError:
        text = self._shown(self._words(answer.body))
        return _kind(answer.status)(about, status=answer.status, text=text, retry_after=answer.retry_after)

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
