"""What several commands take, and the form of it. Loads nothing, so that --help stays quick."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import rich_click as click

from service.instants import NoInstant, read_instant

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
limit = click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Rows at most.")


class Instant(click.ParamType[datetime]):
    """An instant in ISO 8601; without an offset it is UTC, a date is the beginning of its day."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return read_instant(value)
        except NoInstant as error:
            self.fail(str(error), param, ctx)


INSTANT = Instant()


def two_clocks(command: F) -> F:
    """Adds --as-of and --known-at."""
    known_at = click.option(
        "--known-at", type=INSTANT, help="Leave out what was recorded later than this instant: what was known then."
    )
    as_of = click.option(
        "--as-of",
        type=INSTANT,
        help="Leave out what happened later than this instant (2026-03-03, or 2026-03-03T14:00:00Z; UTC without an"
        " offset).",
    )
    return as_of(known_at(command))


all_rows = click.option(
    "--all", "everything", is_flag=True, help="With --as-of or --known-at: all rows, printed as they are found."
)
