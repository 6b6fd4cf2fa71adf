"""License servers: how what is desired becomes calls (`plan`, pure) and how a call is made (`perform`).

Adding one means a package here, a module and a line in the table of `service/targets`, and nothing else.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from domain.licensing import License
from domain.receipts import AnyReceipt, Applied

Turn = Callable[[], Awaitable[None]]
"""Takes one request from what the account still bears, waiting a little for it. Raises `errors.Paced`."""
_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")


class Call(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One call that brings a target nearer to what is desired.

    `subjects` are the license ids (or an order, or the customer's id at the target) it is about; `digest` is
    `{what}:{hash}`, what is desired of them, so that a refused call is not repeated until that changes and does not
    hold up others about the same subject.
    """

    subjects: tuple[str, ...]
    digest: str
    sets: tuple[str, ...] = ()
    """The names under which receipts tell what it sets of its subject, where a look would not ask for them anyway."""
    order: str = ""
    """The order it creates or asks for, if it is about one."""
    fulfillment: str = ""
    """`{reference}/{product}` under which the keys it chooses are to be recorded first (`License.fulfillment`)."""

    @property
    def doubts(self) -> tuple[str, ...]:
        """What has to be looked at should its answer be lost: its subjects, each with the names of what it sets."""
        names = [" ".join(name.replace("\0", " ").split("\n")) for name in self.sets]
        return tuple("\n".join((subject, *names)) for subject in self.subjects)

    @property
    def name(self) -> str:
        """What the call does, such as `create order`."""
        return _CAMEL.sub(" ", type(self).__name__).lower()


def subject_of(doubt: str) -> str:
    """The subject that is in doubt."""
    return doubt.partition("\n")[0]


class Target(Protocol):
    """One configured license server account."""

    name: str

    def plan(self, desired: Sequence[License], applied: Applied) -> list[Call]:
        """The calls still to be made, in order; empty when the target holds what is desired. Pure."""
        ...

    def problems(self, desired: Sequence[License], applied: Applied) -> list[str]:
        """What a person should know of how it holds what is desired, with the remedy; mostly nothing. Pure."""
        ...

    def new_keys(self, count: int, /, *, known: Sequence[str] = (), under: str = "") -> list[str]:
        """So many license keys in the form this server uses, made without asking it.

        `known` are those that the purchase has already, of the same product; `under` is the account there that its
        licenses join, where the server knows such.
        """
        ...

    async def look(self, doubt: str, applied: Applied) -> AnyReceipt | None:
        """Says how one of the `Call.doubts` of an earlier call stands there, whose answer was lost; None: nowhere.

        Raises `projections.targets.errors.TargetError`.
        """
        ...

    async def perform(self, call: Call, *, fresh: bool) -> AnyReceipt:
        """Makes one call and says what came of it.

        `fresh` is true when this process recorded the keys of the call's order just now, so no earlier attempt can
        have been made; otherwise a creation looks first. Raises `projections.targets.errors.TargetError`.
        """
        ...
