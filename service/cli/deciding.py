"""Commands by which a person decides about licenses, and asks why they are as they are."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from service.cli.options import INSTANT, as_json
from service.cli.root import tenure

F = TypeVar("F", bound=Callable[..., Any])

_expires = click.option("--expires", type=INSTANT, help="Until then; without it, until it is undone.")


def _said(command: F) -> F:
    """The options of every act."""
    for option in (
        as_json,
        click.option("--dry-run", is_flag=True, help="Only show what it would change."),
        click.option("--reason", required=True, help="Why; kept in the history."),
        click.option("--author", help="Who decides; kept in the history. Without it, the user of this machine."),
    ):
        command = option(command)
    return command


@tenure.group("license")
def license_acts() -> None:
    """Show a license, or decide about it by hand: with author and reason, undoable, and never wiped by a webhook.

    LICENSE is the id of a license, its key, or a subscription that has only one.
    """


@license_acts.command("disable")
@click.argument("identifier", metavar="LICENSE")
@_expires
@_said
@click.pass_obj
def disable_license(config: Path | None, /, identifier: str, expires: datetime | None, **said: Any) -> None:
    """Have a license stop working, whatever is paid."""
    from service.commands import acts

    acts.disable(config, identifier, expires=expires, **said)


@license_acts.command("enable")
@click.argument("identifier", metavar="LICENSE")
@_expires
@_said
@click.pass_obj
def enable_license(config: Path | None, /, identifier: str, expires: datetime | None, **said: Any) -> None:
    """Have a license work, whatever the store says, as long as it is sold. It does not move its date: see extend."""
    from service.commands import acts

    acts.enable(config, identifier, expires=expires, **said)


@license_acts.command("extend")
@click.argument("identifier", metavar="LICENSE")
@click.option("--by", help="By so much, such as 7d, 2w, 1m: beyond its end, or now if that is past.")
@click.option("--until", type=INSTANT, help="Until this instant (ISO 8601; UTC without an offset).")
@_said
@click.pass_obj
def extend_license(
    config: Path | None, /, identifier: str, by: str | None, until: datetime | None, **said: Any
) -> None:
    """Have a license work until a later day, be it that its subscription ends before.

    What is paid for longer is never shortened.
    """
    from service.commands import acts

    if (by is None) == (until is None):
        raise click.UsageError("Give --by or --until.")
    acts.extend(config, identifier, by=by or "", until=until, **said)


@license_acts.command("set")
@click.argument("identifier", metavar="LICENSE")
@click.argument("field")
@click.argument("value")
@_expires
@_said
@click.pass_obj
def set_license(
    config: Path | None, /, identifier: str, field: str, value: str, expires: datetime | None, **said: Any
) -> None:
    """Give a FIELD of a license a VALUE, whatever the store's catalog says.

    Fields: max_activations, floating_users, max_license_users, max_consumptions, maintenance, maintenance_duration,
    managed_by_customer, features (codes with commas between), note, custom_fields.NAME.
    """
    from service.commands import acts

    acts.set_field(config, identifier, field, value, expires=expires, **said)


@license_acts.command("merge")
@click.argument("identifier", metavar="DUPLICATE")
@click.option("--into", required=True, metavar="SUBSCRIPTION", help="The one whose licenses are kept.")
@_expires
@_said
@click.pass_obj
def merge_subscriptions(
    config: Path | None, /, identifier: str, into: str, expires: datetime | None, **said: Any
) -> None:
    """Have the licenses of a subscription disabled that is another one by mistake, such as one imported twice."""
    from service.commands import acts

    acts.merge(config, identifier, into, expires=expires, **said)


@license_acts.command("undo")
@click.argument("act", metavar="ACT")
@_said
@click.pass_obj
def undo_act(config: Path | None, /, act: str, **said: Any) -> None:
    """Have an act count no more; ACT is its id (act_...). That is an act, too, and can be undone."""
    from service.commands import acts

    acts.undo(config, act, **said)


@tenure.command()
@click.argument("identifier", metavar="ID")
@click.argument("field", required=False)
@click.option("--all", "everything", is_flag=True, help="Also fields that nothing sets.")
@as_json
@click.pass_obj
def explain(config: Path | None, /, identifier: str, field: str | None, everything: bool, as_json: bool) -> None:
    """Say why a license is as it is, field by field, and what would change it; or why there is none.

    ID is a license, its key, a subscription, or something that belongs to it. FIELD is one field of the license.
    """
    from service.commands.explain import print_explanation

    print_explanation(config, identifier, field, everything=everything, as_json=as_json)
