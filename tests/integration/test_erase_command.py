"""The command `tenure erase`: dry runs, the act in the history, archives afterwards, and the recipe."""

import asyncio
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import psycopg
import pytest

from service.bootstrap import prepare, reading
from tests.commands import ROOT, Tenure, tenure
from tests.erasing import traces
from tests.integration.test_erase import ADA, arrived, life
from tests.sealed import seal
from tests.serving import settings
from tests.shop import project

RECIPES = ROOT / "service" / "store" / "README.md"

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(tmp_path: Path, database: str) -> Tenure:
    """The same lives in a shop whose licenses the license server has been told of."""
    await prepare(database)
    configured = settings(database)
    async with reading(configured, database) as reader:
        for each in arrived(life(), "shop"):
            await reader.log.append([each])
    await project(configured, database)
    await seal(database)
    with psycopg.connect(database) as connection:
        connection.execute("update projection_1.push set due = false")
    return tenure(tmp_path, database)


async def test_a_dry_run_lists_what_would_be_touched_and_changes_nothing(shop: Tenure, database: str) -> None:
    before = traces(database, ADA)
    tried = shop.run("erase", "--email", "ADA@example.com", "--dry-run")
    assert tried.code == 0, tried.err
    assert "would be erased" in tried.out
    assert "shop/subscription/sub_1" in tried.out
    assert "sub_2" not in tried.out
    assert max(map(len, tried.out.splitlines())) <= 80
    assert traces(database, ADA) == before
    told = json.loads(shop.run("erase", "--email", "ada@example.com", "--dry-run", "--json").out)
    assert told["act"] == ""
    assert told["references"] == ["shop/cus_1"]
    assert told["events"] == sum(len(each["positions"]) for each in told["streams"])


async def test_the_act_stands_in_the_history_by_position_and_not_whose(shop: Tenure, database: str) -> None:
    done = shop.run("erase", "--email", "ada@example.com", "--author", "Dora", "--reason", "request 7", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    with psycopg.connect(database) as connection:
        rows = connection.execute("select stream, body from event where type = 'tenure.erased' order by 1").fetchall()
    acts = {stream: json.loads(body) for stream, body in rows}
    assert {each["stream"]: each["positions"] for each in told["streams"]} == {
        stream: act["positions"] for stream, act in acts.items()
    }
    assert {(act["act"], act["author"], act["reason"]) for act in acts.values()} == {(told["act"], "Dora", "request 7")}
    assert "by Dora: request 7" in re.sub(r"\s+", " ", shop.run("timeline", "sub_1").out)
    again = shop.run("erase", "--email", "ada@example.com", "--reason", "request 7")
    assert again.code == 1
    assert "nothing" in again.out


async def test_exports_afterwards_are_clean_and_proved(shop: Tenure, database: str) -> None:
    assert shop.run("erase", "--customer", "shop/cus_1", "--author", "Dora", "--reason", "request 7").code == 0
    await seal(database)
    public = shop.run("export", "--new-key", "signing.key").out.split()[-1]
    for arguments in (["--all"], ["--subscription", "sub_1"], ["--from", "2026-01-01", "--to", "2100-01-01"]):
        name = f"{arguments[0].strip('-')}.zip"
        exported = shop.run("export", name, *arguments, "--key", "signing.key")
        assert exported.code == 0, exported.err
        with zipfile.ZipFile(shop.folder / name) as archive:
            content = b"".join(archive.read(each) for each in archive.namelist()).decode().casefold()
            (shop.folder / "verify.py").write_bytes(archive.read("verify.py"))
        assert [word for word in ADA if word in content and not word.isdigit() and word != "ada"] == []
        proved = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-I", "-W", "error", "verify.py", name, "--key", public],
            cwd=shop.folder, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert proved.returncode == 0, proved.stdout
        assert "of the events were erased" in proved.stdout


async def test_an_archive_in_which_no_erasure_event_names_what_is_said_to_be_erased_is_not_proved(
    shop: Tenure, database: str
) -> None:
    from service.store.archive import verify as alone

    assert shop.run("erase", "--customer", "shop/cus_1", "--author", "Dora", "--reason", "request 7").code == 0
    await seal(database)
    assert shop.run("export", "one.zip", "--subscription", "sub_1").code == 0
    with zipfile.ZipFile(shop.folder / "one.zip") as archive:
        [name] = [each for each in archive.namelist() if each.startswith("events/")]
        lines = [json.loads(line) for line in archive.read(name).splitlines()]
        manifest = json.loads(archive.read("manifest.json"))
    partition = int(name[7:10])
    head = manifest["heads"][str(partition)]
    honest, forged = alone.Report(selection=manifest["selection"]), alone.Report(selection=manifest["selection"])
    alone.check_partition(partition, head, iter(json.dumps(line).encode() for line in lines), honest)
    assert honest.findings == []
    [victim] = [line for line in lines if line.get("event_id") == "evt_sub"]
    if not victim.get("erased"):
        victim |= {"erased": True, "body": "{}", "headers_digest": alone.headers_digest(victim["headers"]).hex()}
        alone.check_partition(partition, head, iter(json.dumps(line).encode() for line in lines), forged)
        assert "no erasure event says so" in str(forged.findings)


async def test_while_a_license_server_has_to_be_told_something_nothing_is_erased(shop: Tenure, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("update projection_1.push set due = true")
    refused = shop.run("erase", "--email", "ada@example.com", "--author", "Dora", "--reason", "request 7")
    assert refused.code == 4
    assert "shop/subscription/sub_1 at ls" in refused.err
    assert "--despite-pushes" in refused.err
    assert traces(database, ["ada@example.com"])
    arguments = ("--email", "ada@example.com", "--author", "Dora", "--reason", "request 7", "--despite-pushes")
    assert shop.run("erase", *arguments).code == 0
    assert traces(database, ADA) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "Give --email or --customer"),
        ("--email a@b.example --customer shop/cus_1", "Give --email or --customer"),
        ("--email nobody --dry-run", "one address"),
        ("--customer nowhere/cus_1 --dry-run", "other, shop"),
        ("--email ada@example.com", "--reason"),
        ("--email ada@example.com --reason for.ada@example.com", "not the person"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_how(tmp_path: Path, arguments: str, told: str) -> None:
    ended = tenure(tmp_path, "").run("erase", *arguments.split())
    assert ended.code == 2
    assert told in re.sub(r"[\s│]+", " ", ended.err)


@pytest.mark.timeout(240)
async def test_the_commands_of_the_recipe_work(shop: Tenure, database: str) -> None:
    [recipe] = re.findall(r"^```sh erase\n(.*?)^```$", RECIPES.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    script = f"""set -eu
tenure() {{ "{sys.executable}" -P -W error -m service "$@"; }}
{recipe}"""
    ran = await asyncio.to_thread(
        subprocess.run, ["sh", "-c", script], cwd=shop.folder, env=shop.environment,
        capture_output=True, text=True, check=False, timeout=220,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "would be erased" in ran.stdout
    assert "bodies erased" in ran.stdout
    assert traces(database, ADA) == []
