"""License servers as a process runs them: how each is reached, how fast it may be asked, and what settings may say.

Adding one means its package under `projections/targets`, a module here, and one line in `table.py`.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct

from projections.targets import Target, Turn


class NoOptions(Struct, frozen=True, kw_only=True):
    """For a server that leaves nothing to decide."""


class Opens(Protocol):
    """Gives the target of one account for as long as it is entered."""

    def __call__(
        self, name: str, url: str, key: str, options: Any, turn: Turn, /
    ) -> AbstractAsyncContextManager[Target]:
        """Raises ValueError, before anything is sent, where the key is not of the server's form."""
        ...


class Serving(Struct, frozen=True, kw_only=True):
    """What a license server's module promises.

    `open(name, url, key, options, turn)` is the account's target; `options` is what `[targets.NAME.options]` says, read
    as the Struct of that name, whose fields carry their remedies in `msgspec.Meta`. `url`, `requests_per_minute` and
    `burst` hold where `[targets.NAME]` says nothing, and `policy` for sources that feed it, where `[sources.X.policy]`
    says nothing. Where it is `paced` the client awaits `turn()` before each of its requests, since one call may be more
    of them; else a turn is taken for each call.
    """

    open: Opens
    url: str
    requests_per_minute: int
    burst: int = 20
    paced: bool = False
    options: type[Struct] = NoOptions
    policy: Mapping[str, object] = {}


def api_at(url: str, path: str) -> str:
    """The API's address, with a slash at the end, whether or not the settings' `url` names its path, too."""
    return f"{url.rstrip('/').removesuffix(path)}{path}/"
