"""Commands that compare what was believed with what was so."""

from datetime import datetime
from pathlib import Path

import rich_click as click

from service.cli.options import INSTANT, as_json
from service.cli.root import tenure


@tenure.command()
@click.option(
    "--at", type=INSTANT, required=True, help="The instant: 2026-03-03, the beginning of that day in UTC, or finer."
)
@click.option("--known-at", type=INSTANT, help="Compare with what was known at this instant instead of now.")
@as_json
@click.pass_obj
def compare(config: Path | None, at: datetime, known_at: datetime | None, as_json: bool) -> None:
    """Compare which licenses were believed active at an instant, and which really were, as is known since.

    Each difference is told with the event that came late.
    """
    from service.commands.compare import compare_at

    if known_at is not None and known_at < at:
        raise click.UsageError("--known-at lies before --at: what was learned since is to be compared.")
    compare_at(config, at, known_at, as_json=as_json)
