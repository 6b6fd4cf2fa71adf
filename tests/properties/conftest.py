"""Properties are judged by what they find, not by how long an example takes on a busy machine."""

import asyncio
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from service.store.archive.writing import Selection, export
from tests.archives import KEY, Files
from tests.databases import Server
from tests.integration.store.given import stream_in
from tests.sealed import PARTITION, given_sealed

settings.register_profile("tenure", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tenure")


@pytest.fixture(scope="module")
def archives(
    server: Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Files]]:
    """The files of one archive of each kind: all, one stream, one period of which positions 1 to 3 are no part."""
    folder = tmp_path_factory.mktemp("archives")
    with server.database(template=migrated_template) as name:
        dsn = server.dsn(name)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, given_sealed(dsn)).result()
        with psycopg.connect(dsn) as connection:
            row = connection.execute(
                "select recorded_at from event where partition = %s and position = 4", [PARTITION]
            ).fetchone()
        assert row
        selections = {
            "all": Selection(),
            "stream": Selection(stream=stream_in(PARTITION, 1)),
            "period": Selection(since=row[0], until=row[0] + timedelta(hours=1)),
            "before": Selection(until=row[0]),
        }
        made = {}
        for kind, selection in selections.items():
            export(dsn, folder / kind, selection, key=KEY)
            with zipfile.ZipFile(folder / kind) as archive:
                made[kind] = {name: archive.read(name) for name in archive.namelist()}
        yield made
