"""The settings that the demonstration leaves for other commands."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.demo.configuring import configured, written
from service.demo.people import stores
from service.demo.servers import running_servers
from service.demo.store import Api
from service.settings import Settings, load

pytestmark = pytest.mark.anyio


async def test_other_commands_find_every_store_and_license_server_where_the_demonstration_has_them(
    tmp_path: Path,
) -> None:
    selling = stores(datetime.now(UTC))
    apis = {store.source: Api(f"http://127.0.0.1:{8000 + place}", "key") for place, store in enumerate(selling)}
    async with running_servers() as servers:
        made = configured(tmp_path, "postgresql://user@127.0.0.1/tenure", selling, apis, servers)
    found = load(written(made), {})
    assert found.database.url == made.database.url

    def told(settings: Settings) -> tuple[object, object]:
        sources = {
            name: (each.provider, each.mode, each.targets, each.account, each.api.url)
            for name, each in settings.sources.items()
        }
        targets = {name: (each.server, each.url) for name, each in settings.targets.items()}
        return sources, targets

    assert told(found) == told(made)
    assert {each.provider for each in found.sources.values()} == {"stripe", "fastspring", "wallee"}
    assert {each.server for each in found.targets.values()} == {"licensespring", "netlicensing"}
