"""Tenure's settings for the demonstration, also as a file for other commands."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from domain.policy import Decisions, ProductPolicy
from service.demo.servers import LicenseServer
from service.demo.store import AnyStore
from service.demo.store import Api as RunningApi
from service.demo.stripe import GRACE_DAYS, SOLO_CODE
from service.secrets import Secret, Secrets
from service.settings import Api, Database, Fetch, Server, Settings, Source, Target

# Nobody here is waited for: simulators answer at once, and as often as they are asked.
READS_PER_MINUTE = 6_000
BURST = 50


def configured(
    folder: Path, dsn: str, stores: Sequence[AnyStore], apis: Mapping[str, RunningApi], servers: Sequence[LicenseServer]
) -> Settings:
    """Tenure's settings; `apis` are those of the stores, by source."""
    policy = Decisions(products={SOLO_CODE: ProductPolicy(past_due_days=GRACE_DAYS)})
    return Settings(
        directory=folder,
        database=Database(url=dsn),
        server=Server(port=0),
        sources={
            store.source: Source(
                provider=store.provider,
                mode="test",
                target=store.target,
                account=store.account,
                policy=policy,
                api=Api(url=apis[store.source].url, requests_per_minute=READS_PER_MINUTE),
            )
            for store in stores
        },
        targets={
            each.target: Target(
                server=each.server, url=each.url, requests_per_minute=each.requests_per_minute, burst=BURST
            )
            for each in servers
        },
        # Nobody here is late for long.
        fetch=Fetch(patience_seconds=1, poll_seconds=0.1),
        secrets=Secrets(
            sources={store.source: (Secret(store.signing),) for store in stores if store.signing},
            api_keys={name: Secret(api.key) for name, api in apis.items()},
            generator_keys={store.source: (Secret(store.generator_key),) for store in stores if store.generator_key},
            targets={each.target: Secret(each.key) for each in servers},
        ),
    )


def written(settings: Settings) -> Path:
    """What other commands have to know to look at the demonstration, as a file."""
    path = settings.directory / "tenure.toml"
    tables = [_table("database", url=settings.database.url)]
    for name, source in settings.sources.items():
        told = {"provider": source.provider, "mode": source.mode, "target": source.target, "account": source.account}
        tables += [_table(f"sources.{name}", **told), _table(f"sources.{name}.api", url=source.api.url)]
    for name, target in settings.targets.items():
        tables.append(_table(f"targets.{name}", server=target.server, url=target.url))
    path.write_text("\n".join(tables), encoding="utf-8")
    return path


def _table(name: str, **values: object) -> str:
    lines = [f'{key} = "{value}"\n' for key, value in values.items() if value]
    return f"[{name}]\n{''.join(lines)}"
