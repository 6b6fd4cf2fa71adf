"""Commands that prove that history is whole, and that take a person out of it: verify, export, erase."""

import sys
from datetime import datetime
from pathlib import Path

import rich_click as click

from service.cli.options import INSTANT, as_json
from service.cli.root import tenure


@tenure.command()
@click.option("--partition", type=click.IntRange(0, 255), help="Only this partition.")
@click.option("--stream", metavar="NAME", help="The bodies of this stream alone, such as shop/subscription/sub_...")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="ARCHIVE",
    help="Check, too, that the chain is still the one of this earlier export.",
)
@click.option(
    "--key", metavar="PUBLIC_KEY", help="The key that has to have signed that archive, 64 hexadecimal digits."
)
@as_json
@click.pass_obj
def verify(
    config: Path | None, partition: int | None, stream: str | None, against: Path | None, key: str | None, as_json: bool
) -> None:
    """Check every body and the whole hash chain, and name the first position that is not as it was sealed.

    Ends with 1 when there is one. Events that are not sealed yet are counted, and no error.
    """
    from service.commands.verify import verify_store

    if partition is not None and stream is not None:
        raise click.UsageError("Give --partition or --stream.")
    if key is not None and against is None:
        raise click.UsageError("--key says who signed the archive of --against: give that, too.")
    sys.exit(verify_store(config, partition=partition, stream=stream, against=against, key=key, as_json=as_json))


@tenure.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--subscription", metavar="ID", help="The events of one subscription or purchase.")
@click.option("--from", "since", type=INSTANT, help="Events recorded at this instant or later.")
@click.option("--to", "until", type=INSTANT, help="Events recorded before this instant.")
@click.option("--all", "everything", is_flag=True, help="All events.")
@click.option(
    "--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Sign with the key in this file."
)
@click.option("--new-key", type=click.Path(dir_okay=False, path_type=Path), help="Make a key to sign with, no archive.")
@as_json
@click.pass_obj
def export(
    config: Path | None,
    out: Path | None,
    subscription: str | None,
    since: datetime | None,
    until: datetime | None,
    everything: bool,
    key: Path | None,
    new_key: Path | None,
    as_json: bool,
) -> None:
    """Write events and the proof that they are complete and unaltered to the new file OUT (a ZIP).

    With verify.py in it an auditor checks that, and needs nothing of Tenure.
    """
    from service.commands.export import export_events, make_key

    chosen = sum([subscription is not None, since is not None or until is not None, everything])
    if new_key is not None:
        if out is not None or chosen:
            raise click.UsageError("--new-key makes a key and nothing else.")
        make_key(new_key)
        return
    if out is None or chosen != 1:
        raise click.UsageError("Give OUT and one of --subscription, --from and --to, or --all.")
    export_events(config, out, identifier=subscription, since=since, until=until, key=key, as_json=as_json)


@tenure.command()
@click.option("--email", metavar="ADDRESS", help="The person with this e-mail address, wherever it stands.")
@click.option("--customer", metavar="SOURCE/ID", help="The customer whom this source calls so, such as shop/cus_1.")
@click.option("--dry-run", is_flag=True, help="Only list what would be touched.")
@click.option("--despite-pushes", is_flag=True, help="Also while license servers have still to be told something.")
@click.option("--all-references", is_flag=True, help="All customers that are found are one person.")
@click.option("--author", help="Who erases; kept in the history. Without it, the user of this machine.")
@click.option("--reason", help="Why, such as a ticket's number; kept in the history for ever.")
@as_json
@click.pass_obj
def erase(
    config: Path | None,
    email: str | None,
    customer: str | None,
    dry_run: bool,
    despite_pushes: bool,
    all_references: bool,
    author: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Forget a person: replace their data in every event by stand-ins, in one act that the history tells of.

    Licenses, dates and amounts stay, and so does the proof of history. License servers keep what they hold; it is
    listed. Ends with 1 when there is nothing to erase, with 4 when something is left or it was refused.
    """
    from service.commands.erase import erase_person

    if (email is None) == (customer is None):
        raise click.UsageError("Give --email or --customer.")
    sys.exit(
        erase_person(
            config,
            email=email,
            customer=customer,
            dry_run=dry_run,
            despite_pushes=despite_pushes,
            all_references=all_references,
            author=author,
            reason=reason,
            as_json=as_json,
        )
    )
