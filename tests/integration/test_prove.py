"""`tenure verify` and `tenure export` as people and auditors meet them."""

import asyncio
import json
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from service.bootstrap import prepare, reading
from tests.commands import ROOT, Ended, Tenure, tenure
from tests.integration.store.given import connected
from tests.sealed import seal
from tests.serving import settings
from tests.shop import STOPPED, STORY, SUB_1, UNROUTED, as_event, project

RECIPES = ROOT / "service" / "store" / "README.md"

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(tmp_path: Path, database: str) -> Tenure:
    await prepare(database)
    configured = settings(database)
    async with reading(configured, database) as reader:
        for body in [*STORY, STOPPED, UNROUTED]:
            await reader.log.append([as_event(body)])
    await project(configured, database)
    return tenure(tmp_path, database)


async def forge(database: str, statement: str) -> None:
    async with connected(database) as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statement.encode())


def audited(folder: Path, archive: str, *arguments: str) -> Ended:
    """What the script out of the archive says, where nothing of ours can be imported."""
    with zipfile.ZipFile(folder / archive) as opened:
        (folder / "verify.py").write_bytes(opened.read("verify.py"))
    ran = subprocess.run(
        [sys.executable, "-I", "-W", "error", "verify.py", archive, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in ran.stderr
    return Ended(ran.returncode, ran.stdout, ran.stderr)


def new_key(shop: Tenure) -> str:
    made = shop.run("export", "--new-key", "signing.key")
    assert made.code == 0, made.err
    return made.out.split()[-1]


# --- verify -------------------------------------------------------------------------------------------------


async def test_an_intact_store_is_said_to_be_so_with_what_is_sealed(shop: Tenure, database: str) -> None:
    unsealed = shop.run("verify")
    assert unsealed.code == 0, unsealed.err
    assert " 0 sealed" in unsealed.out
    await seal(database)
    sealed = shop.run("verify")
    assert sealed.code == 0
    assert ", 0 not yet" in sealed.out.replace("\n", " ")
    assert "Nothing was altered, removed, inserted, swapped or back-dated." in sealed.out
    assert "MB/s" in sealed.out
    told = json.loads(shop.run("verify", "--json").out)
    assert told["intact"] is True
    assert told["verified"]["events"] == told["verified"]["sealed"] > 5


async def test_a_broken_store_ends_with_1_and_is_told_where_and_what(shop: Tenure, database: str) -> None:
    await seal(database)
    await forge(database, f"update event set body = 'forged' where stream = '{SUB_1}' and position = 2")
    broken = shop.run("verify")
    assert broken.code == 1
    assert "position 2: altered body" in broken.out
    told = json.loads(shop.run("verify", "--json").out)
    [finding] = told["verified"]["findings"]
    assert (told["intact"], finding["position"], finding["kind"]) == (False, 2, "altered body")
    assert finding["stream"] == SUB_1
    assert f"{SUB_1} {finding['event_id']} {finding['occurred_at']}" in broken.out
    assert shop.run("verify", "--stream", SUB_1).code == 1
    assert shop.run("verify", "--partition", str(finding["partition"])).code == 1
    assert shop.run("verify", "--partition", str((finding["partition"] + 1) % 256)).code == 0


async def test_a_stream_without_events_is_not_found(shop: Tenure) -> None:
    missing = shop.run("verify", "--stream", "shop/subscription/nobody")
    assert missing.code == 1
    assert "no events" in missing.out


async def test_a_history_made_anew_is_intact_by_itself_and_found_against_an_earlier_archive(
    shop: Tenure, database: str
) -> None:
    assert shop.run("export", "earlier.zip", "--all").code == 0
    assert shop.run("verify", "--against", "earlier.zip").code == 0
    await forge(database, f"update event set cause = 'forged' where stream = '{SUB_1}' and position = 1")
    await forge(database, "truncate seal; update seal_head set position = 0")
    await seal(database)
    assert shop.run("verify").code == 0
    found = shop.run("verify", "--against", "earlier.zip")
    assert found.code == 1
    assert "rewritten" in found.out
    assert json.loads(shop.run("verify", "--against", "earlier.zip", "--json").out)["against"] == {
        "signed_by": None,
        "proved": False,
    }
    (shop.folder / "earlier.zip").write_bytes(b"no archive")
    assert shop.run("verify", "--against", "earlier.zip").code == 2


async def test_an_archive_to_check_against_has_to_be_signed_by_the_key_that_is_given(shop: Tenure) -> None:
    public = new_key(shop)
    assert shop.run("export", "signed.zip", "--all", "--key", "signing.key").code == 0
    assert shop.run("export", "unsigned.zip", "--all").code == 0
    proved = shop.run("verify", "--against", "signed.zip", "--key", public)
    assert (proved.code, "anybody" in proved.out) == (0, False)
    for archive, signer in (("signed.zip", public), ("unsigned.zip", "by nobody")):
        doubtful = shop.run("verify", "--against", archive)
        assert doubtful.code == 0
        assert signer in " ".join(doubtful.out.split())
        assert "anybody could have made it" in " ".join(doubtful.out.split())
    for archive, key in (("signed.zip", "00" * 32), ("unsigned.zip", public), ("signed.zip", "")):
        assert shop.run("verify", "--against", archive, "--key", key).code == 2


@pytest.mark.timeout(240)
async def test_the_commands_of_the_recipe_work(shop: Tenure) -> None:
    [recipe] = re.findall(r"^```sh prove\n(.*?)^```$", RECIPES.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    script = f"""set -eu
tenure() {{ "{sys.executable}" -P -W error -m service "$@"; }}
python3() {{ "{sys.executable}" "$@"; }}
{recipe}"""
    ran = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-c", script],
        cwd=shop.folder,
        env=shop.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=220,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("Nothing was altered") == 2
    assert "PROVED, of an archive" in ran.stdout
    assert f"every event of {SUB_1}" in ran.stdout


# --- export -------------------------------------------------------------------------------------------------


async def test_an_auditor_proves_a_whole_store_with_the_script_alone(shop: Tenure) -> None:
    public = new_key(shop)
    exported = shop.run("export", "all.zip", "--all", "--key", "signing.key")
    assert exported.code == 0, exported.err
    assert public in exported.out
    assert stat.S_IMODE((shop.folder / "all.zip").stat().st_mode) == 0o600
    proved = audited(shop.folder, "all.zip", "--key", public)
    assert proved.code == 0, proved.out
    assert proved.out.startswith("PROVED")
    assert "signed with the key that you gave" in proved.out
    assert audited(shop.folder, "all.zip", "--key", "00" * 32).code == 1
    assert "every event of the whole store" in proved.out
    assert f"verify.py all.zip --key {public}" in exported.out.replace("\n", " ")


async def test_whoever_gives_no_key_is_told_that_nothing_is_proved(shop: Tenure) -> None:
    new_key(shop)
    assert shop.run("export", "signed.zip", "--all", "--key", "signing.key").code == 0
    assert shop.run("export", "unsigned.zip", "--all").code == 0
    for archive, told in (("signed.zip", "SIGNED BY WHOM?"), ("unsigned.zip", "NOBODY SIGNED IT")):
        intact = audited(shop.folder, archive)
        assert (intact.code, intact.out.startswith("INTACT, BUT NOT PROVED")) == (3, True)
        assert told in intact.out
        report = json.loads(audited(shop.folder, archive, "--json").out)
        assert (report["intact"], report["proved"]) == (True, False)
        # What comes of `--key "$KEY"` where that is not set.
        empty = audited(shop.folder, archive, "--key", "")
        assert (empty.code, empty.out) == (2, "")
        assert "64 hexadecimal digits" in empty.err


async def test_one_subscription_is_proved_complete_without_showing_another(shop: Tenure) -> None:
    exported = shop.run("export", "one.zip", "--subscription", "sub_1", "--key", "signing.key", "--json")
    assert exported.code == 2, "there is no key yet"
    public = new_key(shop)
    exported = shop.run("export", "one.zip", "--subscription", "sub_1", "--key", "signing.key", "--json")
    assert exported.code == 0, exported.err
    told = json.loads(exported.out)
    proved = audited(shop.folder, "one.zip", "--json", "--key", public)
    assert proved.code == 0, proved.out
    report = json.loads(proved.out)
    assert report["proved"] is True
    assert report["selection"] == {"stream": SUB_1}
    assert (report["events"], report["left_out"]) == (told["events"], told["left_out"])
    assert report["events"] >= len(STORY)
    with zipfile.ZipFile(shop.folder / "one.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"evt_paid" in everything
    assert b"sub_2" not in everything


async def test_a_period_is_proved_complete(shop: Tenure) -> None:
    exported = shop.run("export", "year.zip", "--from", "2026-01-01", "--to", "2100-01-01")
    assert exported.code == 0, exported.err
    proved = audited(shop.folder, "year.zip")
    assert proved.code == 3, proved.out
    assert "recorded from 2026-01-01" in proved.out
    assert shop.run("export", "past.zip", "--to", "2001-01-01").code == 0
    assert "that was sealed then: 0." in audited(shop.folder, "past.zip").out
    assert shop.run("export", "none.zip", "--from", "2026-01-02", "--to", "2026-01-02").code == 2


async def test_a_store_that_was_tampered_with_is_not_exported(shop: Tenure, database: str) -> None:
    await seal(database)
    await forge(database, f"update event set cause = 'forged' where stream = '{SUB_1}' and position = 2")
    refused = shop.run("export", "all.zip", "--all")
    assert refused.code == 1
    assert "position 2" in refused.err
    assert "tenure verify --partition" in refused.err
    assert list(shop.folder.glob("*all.zip*")) == []


async def test_a_key_is_its_owners_alone_and_never_overwritten(shop: Tenure) -> None:
    new_key(shop)
    path = shop.folder / "signing.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert shop.run("export", "--new-key", "signing.key").code == 2
    assert path.read_bytes() == before
    path.chmod(0o644)
    refused = shop.run("export", "x.zip", "--all", "--key", "signing.key")
    assert (refused.code, "chmod 600" in refused.err) == (2, True)
    path.write_text("no key", encoding="utf-8")
    path.chmod(0o600)
    assert shop.run("export", "x.zip", "--all", "--key", "signing.key").code == 2


async def test_an_archive_is_never_overwritten(shop: Tenure) -> None:
    (shop.folder / "all.zip").write_text("mine", encoding="utf-8")
    refused = shop.run("export", "all.zip", "--all")
    assert (refused.code, "exists already" in refused.err) == (2, True)
    assert (shop.folder / "all.zip").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        "export",
        "export x.zip",
        "export --all",
        "export x.zip --all --subscription sub_1",
        "export x.zip --all --new-key k",
        "verify --partition 256",
        "verify --partition 1 --stream x",
        "verify --key 00",
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: str) -> None:
    ended = tenure(tmp_path, "").run(*arguments.split())
    assert ended.code == 2
    assert "Traceback" not in ended.err
