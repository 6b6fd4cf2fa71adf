"""Commands for what needs a person: streams, pushes, dead letters."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import rich_click as click

from service.cli.options import as_json, limit
from service.cli.root import tenure

if TYPE_CHECKING:
    from service.attention import Need

F = TypeVar("F", bound=Callable[..., object])


def _said(command: F) -> F:
    """Who asks for another attempt, and why."""
    author = click.option("--author", help="Who asks; kept in the history. Without it, the user of this machine.")
    return author(click.option("--reason", required=True, help="Why; kept in the history.")(command))


@tenure.group(invoke_without_command=True)
@click.option(
    "--status",
    type=click.Choice(["stopped", "unrouted", "waiting", "wrong-mode"]),
    help="Only those; without it, all. Stopped at an event not understood; of no known subscription; waiting for "
    "something to be fetched; or a "
    "delivery of the other mode (live or test) than its source's.",
)
@limit
@as_json
@click.pass_context
def streams(context: click.Context, status: "Need | None", limit: int, as_json: bool) -> None:
    """List streams that need a person, each with its status and the reason, or have one tried again."""
    if context.invoked_subcommand is None:
        from service.commands.lists import list_streams

        list_streams(context.obj, status, limit=limit, as_json=as_json)


@streams.command("retry")
@click.argument("identifier", metavar="ID")
@_said
@as_json
@click.pass_obj
def retry_stream(config: Path | None, identifier: str, author: str | None, reason: str, as_json: bool) -> None:
    """Fold a stopped stream again, or have fetched at once what a waiting one lacks."""
    from service.commands.retries import retry_stream as retry

    retry(config, identifier, author, reason, as_json=as_json)


@tenure.command()
@limit
@as_json
@click.pass_obj
def pushes(config: Path | None, limit: int, as_json: bool) -> None:
    """List pushes that failed and are tried again, with why, and how many wait for their turn."""
    from service.commands.lists import list_pushes

    list_pushes(config, limit=limit, as_json=as_json)


@tenure.group("dead-letters", invoke_without_command=True)
@limit
@as_json
@click.pass_context
def dead_letters(context: click.Context, limit: int, as_json: bool) -> None:
    """List licenses that a license server refused, or have one pushed again."""
    if context.invoked_subcommand is None:
        from service.commands.lists import list_dead_letters

        list_dead_letters(context.obj, limit=limit, as_json=as_json)


@dead_letters.command("retry")
@click.argument("identifier", metavar="ID")
@_said
@as_json
@click.pass_obj
def retry_dead_letter(config: Path | None, identifier: str, author: str | None, reason: str, as_json: bool) -> None:
    """Push a refused license again, or all that was refused of a subscription, once its cause is mended."""
    from service.commands.retries import retry_dead_letter as retry

    retry(config, identifier, author, reason, as_json=as_json)
