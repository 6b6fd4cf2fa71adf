"""From an HTTP answer that is not a success to the error that says what to do; pure.

LicenseSpring's error bodies come in several shapes (`{"detail"}`, `{"message"}`, `{"status", "code", "message"}`, a map
of fields, HTML from a proxy) and are hardly documented, so whatever depends on their wording stands in this file.
"""

import re
from collections.abc import Iterator

import msgspec

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
from projections.targets.transport import READ_LIMIT, redacted

_SPOKEN = ("message", "detail", "error", "code")
_SECRET = re.compile(r"password|secret|token|api_?key", re.IGNORECASE)
_MARKUP = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^>]*>", re.IGNORECASE | re.DOTALL)

_ID_FIELDS = frozenset({"id", "store_id", "order", "order_id", "client_order_id"})
_TAKEN = re.compile(r"already|exists|duplicate|unique|taken", re.IGNORECASE)
_MISSING = re.compile(r"not? (exist|found)|n't exist", re.IGNORECASE)
_ORDER = re.compile(r"\border\b", re.IGNORECASE)
_ID = re.compile(r"\border\b|\bid\b", re.IGNORECASE)
_OTHER = re.compile(r"licen[sc]e|\bkey|customer|product|user|e-?mail|account", re.IGNORECASE)


def failure(
    call: str, status: int, body: bytes, *, wrote: bool, key: str = "", retry_after: float | None = None
) -> TargetError:
    """The error for an answer with that status; `wrote` is true for anything but a GET.

    `key` is the API key, which is taken out of the text should the server repeat it.
    """
    kind = _kind(status, wrote=wrote)
    if kind is Refused and call == "create_order" and says_order_exists(status, body):
        kind = AlreadyExists
    return kind(call, status=status, text=spoken(body, key), retry_after=retry_after)


def _kind(status: int, *, wrote: bool) -> type[TargetError]:
    match status:
        case 401 | 403:
            return Unauthorized
        case 404:
            return NotFound
        case 425:
            return Unavailable
        case 429:
            return Throttled
        case 408:
            return Unclear if wrote else Unavailable
        case _ if status >= 500:
            # Even a 503: a proxy may have lost the answer of a server that acted.
            return Unclear if wrote else Unavailable
        case _:
            return Refused


def says_order_exists(status: int, body: bytes) -> bool:
    """Whether a refused create_order says that the order's id is taken.

    How it says so is not documented, so any of the shapes that LicenseSpring is known to use elsewhere will do:
    409, a code, a map with the field `id`, or a sentence. Taken keys, customers and the like do not count.
    """
    if status not in {400, 409, 422}:
        return False
    said = list(_strings(_decoded(body)))
    if not said:
        return status == 409
    return any(_says_taken(path, text, conflict=status == 409) for path, text in said)


def _says_taken(path: str, text: str, *, conflict: bool) -> bool:
    readable = text.replace("_", " ")
    of_another = _OTHER.search(path) or (_OTHER.search(readable) and not _ORDER.search(readable))
    if of_another or _MISSING.search(readable):
        return False
    return conflict or bool(_TAKEN.search(readable) and (path in _ID_FIELDS or _ID.search(readable)))


def spoken(body: bytes, key: str = "") -> str:
    """The server's own words: message, detail, error, code, else the first text of a field map, else the raw body.

    At most TEXT_LIMIT characters on one line, without key, passwords, e-mail addresses and license keys.
    """
    answer = _decoded(body)
    if isinstance(answer, str):
        return redacted(_MARKUP.sub(" ", answer), key)
    if isinstance(answer, dict):
        for name in _SPOKEN:
            if isinstance(text := answer.get(name), str) and text.strip():
                return redacted(text, key)
    for path, text in _strings(answer):
        return redacted(f"{path}: {text}" if path else text, key)
    return ""


def _decoded(body: bytes) -> object:
    """The JSON of a body, or the body as text where it holds none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body[:READ_LIMIT].decode("utf-8", "replace")


def _strings(value: object, path: str = "", depth: int = 8) -> Iterator[tuple[str, str]]:
    """Every text of an answer with the names that lead to it; what is named like a secret is left out."""
    if isinstance(value, str):
        if value.strip():
            yield path, value
    elif isinstance(value, dict) and depth:
        for name, part in value.items():
            if not _SECRET.search(name):
                yield from _strings(part, f"{path}.{name}" if path else name, depth - 1)
    elif isinstance(value, list) and depth:
        for part in value:
            yield from _strings(part, path, depth - 1)
