"""The `tenure` command. Imports are put off into the commands, so that --help and completion stay quick."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from service.settings import Part

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Without it TENURE_CONFIG names it, else it is ./tenure.toml.",
)
@click.version_option(version="0.1.0", prog_name="tenure")
@click.pass_context
def tenure(context: click.Context, config: Path | None) -> None:
    """Turns subscription webhooks into software licenses and can always say why.

    Exit codes: 0 done, 1 not found or not so, 2 usage or settings, 3 database unavailable, 4 a part of the service
    failed.
    """
    context.obj = config


@tenure.command()
@click.option("--only", multiple=True, type=click.Choice(["receiver", "runner", "pusher"]), help="Run this part alone.")
@click.option("--host", help="Listen on this address instead of the configured one.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes any free one.")
@click.option("--no-auth", is_flag=True, help="Ask for no API token. On loopback addresses only.")
@click.pass_obj
def serve(config: Path | None, only: "tuple[Part, ...]", host: str | None, port: int | None, no_auth: bool) -> None:
    """Receive webhooks, project them, push licenses, and answer the API."""
    from service.commands.serve import serve as run

    run(config, only, host, port, no_auth=no_auth)


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


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    try:
        tenure()
    except Exception as error:
        from service.commands.failures import explain

        code = explain(error)
        if code is None:
            raise
        sys.exit(code)
