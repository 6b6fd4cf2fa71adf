"""From an answer of NetLicensing that is no success to the error that says what to do. Pure.

Classified by status, and where it is not told apart by the name of the exception (client-java, src/test): what is not
there is `NotFoundException`. How a rate limit is answered is documented nowhere, so every way that makes sense counts.
"""

import re
from collections.abc import Callable

from projections.targets.errors import (
    AlreadyExists,
    NotFound,
    Refused,
    TargetError,
    Throttled,
    Unauthorized,
    Unavailable,
    Unclear,
)
from projections.targets.netlicensing.envelope import Problem, envelope_in
from projections.targets.transport import READ_LIMIT, Answer

WINDOW = 60.0
"""Seconds in which plans count requests (netlicensing.io, pricing): what is waited where the server does not say."""

_MISSING = re.compile(r"notfound|not found|does(n't| not) exist", re.IGNORECASE)
_PACE = re.compile(r"too many|rate.?limit|requests? (per|limit)|limit of requests|throttl", re.IGNORECASE)
_MARKUP = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^>]*>", re.IGNORECASE | re.DOTALL)


class PlanExhausted(Throttled):
    """The plan of the account does not allow it: nothing was done."""

    remedy = "see what the account's NetLicensing plan allows"


def failure(call: str, answer: Answer, *, wrote: bool, words: Callable[[str], str]) -> TargetError | None:
    """The error that an answer stands for, None for a success. `wrote` is true for anything but a GET."""
    envelope = envelope_in(answer.body)
    problem = envelope.problems[0] if envelope and envelope.problems else None
    if 200 <= answer.status < 300 and problem is None:
        return None
    text = words(spoken(answer.body, problem))
    kind = _kind(answer, problem, text, wrote=wrote)
    wait = answer.retry_after
    if kind is Throttled and wait is None:
        wait = WINDOW
    return kind(call, status=answer.status, text=text, retry_after=wait)


def spoken(body: bytes, problem: Problem | None) -> str:
    """The server's own words."""
    if problem is None:
        return _MARKUP.sub(" ", body[:READ_LIMIT].decode("utf-8", "replace"))
    return f"{problem.id}: {problem.text}" if problem.id else problem.text


def _kind(answer: Answer, problem: Problem | None, text: str, *, wrote: bool) -> type[TargetError]:
    status = answer.status
    if status == 429 or (status in {402, 403} and (answer.retry_after is not None or _PACE.search(text))):
        return Throttled
    if status in _KINDS:
        return _KINDS[status]
    if status >= 500 or status == 408:
        # Even a 503: a proxy may have lost the answer of a server that acted.
        return Unclear if wrote else Unavailable
    if problem is not None and _MISSING.search(f"{problem.id} {problem.text}"):
        return NotFound
    return Refused


_KINDS: dict[int, type[TargetError]] = {
    401: Unauthorized,
    402: PlanExhausted,
    403: Unauthorized,
    404: NotFound,
    409: AlreadyExists,
    425: Unavailable,
}
