"""Commands that derive everything anew, or as it might be."""

from pathlib import Path

import rich_click as click

from service.cli.options import as_json, limit
from service.cli.root import tenure


@tenure.command()
@click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
@click.option("--list", "listing", is_flag=True, help="List the versions that there are.")
@click.option("--drop", "dropped", type=click.IntRange(1), metavar="VERSION", help="Drop a version that is not read.")
@limit
@as_json
@click.pass_obj
def rebuild(config: Path | None, dry_run: bool, listing: bool, dropped: int | None, limit: int, as_json: bool) -> None:
    """Derive all subscriptions and licenses anew, by the code and policies of now, and switch to what comes of it.

    The new version is made beside the one that is read, on all cores, while everything goes on. What it changes is
    told; then it is read, in one moment, and the one before is kept until it is dropped. What was killed goes on where
    it was. Only true differences are pushed.

    The one before stands still and is never read again: the way back is the policies or the program of before, and
    another rebuild.
    """
    from service.commands.rebuild import drop_version, list_versions, rebuild_projections

    if sum([dry_run, listing, dropped is not None]) > 1:
        raise click.UsageError("Give only one of --dry-run, --list and --drop.")
    if listing:
        list_versions(config, as_json=as_json)
    elif dropped is not None:
        drop_version(config, dropped, as_json=as_json)
    else:
        rebuild_projections(config, dry_run=dry_run, limit=limit, as_json=as_json)


@tenure.command()
@click.option(
    "--policy",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="TOML with [policy] for all sources, or [sources.NAME.policy] for one; over what the settings say.",
)
@limit
@as_json
@click.pass_obj
def simulate(config: Path | None, policy: Path, limit: int, as_json: bool) -> None:
    """Tell which licenses other policies would change. Nothing is changed, and nothing is pushed."""
    from service.commands.rebuild import simulate as run

    run(config, policy, limit=limit, as_json=as_json)
