"""What to do with an authentic answer of which a part cannot be read, where no license depends on that part.

One name that holds a zero character, or a hole in a list, must not keep a paid license from a customer. What is left
out is told, so that it stands on the timeline as an anomaly.
"""

import re
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec
from msgspec.json import Decoder

T = TypeVar("T")

_PLACE = re.compile(r" - at `\$(?P<path>(?:\.[^.\[`]+|\[\d+\])+)`\Z")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_MOST = 50
"""Parts that are left out of one answer."""


def read_what_can_be(decoder: Decoder[T], part: bytes | msgspec.Raw, harmless: Collection[str]) -> tuple[T, list[str]]:
    """What the decoder makes of a JSON text without the holes in its lists and the `harmless` fields it cannot read.

    Also the places of what was left out, none where it can be read as it is. Raises what the decoder raises where
    anything else cannot be read.
    """
    left_out: list[str] = []
    tree: Any = None
    while True:
        try:
            return decoder.decode(part), left_out
        except msgspec.ValidationError as error:
            tree = _TREE.decode(part) if tree is None else tree
            place = _PLACE.search(str(error))
            if place is None or len(left_out) == _MOST or not _left_out(tree, place["path"], harmless):
                raise
            left_out.append(place["path"].lstrip("."))
            part = msgspec.json.encode(tree)


def _left_out(tree: Any, path: str, harmless: Collection[str]) -> bool:
    """Takes that part out of the tree, if nothing depends on it."""
    *way, last = [name or int(index) for name, index in _STEP.findall(path)]
    holder = tree
    for step in way:
        holder = holder[step]
    is_hole = isinstance(last, int) and holder[last] is None
    if is_hole or last in harmless:
        del holder[last]
        return True
    return False


_TREE = Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))
"""Numbers stay as they are written."""
