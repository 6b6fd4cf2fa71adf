"""One HTTP request to a license server and its answer: bounded in time and size, and every failure told apart.

Nothing is tried twice here; when to try again is the pusher's decision.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from projections.http import Headers, Http, Lost, NotSent, url_of
from projections.targets.errors import TargetError, Unavailable, Unclear

Method = Literal["GET", "POST", "PATCH", "DELETE"]

ANSWER_LIMIT = 4 * 1024 * 1024
TEXT_LIMIT = 500
READ_LIMIT = 8 * TEXT_LIMIT

_REDACTED = (
    (re.compile(r"""(password\w*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|\S+)""", re.IGNORECASE), r"\1[password]"),
    (re.compile(r"[^\s\"'<>@:,;()]{1,64}@[^\s\"'<>@:,;()]{1,255}"), "[e-mail]"),
    (re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3,59}\b"), "[license key]"),
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: the body as far as it came and fits, and what was wrong with that.

    `retry_after` is what the server asks to wait, in seconds.
    """

    status: int
    body: bytes
    trouble: str = ""
    retry_after: float | None = None


async def exchanged(
    http: Http,
    call: str,
    method: Method,
    path: str,
    *,
    headers: Headers,
    deadline: float,
    words: Callable[[str], str],
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Answer:
    """Sends one request; redirects are not followed. `words` takes secrets out of what errors say.

    Raises Unavailable where nothing was done for certain, and Unclear where a write may have been acted on.
    """
    url = url_of(http, path, params or {})
    try:
        answer = await http.send(method, url, headers=headers, content=content, limit=ANSWER_LIMIT, deadline=deadline)
    except NotSent as error:
        raise Unavailable(call, text=words(str(error))) from None
    except Lost as error:
        raise unclear(call, wrote=method != "GET", text=words(str(error))) from None
    trouble = f"answer longer than {ANSWER_LIMIT} bytes" if answer.is_cut else ""
    if answer.broken:
        trouble = f"answer broken off: {answer.broken}"
    return Answer(status=answer.status, body=answer.body, trouble=trouble, retry_after=answer.retry_after)


def unclear(call: str, *, wrote: bool, status: int | None = None, text: str = "") -> TargetError:
    """The error for an outcome that is not known: a read that failed did nothing, a write may have acted."""
    return (Unclear if wrote else Unavailable)(call, status=status, text=text)


def redacted(text: str, secret: str = "") -> str:
    """One bounded line of text with nothing in it that must not be logged."""
    text = text[:READ_LIMIT]
    if secret:
        text = text.replace(secret, "[key]")
    for pattern, replacement in _REDACTED:
        text = pattern.sub(replacement, text)
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"
