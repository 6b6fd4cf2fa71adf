"""The `tenure` command itself, which the commands of the other modules here belong to."""

from pathlib import Path

import rich_click as click


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
