"""`tenure rebuild` and `tenure simulate` as people and programs meet them."""

import json
import re
from pathlib import Path

import pytest

from projections.versions import rules_read
from service.bootstrap import prepare, reading, wired
from service.settings import Settings
from service.wiring.rules import rules_of
from tests.commands import ROOT, Tenure, tenure
from tests.integration.store.given import connected
from tests.serving import settings
from tests.shop import STOPPED, STORY, SUB_1, UNROUTED, as_event, project

RECIPES = ROOT / "projections" / "README.md"
WIDTH = 80

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


@pytest.fixture
async def shop(tmp_path: Path, database: str) -> Tenure:
    shop = tenure(tmp_path, database)
    configured = settings(database)
    await prepare(database, rules_of(configured))
    async with reading(configured, database) as reader:
        for body in [*STORY, STOPPED, UNROUTED]:
            await reader.log.append([as_event(body)])
    await project(configured, database)
    return shop


def narrow(text: str) -> bool:
    return all(len(line.rstrip()) <= WIDTH for line in text.splitlines())


async def execute(database: str, statement: str) -> None:
    async with connected(database) as connection:
        await connection.execute(statement.encode())


async def test_a_dry_run_tells_field_by_field_what_a_rebuild_then_mends(shop: Tenure, database: str) -> None:
    intact = shop.run("rebuild", "--dry-run")
    assert intact.code == 0, intact.err
    assert "Nothing differs." in intact.out
    assert "`tenure rebuild --drop 2` drops it" in intact.out
    await execute(database, "update projection_1.license set key = 'AAAA', desired = '{\"enabled\": false}'")
    await execute(database, "update projection_1.stream set state = 'terminated' where stream like '%sub_1'")
    told = shop.run("rebuild", "--dry-run")
    assert "2 licenses would change" in told.out
    assert re.search(r"key +AAAA → none", told.out)
    assert re.search(r"enabled +no → yes", told.out)
    assert re.search(r"state +terminated → past_due", told.out)
    assert narrow(told.out)
    as_json = json.loads(shop.run("rebuild", "--dry-run", "--json").out)
    assert as_json["switched"] is False
    assert as_json["difference"]["changed_licenses"] == 2
    (changed, _) = as_json["difference"]["licenses"]
    assert changed["stream"] == SUB_1
    assert {"field": "key", "before": "AAAA", "after": None, "because": ""} in changed["fields"]

    switched = shop.run("rebuild")
    assert switched.code == 0, switched.err
    assert "2 licenses changed" in switched.out
    assert "would" not in switched.out
    assert "\n\n\n" not in switched.out
    assert "Version 2 is read now. Version 1 is kept until `tenure rebuild --drop 1`." in switched.out
    assert "past_due" in shop.run("subscriptions").out
    assert shop.run("rebuild", "--drop", "1").code == 0
    refused = shop.run("rebuild", "--drop", "2")
    assert (refused.code, "is read, and is not dropped" in refused.err) == (1, True)
    assert [each["version"] for each in json.loads(shop.run("rebuild", "--list", "--json").out)] == [2]


async def test_what_migrating_cannot_mend_a_rebuild_does(shop: Tenure, database: str) -> None:
    before = shop.run("licenses", "--json").out
    await execute(database, "drop table projection_1.license")
    lacking = shop.run("licenses")
    assert (lacking.code, "`tenure rebuild`" in lacking.err) == (3, True)
    mended = shop.run("rebuild")
    assert mended.code == 0, mended.err
    assert "are gone or damaged, and count as empty: license." in " ".join(mended.out.split())
    assert shop.run("licenses", "--json").out == before
    await execute(database, "update projection_version set is_read = false")
    assert shop.run("migrate").code == 0
    assert shop.run("licenses", "--json").out == before
    await execute(database, "delete from projection_version")
    assert shop.run("rebuild").code == 0
    assert shop.run("licenses", "--json").out == before


async def test_a_simulation_says_whom_another_policy_would_lock_out_and_changes_nothing(shop: Tenure) -> None:
    (shop.folder / "what-if.toml").write_text("[policy]\npast_due_days = 0\n")
    before = shop.run("licenses", "--json").out
    told = shop.run("simulate", "--policy", "what-if.toml")
    assert told.code == 0, told.err
    assert "2 licenses would change:" in told.out
    assert re.search(r"enabled +yes → no", told.out)
    assert re.search(r"state +past_due → suspended", told.out)
    assert "This was a simulation: nothing was changed" in told.out
    assert narrow(told.out)
    assert shop.run("licenses", "--json").out == before
    assert len(json.loads(shop.run("rebuild", "--list", "--json").out)) == 1


async def test_what_is_wrong_with_a_policy_file_is_said_with_its_remedy(shop: Tenure) -> None:
    for text, said in (
        ("[policy]\npast_due_day = 3\n", "Did you mean past_due_days?"),
        ("[sources.shoq.policy]\npast_due_days = 3\n", "Name one of: other, shop."),
        ("", "decides nothing"),
        ("[policy", "is not TOML"),
    ):
        (shop.folder / "what-if.toml").write_text(text)
        refused = shop.run("simulate", "--policy", "what-if.toml")
        assert (refused.code, said in refused.err) == (2, True), refused.err


async def test_the_recipes_of_the_readme_run(shop: Tenure) -> None:
    text = RECIPES.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(sh|toml) rebuild\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    commands = [line for kind, text in blocks if kind == "sh" for line in text.splitlines()]
    assert len(commands) >= 4
    (shop.folder / "what-if.toml").write_text(next(text for kind, text in blocks if kind == "toml"))
    for line in commands:
        program, *arguments = line.split("#")[0].split()
        assert program == "tenure"
        ran = shop.run(*arguments)
        assert ran.code == 0, (line, ran.err)


@pytest.mark.parametrize("changed", [True, False])
async def test_a_service_says_at_its_start_when_rows_were_derived_by_another_policy(
    shop: Tenure, database: str, capsys: pytest.CaptureFixture[str], *, changed: bool
) -> None:
    configured: Settings = settings(database)
    if changed:
        await execute(database, "update projection_version set rules = 'code/policies'")
    async with wired(configured, database, ["runner"]):
        pass
    assert ("tenure rebuild --dry-run" in capsys.readouterr().out) == changed


async def test_who_comes_back_to_the_policy_of_before_is_told_that_rows_are_of_another_until_a_rebuild(
    shop: Tenure, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configured: Settings = settings(database)
    first = rules_of(configured)
    code, _ = first.split("/")
    await execute(database, f"update projection_version set rules = '{code}/others'")
    for _ in range(2):
        async with wired(configured, database, ["runner"]):
            pass
        assert "changed=['policies']" in re.sub(r"\x1b\[\d+m", "", capsys.readouterr().out)
    # The next start is as one by the policy that these rows were loaded by.
    await execute(database, f"update projection_version set rules = replace(rules, 'others', '{first.split('/')[1]}')")
    async with wired(configured, database, ["runner"]):
        pass
    assert "tenure rebuild" in capsys.readouterr().out
    async with connected(database) as connection:
        assert await rules_read(connection) == f"{first}+"
        assert shop.run("rebuild").code == 0
        assert "+" not in await rules_read(connection)
