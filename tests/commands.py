"""The `tenure` command as a process, with settings and secrets of a small shop, for tests."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.serving import SECRET

ROOT = Path(__file__).parents[1]
SECONDS = 60

SETTINGS = """
[database]
url = "{dsn}"
start_timeout_seconds = 3
{database}

[server]
port = 0
stop_timeout_seconds = 5

[sources.shop]
provider = "stripe"
mode = "test"
target = "ls"

[sources.other]
provider = "stripe"
mode = "test"
target = "ls"

[targets.ls]
server = "licensespring"
url = "http://127.0.0.1:9"
"""

ENVIRONMENT = {
    "TENURE_SOURCE_SHOP_SECRETS": SECRET,
    "TENURE_SOURCE_OTHER_SECRETS": "whsec_other",
    "TENURE_TARGET_LS_KEY": "ABCDEFGH.0123456789",
    "TENURE_OPERATOR_TOKENS": "o" * 24,
}


class Ended(msgspec.Struct, frozen=True):
    code: int
    out: str
    err: str


class Tenure(msgspec.Struct, frozen=True):
    """A folder with settings, and the command run in it."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Runs the command to its end."""
        ended = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def command(self, *arguments: str) -> list[str]:
        # Warnings are errors in there too.
        return [sys.executable, "-P", "-W", "error", "-m", "service", *arguments]


def tenure(folder: Path, dsn: str, *, database: str = "") -> Tenure:
    """The command with settings for that database."""
    (folder / "tenure.toml").write_text(SETTINGS.format(dsn=dsn, database=database), encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TENURE_")}
    return Tenure(
        folder, {**inherited, **ENVIRONMENT, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "COLUMNS": "80"}
    )
