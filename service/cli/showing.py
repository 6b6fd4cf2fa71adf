"""Commands that show what is known, and what was: timeline, subscriptions, licenses."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from service.cli.deciding import license_acts
from service.cli.options import all_rows, as_json, limit, two_clocks
from service.cli.root import tenure

if TYPE_CHECKING:
    from service.commands.timeline import Form

STATES = ("pending", "trialing", "active", "past_due", "suspended", "terminated")
KINDS = (
    "deliveries, backfills, readbacks, relays, timers, acts, payments, transitions, anomalies, warnings, errors,"
    " pushes, receipts, late, repeats"
)


@tenure.command()
@click.argument("identifier", metavar="ID")
@two_clocks
@click.option("--only", metavar="KINDS", default="", help=f"Only entries of these kinds, by commas: {KINDS}.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N of them.")
@click.option("--bodies", is_flag=True, help="With the exact body of each delivery. It may hold personal data.")
@click.option("--body", "event_id", metavar="EVENT", help="Write the body of this event, byte for byte, and no more.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of text.")
@as_json
@click.pass_obj
def timeline(
    config: Path | None,
    identifier: str,
    as_of: datetime | None,
    known_at: datetime | None,
    only: str,
    last: int | None,
    bodies: bool,
    event_id: str | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Tell what happened to a subscription, and what followed from it.

    ID is the provider's (sub_...), the whole name of the stream (shop/subscription/sub_...), a license or its key, or
    something that belongs to it: an order or its reference, an invoice, a payment.
    """
    from domain.past import Past
    from projections.kinds import UnknownKind, read_kinds
    from service.commands.timeline import Wish, print_body, print_timeline

    if as_csv and as_json:
        raise click.UsageError("Give --csv or --json.")
    if event_id is not None:
        print_body(config, identifier, event_id)
        return
    try:
        kinds = read_kinds(only)
    except UnknownKind as error:
        raise click.BadParameter(str(error), param_hint="--only") from None
    form: Form = "json" if as_json else "csv" if as_csv else "text"
    past = Past(as_of=as_of, known_at=known_at)
    print_timeline(config, identifier, Wish(past=past, only=kinds, last=last, bodies=bodies, form=form))


@tenure.command()
@click.argument("identifier", metavar="ID")
@two_clocks
@as_json
@click.pass_obj
def subscription(
    config: Path | None, identifier: str, as_of: datetime | None, known_at: datetime | None, as_json: bool
) -> None:
    """Show one subscription or purchase with its licenses, as it stands or as it stood."""
    from domain.past import Past
    from service.commands.showing import show_subscription

    show_subscription(config, identifier, Past(as_of=as_of, known_at=known_at), as_json=as_json)


@license_acts.command("show")
@click.argument("identifier", metavar="ID")
@two_clocks
@as_json
@click.pass_obj
def show_license(
    config: Path | None, identifier: str, as_of: datetime | None, known_at: datetime | None, as_json: bool
) -> None:
    """Show one license, named by its id or key, with the reason of every field, as it is or as it stood."""
    from domain.past import Past
    from service.commands.showing import show_license as show

    show(config, identifier, Past(as_of=as_of, known_at=known_at), as_json=as_json)


@tenure.command()
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--source", help="Only those of this source.")
@click.option("--problem", is_flag=True, help="Only those that something is wrong with.")
@two_clocks
@all_rows
@limit
@as_json
@click.pass_obj
def subscriptions(
    config: Path | None,
    state: str | None,
    source: str | None,
    problem: bool,
    as_of: datetime | None,
    known_at: datetime | None,
    everything: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List subscriptions and purchases, the one with the latest event first; those of the past by name."""
    from service.commands.lists import list_subscriptions
    from service.commands.past import list_past_subscriptions, past_of

    past = past_of(as_of, known_at, everything=everything)
    most = None if everything else limit
    if past.is_present:
        list_subscriptions(config, state=state, source=source, problems=problem, limit=limit, as_json=as_json)
    else:
        list_past_subscriptions(config, past, state=state, source=source, problems=problem, most=most, as_json=as_json)


@tenure.command()
@click.argument("identifier", metavar="[ID]", required=False)
@two_clocks
@all_rows
@limit
@as_json
@click.pass_obj
def licenses(
    config: Path | None,
    identifier: str | None,
    as_of: datetime | None,
    known_at: datetime | None,
    everything: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List licenses: all, or those of one subscription; as they are, or as they stood."""
    from service.commands.lists import list_licenses
    from service.commands.past import list_past_licenses, past_of

    past = past_of(as_of, known_at, everything=everything)
    if past.is_present:
        list_licenses(config, identifier, limit=limit, as_json=as_json)
    else:
        list_past_licenses(config, past, identifier, most=None if everything else limit, as_json=as_json)
