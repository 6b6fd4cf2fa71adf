"""From an answer of NetLicensing that is no success to the error that says what to do. Pure.

Classified by status, and where it is not told apart by the name of the exception (client-java, src/test): what is not
there is `NotFoundException`. That is believed in NetLicensing's own envelope alone: a proxy, or a path that is wrong,
answers 404 as well. How a rate limit is answered is documented nowhere, so every way that makes sense counts.
"""

import re
from collections.abc import Callable, Iterable

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
_PACE = re.compile(
    r"too many (\w+ )?(requests|calls)|rate.?limit|throttl|requests? (per|limit)|"
    r"(limit|number|quota) of (\w+ )?requests",
    re.IGNORECASE,
)
_ELSEWHERE = frozenset({404, 405, 410, 421})
"""What a proxy answers for a path that it does not know; so does a redirect."""
_MARKUP = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^>]*>", re.IGNORECASE | re.DOTALL)


class PlanExhausted(Throttled):
    """The plan of the account does not allow it: nothing was done."""

    remedy = "see what the account's NetLicensing plan allows"


def failure(
    call: str, answer: Answer, *, wrote: bool, words: Callable[[str], str], sent: Iterable[str] = ()
) -> TargetError | None:
    """The error that an answer stands for, None for a success. `wrote` is true for anything but a GET.

    `sent` are the values that the answer may repeat, and that therefore must not pass for the server's own words.
    """
    envelope = envelope_in(answer.body)
    problem = envelope.problems[0] if envelope and envelope.problems else None
    if 200 <= answer.status < 300 and problem is None:
        return None
    text = words(spoken(answer.body, problem))
    paced = _PACE.search(text) is not None and not any(_PACE.search(value) for value in sent)
    kind = _kind(answer, problem, paced=paced, wrote=wrote)
    if _is_elsewhere(answer, problem):
        text = f"{text} (not NetLicensing's own answer: check the target's url)"
    wait = answer.retry_after
    if kind is Throttled and wait is None:
        wait = WINDOW
    return kind(call, status=answer.status, text=text, retry_after=wait)


def spoken(body: bytes, problem: Problem | None) -> str:
    """The server's own words."""
    if problem is None:
        return _MARKUP.sub(" ", body[:READ_LIMIT].decode("utf-8", "replace"))
    return f"{problem.id}: {problem.text}" if problem.id else problem.text


def _is_elsewhere(answer: Answer, problem: Problem | None) -> bool:
    return problem is None and (answer.status in _ELSEWHERE or 300 <= answer.status < 400)


def _kind(answer: Answer, problem: Problem | None, *, paced: bool, wrote: bool) -> type[TargetError]:
    status = answer.status
    if status == 429 or (status in {402, 403} and answer.retry_after is not None) or (paced and status < 500):
        return Throttled
    if _is_elsewhere(answer, problem):
        return Unclear if wrote else Unavailable
    if status < 300 and not wrote:
        # A look that met an error saw nothing, be it an error of something that is not found.
        return Unavailable
    if status in _KINDS:
        return _KINDS[status]
    if status >= 500 or status == 408:
        # Even a 503: a proxy may have lost the answer of a server that acted.
        return Unclear if wrote else Unavailable
    if status >= 400 and problem is not None and _MISSING.search(f"{problem.id} {problem.text}"):
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
