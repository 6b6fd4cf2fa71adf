"""Commands to try Tenure with: the demonstration, and the sandboxes of stores and license servers."""

import sys

import rich_click as click

from service.cli.root import tenure


@tenure.command()
@click.option("--once", is_flag=True, help="End when all is told; exit code 1 if anything is not as it should be.")
def demo(once: bool) -> None:
    """Show everything at once: customers of simulated stores, and their licenses at simulated license servers."""
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
@click.option(
    "--generator-key",
    envvar="FASTSPRING_GENERATOR_KEY",
    default="",
    help="First ask the source's license generator, with this private key; better in FASTSPRING_GENERATOR_KEY.",
)
def sandbox_fastspring(life: str, url: str, secret: str, generator_key: str) -> None:
    """Send the webhooks of one subscription's or purchase's LIFE, such as monthly_renewals, as FastSpring would."""
    from service.commands.sandbox import send_fastspring_life

    send_fastspring_life(life, url, secret, generator_key)


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
