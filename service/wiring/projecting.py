"""What derives subscriptions and licenses: the sources as projections know them, and the runner."""

from collections.abc import Mapping
from datetime import timedelta

from domain.providers.table import PROVIDERS
from projections.ports import BulkLog
from projections.runner import Runner, RunnerSettings
from projections.sources import Source
from projections.tables import Pool, Tables
from projections.targets import Target
from service.settings import Settings
from service.wiring.asking import why_unasked
from service.wiring.owner import owner
from service.wiring.targets import decided, policies


def projected(settings: Settings) -> dict[str, Source]:
    return {
        name: Source(
            name=name,
            provider=PROVIDERS[source.provider],
            targets=policies(settings, source),
            patience=timedelta(seconds=settings.fetch.patience_seconds),
            unasked=why_unasked(settings, name),
            live=source.live,
            decided=decided(settings, name),
        )
        for name, source in settings.sources.items()
    }


def make_runner(
    settings: Settings, log: BulkLog, pool: Pool, tables: Tables, targets: Mapping[str, Target], name: str = ""
) -> Runner:
    """`name` is who leases partitions; else it is this process."""
    numbers = settings.project
    return Runner(
        log=log,
        pool=pool,
        tables=tables,
        sources=projected(settings),
        targets=targets,
        owner=name or owner(),
        settings=RunnerSettings(poll=numbers.poll_seconds, lease=numbers.lease_seconds, batch=numbers.batch),
    )
