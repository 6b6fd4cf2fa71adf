"""What stands in the place of a person's values: without meaning, of the same type, equal where those were equal."""

import re

DOMAIN = "erased.invalid"
"""Of a top-level domain that never exists (RFC 2606): nothing that is sent there arrives."""
TEXT = "erased"
"""In the place of what nothing follows from: addresses, telephone numbers, cards."""

_STAND_IN = re.compile(r"erased(-[0-9a-f]+-[0-9]+(@erased\.invalid)?)?")


def is_stand_in(text: str) -> bool:
    """Whether every word of the text is a stand-in; nothing personal is, and the empty text is not either."""
    if TEXT not in text:
        return False
    words = text.split()
    return bool(words) and all(_STAND_IN.fullmatch(word) for word in words)


class StandIns:
    """The stand-ins of one act of erasure, which `act` keeps apart from those of every other.

    The same value gets the same stand-in, and another one another. Addresses count as equal in any case. Names are
    replaced word by word: a full name and its first and last name, which targets hold, stay as equal as they were.
    """

    def __init__(self, act: str) -> None:
        self._act = act
        self._known: dict[str, str] = {}

    def email(self, value: str) -> str:
        if not value.strip() or is_stand_in(value):
            return value
        return f"{self._numbered(value.strip().casefold())}@{DOMAIN}"

    def name(self, value: str) -> str:
        return " ".join(word if is_stand_in(word) else self._numbered(word) for word in value.split(" ") if word)

    def _numbered(self, value: str) -> str:
        return self._known.setdefault(value, f"erased-{self._act}-{len(self._known) + 1}")
