"""Which texts of a payload may become part of a name."""

import re

LONGEST = 255
"""Bytes of an id or type. Three of them have to fit into one entry of a PostgreSQL index, 2,704 bytes."""

_LEGIBLE = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")


def is_legible(text: str) -> bool:
    """Whether the text is not empty, holds no control characters and is at most LONGEST bytes long."""
    if text.isascii() and text.isprintable():  # nearly all are, and a regular expression costs three times as much
        return 0 < len(text) <= LONGEST
    return _LEGIBLE.fullmatch(text) is not None and len(text.encode()) <= LONGEST
