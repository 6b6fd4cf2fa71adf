"""Commands that run and check the service: serve, migrate, sources, terms."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from service.cli.options import as_json
from service.cli.root import tenure

if TYPE_CHECKING:
    from service.settings import Part

PARTS = ("receiver", "runner", "fetcher", "pusher", "sealer")
PROVIDERS = ("stripe", "fastspring", "wallee")


@tenure.command()
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Run this part alone.")
@click.option("--host", help="Listen on this address instead of the configured one.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes any free one.")
@click.option("--no-auth", is_flag=True, help="Ask for no API token. On loopback addresses only.")
@click.pass_obj
def serve(config: Path | None, only: "tuple[Part, ...]", host: str | None, port: int | None, no_auth: bool) -> None:
    """Receive webhooks, project them, push licenses, and answer the API."""
    from service.commands.serve import serve as run

    run(config, only, host, port, no_auth=no_auth)


@tenure.command(hidden=True)
@click.argument("parts", nargs=-1, required=True, type=click.Choice(PARTS))
@click.option("--line", required=True, type=int, help="The descriptor of the line to the process in front.")
@click.option("--runner", default="", help="The name under which partitions are leased.")
@click.pass_obj
def background(config: Path | None, parts: "tuple[Part, ...]", line: int, runner: str) -> None:
    """Run these parts until the process that started this one is gone; `serve` does."""
    from service.commands.background import work_behind

    work_behind(config, parts, line, runner)


@tenure.command()
@click.pass_obj
def migrate(config: Path | None) -> None:
    """Bring the database to the schema of this version."""
    from service.commands.migrate import migrate_database

    migrate_database(config)


@tenure.group()
def sources() -> None:
    """Look at the configured provider accounts."""


@sources.command()
@as_json
@click.pass_obj
def check(config: Path | None, as_json: bool) -> None:
    """Show each source with what is configured and what is missing."""
    from service.commands.sources import check_sources

    sys.exit(check_sources(config, as_json=as_json))


@tenure.group()
def terms() -> None:
    """Look at the license attributes of what is sold."""


@terms.command("check")
@click.argument("file", required=False)
@click.option("--source", metavar="NAME", help="Read the catalog of this source through its provider's API.")
@click.option("--provider", type=click.Choice(PROVIDERS), help="Whose attributes these are, where FILE does not say.")
@click.option("--quantity", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Units to be bought.")
@click.option("--one-time", is_flag=True, help="They are bought once, where FILE does not say.")
@as_json
@click.pass_obj
def check_terms(
    config: Path | None,
    file: str | None,
    source: str | None,
    provider: str | None,
    quantity: int,
    one_time: bool,
    as_json: bool,
) -> None:
    """Tell, before anybody buys, what prices or products will be licensed as and what is wrong with them.

    FILE is JSON as the store exports it: a Stripe price or list of prices, a FastSpring product or {"products": [...]},
    a wallee product version or {"data": [...]}; or {"NAME": {"ATTRIBUTE": "VALUE"}} with --provider. "-" reads standard
    input. Ends with 1 when something is wrong.
    """
    from service.commands.terms import check_file, check_source

    if (file is None) == (source is None):
        raise click.UsageError("Give a FILE, or --source NAME.")
    if source is not None:
        sys.exit(check_source(config, source, quantity=quantity, as_json=as_json))
    sys.exit(check_file(file or "", provider, quantity=quantity, recurring=not one_time, as_json=as_json))
