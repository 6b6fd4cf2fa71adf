"""What reading from a provider's API raises: one class per thing that the fetcher can do next.

    ProvidedError
      Refused         asking again soon is in vain
        Unauthorized  the API key is missing, wrong or lacks a right; that says nothing about what was asked
      Throttled       come back later
      Doubtful        there is said to be no such thing, by one who says so when asked too often, too
      Unavailable     no usable answer, try again

Reading changes nothing, so there is no unclear outcome; and "there is no such thing" is an answer, not an error, once
it is to be believed.
"""

import re
from typing import ClassVar

from projections.http.waiting import LONGEST_WAIT

TEXT_LIMIT = 300

_PRIVATE = (
    (re.compile(r"[^\s\"'<>@:,;()]{1,64}@[^\s\"'<>@:,;()]{1,255}"), "[e-mail]"),
    (re.compile(r"\b(?:sk|rk|pk|whsec)_[\w*]+"), "[key]"),
)


class ProvidedError(Exception):
    """A question to a provider's API that was not answered.

    `about` is what was asked (`domain.readback.Want.about`), `status` the HTTP status if there was an answer, `text`
    the provider's own words (one line of at most TEXT_LIMIT characters, without e-mail addresses and keys),
    `retry_after` the seconds it asked to wait, if it did, at most LONGEST_WAIT.
    """

    remedy: ClassVar[str] = "look at the answer"

    def __init__(
        self, about: str, *, status: int | None = None, text: str = "", retry_after: float | None = None
    ) -> None:
        self.about = about
        self.status = status
        self.text = _bounded(text)
        self.retry_after = None if retry_after is None else min(max(retry_after, 0.0), LONGEST_WAIT)
        super().__init__(about, status, self.text)

    def __str__(self) -> str:
        answer = " ".join(part for part in (str(self.status or ""), self.text) if part)
        return f"{answer or 'no answer'} ({self.remedy})"


class Refused(ProvidedError):
    """The API will not answer this, however often it is asked."""

    remedy = "look at what the API says; it is asked again in an hour"


class Unauthorized(Refused):
    """The key is missing, wrong, withdrawn, or may not read this."""

    remedy = "check the source's API key and what it may read; a restart asks again at once"


class Throttled(ProvidedError):
    """Too many requests."""

    remedy = "asked again later, and slower"


class Doubtful(ProvidedError):
    """There is said to be no such thing, which may be true, or mean that too much was asked."""

    remedy = "asked again in some minutes, before it is believed"


class Unavailable(ProvidedError):
    """No answer, or none that could be used: a fault there, or on the way."""

    remedy = "asked again later"


def _bounded(text: str) -> str:
    text = text[: 8 * TEXT_LIMIT]
    for pattern, replacement in _PRIVATE:
        text = pattern.sub(replacement, text)
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"
