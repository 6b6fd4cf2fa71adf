"""Pages of lists: bounded, with an opaque cursor that names where the next one starts."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.exceptions import ValidationException
from litestar.params import QueryParameter

T = TypeVar("T")
K = TypeVar("K")

LARGEST_PAGE = 200
LONGEST_CURSOR = 4096

Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_PAGE, description="Items on a page.")]
Cursor = Annotated[
    str | None,
    QueryParameter(max_length=LONGEST_CURSOR, description="The `next` of the page before; none for the first."),
]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list. `next` is the cursor of the page after it, null on the last."""

    items: list[T]
    next: str | None


def page(rows: Sequence[T], limit: int, key: Callable[[T], object]) -> Page[T]:
    """A page out of rows of which one more than `limit` was asked for; `key` is the cursor's meaning."""
    items = list(rows[:limit])
    return Page(items, write_cursor(key(items[-1])) if len(rows) > limit else None)


def write_cursor(value: object) -> str:
    return urlsafe_b64encode(msgspec.msgpack.encode(value)).decode().rstrip("=")


def read_cursor(text: str | None, kind: type[K], name: str = "cursor") -> K | None:
    """What a cursor (the parameter `name`) means. Raises ValidationException for what no page gave out."""
    if not text:
        return None
    try:
        return msgspec.msgpack.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=kind)
    except (ValueError, msgspec.DecodeError):
        detail = "The cursor is not one of this list: take the `next` of a page, or leave it out."
        raise ValidationException(detail, extra=[{"key": name, "message": detail}]) from None
