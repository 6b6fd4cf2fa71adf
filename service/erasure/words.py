"""What an act of erasure touches, in values."""

import msgspec

from domain.events import Stream


class ErasureRefused(Exception):
    """Nothing was erased; says why, and what to do."""


class WordsNamePerson(ErasureRefused):
    """Nothing was erased, because author or reason would name the person for ever; says which to reword."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A license server that holds something of the person, which Tenure leaves as it is."""

    target: str
    stream: Stream
    licenses: tuple[str, ...]
    """Their ids there."""
    customers: tuple[str, ...]


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A stream with events of the person, by their positions in its partition."""

    stream: Stream
    partition: int
    positions: tuple[int, ...]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an act of erasure touches, or touched; `act` names it, and is empty for a dry run."""

    act: str = ""
    references: tuple[str, ...] = ()
    """How sources know the person, as SOURCE/ID."""
    addresses: int = 0
    """How many e-mail addresses of the person were found."""
    events: int = 0
    streams: tuple[Touched, ...] = ()
    holders: tuple[Holder, ...] = ()
    lasting: tuple[str, ...] = ()
    """Streams with an address in names and ids, which are sealed and stay."""
    several: tuple[str, ...] = ()
    """Those references whose source knows more than one: they may be several people that share an address."""
    left: int = 0
    """How many events the act should have erased and did not."""
    why_left: str = ""
