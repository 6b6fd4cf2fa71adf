"""What every target's client raises: one class per thing that a caller can do next.

    TargetError
      Refused            final: the same call will be refused again
        Unauthorized     the key is wrong
        NotFound         the object is not there (any more)
        AlreadyExists    a create whose id was used before
      Throttled          nothing was done, come back later
        Paced            it is not this request's turn yet; nothing was sent
      Unavailable        nothing was done, try again
      Unclear            may have been done: read back before anything is sent again

An error from a read says nothing about a write made before it: an `Unclear` write stays unclear until a read succeeds.
"""

from typing import ClassVar


class TargetError(Exception):
    """A call to a license server that did not end well.

    `call` is the short name of the API call, `status` the HTTP status if there was an answer, `text` the server's own
    words (bounded, without secrets), `retry_after` the seconds the server asked to wait, if it did.
    """

    remedy: ClassVar[str] = "look at the answer"

    def __init__(
        self, call: str, *, status: int | None = None, text: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(call, status, text)
        self.call = call
        self.status = status
        self.text = text
        self.retry_after = retry_after

    def __str__(self) -> str:
        answer = " ".join(part for part in (str(self.status or ""), self.text) if part)
        return f"{self.call}: {answer or 'no answer'} ({self.remedy})"


class Refused(TargetError):
    """The server will not do this, however often it is asked."""

    remedy = "mend what was sent or the settings, then retry"


class Unauthorized(Refused):
    """The key is missing, wrong or withdrawn."""

    remedy = "check the target's key in the settings"


class NotFound(Refused):
    """There is no such object; somebody may have deleted it."""

    remedy = "check at the license server whether it was deleted"


class AlreadyExists(Refused):
    """The id of a create is taken, most likely by an earlier attempt of our own."""

    remedy = "read it back and go on from what is there"


class Throttled(TargetError):
    """Too many requests: nothing was done."""

    remedy = "send again later, and slower"


class Paced(Throttled):
    """The account bears no further request for now, by our own count: nothing was sent, and nothing failed.

    `retry_after` is when it does; it is always told.
    """

    remedy = "wait for the next turn"


class Unavailable(TargetError):
    """Nothing was done: the request never left, or it only read."""

    remedy = "try again later"


class Unclear(TargetError):
    """The request left and may or may not have been acted on."""

    remedy = "read back before sending again"


def no_api(call: str, missing: NotFound, server: str) -> Unavailable:
    """The error for a 404 on what every account has, whatever it sells: the address is wrong, or something between."""
    text = f"{server}'s API is not at this address: check the target's url, and then the product's code"
    return Unavailable(call, status=missing.status, text=text)
