"""The schema comes about once, whoever starts first, and never by surprise."""

import asyncio
import shutil
from pathlib import Path

import psycopg
import pytest

from service.store.errors import DatabaseNewer, DatabaseOutdated, MigrationEdited, MigrationError, MigrationFailed
from service.store.migrate import check, migrate
from tests.integration.store.given import an_event, append, connected

pytestmark = pytest.mark.anyio

SHIPPED = Path(__file__).parents[3] / "service" / "store" / "migrations"
NAMES = sorted(path.stem for path in SHIPPED.glob("*.sql"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped migrations that a test may change."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "migrations"))


async def test_an_empty_database_gets_all_migrations_in_order(empty_database: str) -> None:
    assert await migrate(empty_database) == NAMES

    async with connected(empty_database) as connection:
        [one] = await append(connection, [an_event("evt_1")])
        assert one.position == 1


async def test_a_migrated_database_is_left_alone(database: str) -> None:
    assert await migrate(database) == []
    await check(database)


async def test_processes_that_start_at_once_apply_each_migration_once(empty_database: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_database) for _ in range(6)))

    assert sorted(name for names in applied for name in names) == NAMES


async def test_the_event_store_has_the_columns_and_keys_that_others_rely_on(database: str) -> None:
    async with connected(database) as connection:
        cursor = await connection.execute(
            """select string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position)
               from information_schema.columns where table_name in ('event', 'head') group by table_name
               order by table_name"""
        )
        assert [columns for (columns,) in await cursor.fetchall()] == [
            (
                "partition smallint, position bigint, stream text, source text, event_id text, item text, type text,"
                " origin text, cause text, occurred_at timestamp with time zone, received_at timestamp with time zone,"
                " recorded_at timestamp with time zone, headers jsonb, content_type text, body bytea, digest bytea"
            ),
            "partition smallint, position bigint",
        ]
        cursor = await connection.execute(
            """select pg_get_constraintdef(oid) from pg_constraint
               where conrelid in ('event'::regclass, 'head'::regclass) and contype in ('p', 'u') order by 1"""
        )
        assert [key for (key,) in await cursor.fetchall()] == [
            "PRIMARY KEY (partition)",
            'PRIMARY KEY (partition, "position")',
            "UNIQUE (partition, stream, event_id)",
        ]
        cursor = await connection.execute("select count(*), min(partition), max(partition) from head")
        assert await cursor.fetchall() == [(256, 0, 255)]


async def test_every_key_is_led_by_the_partition_and_no_sequence_or_foreign_key_stands_in_the_way(
    database: str,
) -> None:
    async with connected(database) as connection:
        cursor = await connection.execute(
            """select i.indexrelid::regclass::text, a.attname from pg_index i
               join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
               where i.indrelid = any ('{event, head, seal, seal_head}'::regclass[])"""
        )
        assert {leading for _, leading in await cursor.fetchall()} == {"partition"}
        cursor = await connection.execute(
            """select relname from pg_class where relkind = 'S'
               union all select conname from pg_constraint where contype = 'f'"""
        )
        assert await cursor.fetchall() == []


async def test_bodies_are_compressed_with_lz4_where_the_server_can(database: str) -> None:
    async with connected(database) as connection:
        cursor = await connection.execute(
            "select 'lz4' = any (enumvals) from pg_settings where name = 'default_toast_compression'"
        )
        can = await cursor.fetchall() == [(True,)]
        cursor = await connection.execute(
            """select attcompression = 'l' from pg_attribute
               where attrelid = 'event'::regclass and attname = 'body'"""
        )
        assert await cursor.fetchall() == [(can,)]


async def test_an_edited_migration_is_refused(database: str, folder: Path) -> None:
    with (folder / f"{NAMES[0]}.sql").open("a") as file:
        file.write("-- a change of mind\n")

    for refused in (migrate, check):
        with pytest.raises(MigrationEdited, match=f"{NAMES[0]}.*restore the file"):
            await refused(database, folder)


async def test_line_ends_of_another_system_are_no_edit(database: str, folder: Path) -> None:
    for path in (folder / f"{name}.sql" for name in NAMES):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert await migrate(database, folder) == []


async def test_a_database_newer_than_the_program_is_refused(database: str, folder: Path) -> None:
    (folder / f"{NAMES[-1]}.sql").unlink()

    for refused in (migrate, check):
        with pytest.raises(DatabaseNewer, match=f"{NAMES[-1]}.*newer version"):
            await refused(database, folder)


async def test_a_process_that_must_not_migrate_is_told_what_is_missing(empty_database: str) -> None:
    with pytest.raises(DatabaseOutdated, match=f"{NAMES[0]}.*run `tenure migrate`"):
        await check(empty_database)

    async with connected(empty_database) as connection:
        cursor = await connection.execute("select to_regclass('migration'), to_regclass('event')")
        assert await cursor.fetchall() == [(None, None)]


async def test_a_failing_migration_leaves_nothing_of_itself_and_keeps_the_ones_before(
    empty_database: str, folder: Path
) -> None:
    number = len(NAMES) + 1
    broken = folder / f"{number:04}_broken.sql"
    broken.write_text("create table half_way (id integer); select 1 / 0;")

    with pytest.raises(MigrationFailed, match=f"{broken.stem}.*rolled back.*division by zero"):
        await migrate(empty_database, folder)

    async with connected(empty_database) as connection:
        cursor = await connection.execute("select to_regclass('half_way')")
        assert await cursor.fetchall() == [(None,)]
        cursor = await connection.execute("select name from migration order by number")
        assert [name for (name,) in await cursor.fetchall()] == NAMES
    broken.write_text("create table whole (id integer);")
    assert await migrate(empty_database, folder) == [broken.stem]


@pytest.mark.parametrize("name", ["0009_gap.sql", "notes.sql"])
async def test_a_misnamed_migration_is_refused_before_anything_is_applied(
    empty_database: str, folder: Path, name: str
) -> None:
    (folder / name).write_text("select 1;")

    with pytest.raises(MigrationError):
        await migrate(empty_database, folder)
    with pytest.raises(DatabaseOutdated):
        await check(empty_database)


async def test_a_server_out_of_reach_is_an_operational_error(tmp_path: Path) -> None:
    with pytest.raises(psycopg.OperationalError):
        await migrate(f"host={tmp_path} dbname=nowhere")
