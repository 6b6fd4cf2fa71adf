"""Commands that show what is known: timeline, subscriptions, licenses."""

from datetime import datetime
from pathlib import Path

import rich_click as click

from service.cli.options import INSTANT, as_json, limit
from service.cli.root import tenure

STATES = ("pending", "trialing", "active", "past_due", "suspended", "terminated")


@tenure.command()
@click.argument("identifier", metavar="ID")
@click.option(
    "--as-of", type=INSTANT, help="Leave out what happened later than this instant (ISO 8601; UTC without an offset)."
)
@click.option("--known-at", type=INSTANT, help="Leave out what was recorded later than this instant.")
@as_json
@click.pass_obj
def timeline(
    config: Path | None, identifier: str, as_of: datetime | None, known_at: datetime | None, as_json: bool
) -> None:
    """Tell what happened to a subscription, and what followed from it.

    ID is the provider's (sub_...), the whole name of the stream (shop/subscription/sub_...), a license or its key, or
    something that belongs to it: an order or its reference, an invoice, a payment.
    """
    from service.commands.timeline import print_timeline

    print_timeline(config, identifier, as_of=as_of, known_at=known_at, as_json=as_json)


@tenure.command()
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--source", help="Only those of this source.")
@click.option("--problem", is_flag=True, help="Only those that something is wrong with.")
@limit
@as_json
@click.pass_obj
def subscriptions(
    config: Path | None, state: str | None, source: str | None, problem: bool, limit: int, as_json: bool
) -> None:
    """List subscriptions and purchases, the one with the latest event first."""
    from service.commands.lists import list_subscriptions

    list_subscriptions(config, state=state, source=source, problems=problem, limit=limit, as_json=as_json)


@tenure.command()
@click.argument("identifier", metavar="[ID]", required=False)
@limit
@as_json
@click.pass_obj
def licenses(config: Path | None, identifier: str | None, limit: int, as_json: bool) -> None:
    """List licenses: all, or those of one subscription."""
    from service.commands.lists import list_licenses

    list_licenses(config, identifier, limit=limit, as_json=as_json)
