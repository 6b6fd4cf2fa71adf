"""Reads what a payload says into shapes, without the one character that PostgreSQL's text and JSON cannot hold."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

_ESCAPE, _ZERO = b"\\", b"\\u0000"


class Reader(Generic[T]):
    """Decodes JSON into a shape. No text in it holds a zero character.

    A pattern on each text would say the same for as much time as all the rest of the decoding takes; JSON can write
    that character in one way only, so nearly every payload shows at a glance that it has none.
    """

    def __init__(self, shape: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(shape)

    def decode(self, part: bytes | msgspec.Raw) -> T:
        """Raises ValueError, naming the place and not what stands there, and RecursionError."""
        shown = self._decoder.decode(part)
        text = bytes(part)
        if _ESCAPE in text and _ZERO in text:
            place = next(_zeros(shown, "$"), None)
            if place is not None:
                raise ValueError(f"Expected a text without zero characters - at `{place}`")
        return shown


def _zeros(shown: Any, place: str) -> Iterator[str]:
    """The places of texts with a zero character."""
    match shown:
        case str():
            if "\0" in shown:
                yield place
        case msgspec.Struct():
            for name, field in zip(shown.__struct_encode_fields__, shown.__struct_fields__, strict=True):
                yield from _zeros(getattr(shown, field), f"{place}.{name}")
        case dict():
            for name, each in shown.items():
                yield from _zeros(name, f"{place}[...]")
                yield from _zeros(each, f"{place}[...]")
        case list() | tuple():
            for index, each in enumerate(shown):
                yield from _zeros(each, f"{place}[{index}]")
        case _:
            pass
