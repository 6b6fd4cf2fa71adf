"""The command line. Imports are put off into the commands, so that --help and completion stay quick."""

import sys

from service.cli import (  # noqa: F401 - each adds its commands
    comparing,
    deciding,
    deriving,
    mending,
    proving,
    running,
    showing,
    trying,
)
from service.cli.root import tenure

__all__ = ["main", "tenure"]


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    try:
        tenure(prog_name="tenure")
    except Exception as error:
        from service.commands.failures import explain

        code = explain(error)
        if code is None:
            raise
        sys.exit(code)
