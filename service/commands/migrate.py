"""`tenure migrate`: the schema of this version, as a step of a release."""

import asyncio
import os
from pathlib import Path

from service.bootstrap import prepare
from service.commands.output import print_line
from service.database import database
from service.settings import load
from service.wiring.rules import rules_of


def migrate_database(config: Path | None) -> None:
    """Applies what is missing; nothing when the database is up to date already."""
    settings = load(config, os.environ)
    with database(settings) as dsn:
        asyncio.run(prepare(dsn, rules_of(settings)))
    print_line("The database has the schema of this version.")
