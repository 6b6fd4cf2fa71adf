"""The `tenure` command. Imports are put off into the commands, so that --help and completion stay quick."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from service.attention import Need
    from service.settings import Part

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
limit = click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Rows at most.")


PARTS = ("receiver", "runner", "fetcher", "pusher", "sealer")
PROVIDERS = ("stripe", "fastspring")
STATES = ("pending", "trialing", "active", "past_due", "suspended", "terminated")


class Instant(click.ParamType[datetime]):
    """An instant in ISO 8601; without an offset it is UTC."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not an instant such as 2026-03-03 or 2026-03-03T14:00:00Z", param, ctx)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


INSTANT = Instant()


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
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Run this part alone.")
@click.option("--host", help="Listen on this address instead of the configured one.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes any free one.")
@click.option("--no-auth", is_flag=True, help="Ask for no API token. On loopback addresses only.")
@click.pass_obj
def serve(config: Path | None, only: "tuple[Part, ...]", host: str | None, port: int | None, no_auth: bool) -> None:
    """Receive webhooks, project them, push licenses, and answer the API."""
    from service.commands.serve import serve as run

    run(config, only, host, port, no_auth=no_auth)


@tenure.command()
@click.option("--once", is_flag=True, help="End when all is told; exit code 1 if anything is not as it should be.")
def demo(once: bool) -> None:
    """Show everything at once: customers of two simulated stores, and their licenses in a LicenseSpring sandbox."""
    from service.commands.demo import demonstrate

    sys.exit(demonstrate(once=once))


@tenure.group()
def sandbox() -> None:
    """Try Tenure without an account: a LicenseSpring to push to, stores to receive from."""


@sandbox.command("licensespring")
@click.option("--port", type=click.IntRange(0, 65535), default=8091, show_default=True, help="Listen on this port.")
@click.option("--product", "products", multiple=True, metavar="CODE", help="Sell a product of this short code.")
@click.option(
    "--settings",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="What it sells and how it behaves, as JSON: bundles, features, custom fields, policies, products by user.",
)
@click.option("--state", metavar="FILE", help="Keep everything in this file.")
def sandbox_licensespring(port: int, products: tuple[str, ...], settings: str | None, state: str | None) -> None:
    """Serve a sandbox of LicenseSpring's Management API.

    With --settings service/sandbox/licensespring/falcon.json it sells what the lives of the other sandboxes buy.
    """
    from service.commands.sandbox import run_licensespring

    sys.exit(run_licensespring(port, products, settings, state))


@sandbox.command("netlicensing")
@click.option("--port", type=click.IntRange(0, 65535), default=8092, show_default=True, help="Listen on this port.")
@click.option(
    "--settings",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="What it sells and how it behaves, as JSON: products with modules and templates, bundles, the rate limit.",
)
@click.option("--state", metavar="FILE", help="Keep everything in this file.")
def sandbox_netlicensing(port: int, settings: str | None, state: str | None) -> None:
    """Serve a sandbox of NetLicensing's REST API.

    With --settings service/sandbox/netlicensing/falcon.json it has a product for every licensing model.
    """
    from service.commands.sandbox import run_netlicensing

    sys.exit(run_netlicensing(port, settings, state))


@sandbox.command("stripe")
@click.argument("life")
@click.option("--to", "url", required=True, metavar="URL", help="Where the source receives its webhooks.")
@click.option(
    "--secret", envvar="STRIPE_SECRET", required=True, help="The source's signing secret; better in STRIPE_SECRET."
)
def sandbox_stripe(life: str, url: str, secret: str) -> None:
    """Send the webhooks of one subscription's LIFE, such as past_due_recovered, as Stripe would."""
    from service.commands.sandbox import send_stripe_life

    send_stripe_life(life, url, secret)


@sandbox.command("fastspring")
@click.argument("life")
@click.option("--to", "url", required=True, metavar="URL", help="Where the source receives its webhooks.")
@click.option(
    "--secret", envvar="FASTSPRING_SECRET", required=True, help="The webhook's secret; better in FASTSPRING_SECRET."
)
def sandbox_fastspring(life: str, url: str, secret: str) -> None:
    """Send the webhooks of one subscription's or purchase's LIFE, such as monthly_renewals, as FastSpring would."""
    from service.commands.sandbox import send_fastspring_life

    send_fastspring_life(life, url, secret)


@sandbox.command("wallee")
@click.argument("life")
@click.option("--to", "url", required=True, metavar="URL", help="Where the source receives its webhooks.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8093, show_default=True, help="Serve wallee's API on this port."
)
@click.option(
    "--key",
    envvar="WALLEE_KEY",
    required=True,
    metavar="USER:KEY",
    help="The source's API key, which the API takes: a number and a key in Base64; better in WALLEE_KEY.",
)
@click.option(
    "--space", "space_id", type=click.IntRange(1), default=405, show_default=True, help="The source's account."
)
@click.option("--once", is_flag=True, help="End when all is told, instead of serving the API until stopped.")
def sandbox_wallee(life: str, url: str, port: int, key: str, space_id: int, once: bool) -> None:
    """Live one LIFE, such as suspended_until_paid, as at wallee: send its webhooks, and serve the API they point to."""
    from service.commands.sandbox import send_wallee_life

    send_wallee_life(life, url, port=port, key=key, space_id=space_id, once=once)


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

    FILE is JSON as the store exports it: a Stripe price or list of prices, a FastSpring product or {"products": [...]};
    or {"NAME": {"ATTRIBUTE": "VALUE"}} with --provider. "-" reads standard input. Ends with 1 when something is wrong.
    """
    from service.commands.terms import check_file, check_source

    if (file is None) == (source is None):
        raise click.UsageError("Give a FILE, or --source NAME.")
    if source is not None:
        sys.exit(check_source(config, source, quantity=quantity, as_json=as_json))
    sys.exit(check_file(file or "", provider, quantity=quantity, recurring=not one_time, as_json=as_json))


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


@tenure.group(invoke_without_command=True)
@click.option(
    "--status",
    type=click.Choice(["stopped", "unrouted", "waiting", "wrong-mode"]),
    default="stopped",
    show_default=True,
    help="Stopped at an event not understood; of no known subscription; waiting for something to be fetched; or a "
    "delivery of the other mode (live or test) than its source's.",
)
@limit
@as_json
@click.pass_context
def streams(context: click.Context, status: "Need", limit: int, as_json: bool) -> None:
    """List streams that need a person, or have one tried again."""
    if context.invoked_subcommand is None:
        from service.commands.lists import list_streams

        list_streams(context.obj, status, limit=limit, as_json=as_json)


@streams.command("retry")
@click.argument("identifier", metavar="ID")
@click.pass_obj
def retry_stream(config: Path | None, identifier: str) -> None:
    """Fold a stopped stream again, or have fetched at once what a waiting one lacks."""
    from service.commands.retries import retry_stream as retry

    retry(config, identifier)


@tenure.command()
@limit
@as_json
@click.pass_obj
def pushes(config: Path | None, limit: int, as_json: bool) -> None:
    """List pushes that failed and are tried again, with why."""
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
@click.option("--author", help="Who asks; kept in the history. Without it, the user of this machine.")
@click.pass_obj
def retry_dead_letter(config: Path | None, identifier: str, author: str | None) -> None:
    """Push a refused license again, or all that was refused of a subscription, once its cause is mended."""
    from service.commands.retries import retry_dead_letter as retry

    retry(config, identifier, author)


@tenure.command()
@click.option("--partition", type=click.IntRange(0, 255), help="Only this partition.")
@click.option("--stream", metavar="NAME", help="The bodies of this stream alone, such as shop/subscription/sub_...")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="ARCHIVE",
    help="Check, too, that the chain is still the one of this earlier export.",
)
@as_json
@click.pass_obj
def verify(config: Path | None, partition: int | None, stream: str | None, against: Path | None, as_json: bool) -> None:
    """Check every body and the whole hash chain, and name the first position that is not as it was sealed.

    Ends with 1 when there is one. Events that are not sealed yet are counted, and no error.
    """
    from service.commands.verify import verify_store

    if partition is not None and stream is not None:
        raise click.UsageError("Give --partition or --stream.")
    sys.exit(verify_store(config, partition=partition, stream=stream, against=against, as_json=as_json))


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
