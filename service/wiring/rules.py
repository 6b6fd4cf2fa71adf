"""By which code and policies rows are derived, in short: what is derived by others is told, and can be rebuilt."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec
import structlog

import projections
from domain.version import CODE
from projections.rebuilding.loading import Derivation
from projections.tables import Pool
from projections.versions import mix_rules, rules_read
from service.secrets import Secrets
from service.settings import Settings
from service.wiring.projecting import projected
from service.wiring.targets import open_planners

_log = structlog.get_logger("tenure.runner")

_DERIVING = ("folding.py", "placing.py", "rows.py", "sources.py", "targets/**/*.py")
"""What of the projections says which rows follow from a fold."""
_MIXED = "+"
"""Behind the code or the policies of rows that were loaded by these, and partly derived by others since."""


def rules_of(settings: Settings) -> str:
    """`{code}/{policies}`: two processes with the same derive the same rows."""
    sources = {
        name: {"provider": source.provider.name, "targets": source.targets}
        for name, source in projected(settings).items()
    }
    targets = {name: (target.server, target.options) for name, target in settings.targets.items()}
    decided = msgspec.json.encode((sources, targets), order="deterministic")
    return f"{_code()}/{sha256(decided).hexdigest()[:16]}"


@asynccontextmanager
async def derivation(settings: Settings) -> AsyncIterator[Derivation]:
    """What rows follow from besides events; no secret is needed. Raises SettingsInvalid."""
    async with open_planners(settings) as targets:
        yield Derivation(projected(settings), targets)


def without_secrets(settings: Settings) -> Settings:
    """For processes that only derive."""
    database = msgspec.structs.replace(settings.database, url="")
    return msgspec.structs.replace(settings, secrets=Secrets(), database=database)


async def warn_of_other_rules(pool: Pool, settings: Settings) -> None:
    """Logs, once, when what is read was not all derived by this process's code and policies.

    From then on nobody's are those by which all of it was derived, until a rebuild: who comes back to the rules of
    before is told, too.
    """
    ours = rules_of(settings)
    async with pool.connection() as connection:
        known = await rules_read(connection)
        if not known or known == ours:
            return
        compared = list(zip(("code", "policies"), known.split("/"), ours.split("/"), strict=True))
        changed = [name for name, theirs, our in compared if theirs != our]
        mixed = [theirs if theirs == our else f"{theirs.rstrip(_MIXED)}{_MIXED}" for _, theirs, our in compared]
        await mix_rules(connection, known, "/".join(mixed))
    _log.warning(
        "projections were derived by other rules, which reach a subscription at its next event only",
        changed=changed,
        remedy="`tenure rebuild --dry-run` shows what would change, `tenure rebuild` changes it",
    )


@cache
def _code() -> str:
    digest = sha256(CODE.encode())
    root = Path(projections.__file__).parent
    for path in sorted(path for pattern in _DERIVING for path in root.glob(pattern)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
