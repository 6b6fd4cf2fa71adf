"""The command line as people and scripts meet it: what is printed, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg import AsyncConnection

from domain.receipts import KeysMinted
from service.bootstrap import prepare, reading
from tests.commands import Tenure, tenure
from tests.serving import settings
from tests.shop import STOPPED, STORY, UNROUTED, WRONG_TERMS, answered, as_event, project

pytestmark = pytest.mark.anyio

HEAVY = {"litestar", "uvicorn", "psycopg", "httpx2", "msgspec", "structlog", "prometheus_client", "transitions"}


@pytest.fixture
def bare(tmp_path: Path, database: str) -> Tenure:
    """With a migrated database that nothing happened in yet."""
    return tenure(tmp_path, database)


@pytest.fixture
async def shop(bare: Tenure, database: str) -> Tenure:
    await prepare(database)
    configured = settings(database)
    async with reading(configured, database) as reader:
        for body in [*STORY, STOPPED, UNROUTED, WRONG_TERMS]:
            await reader.log.append([as_event(body)])
    await project(configured, database)
    return bare


# --- without a database -------------------------------------------------------------------------------------


def test_help_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    program = "import service.cli, sys; print(*(name.split('.')[0] for name in sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not HEAVY & set(loaded.split())
    assert "Usage" in tenure(tmp_path, "").run("--help").out


@pytest.mark.parametrize(
    "arguments", [["serve", "--only", "cleaner"], ["timeline"], ["nonsense"], ["timeline", "x", "--as-of", "soon"]]
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: list[str]) -> None:
    ended = tenure(tmp_path, "").run(*arguments)
    assert ended.code == 2
    assert "Error" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["serve", "timeline x", "sources check", "migrate"])
def test_wrong_settings_end_with_2_and_name_every_key(tmp_path: Path, command: str) -> None:
    tested = tenure(tmp_path, "")
    (tmp_path / "tenure.toml").write_text('[server]\nport = "x"\n[sources.A]\nprovider = "?"', encoding="utf-8")
    ended = tested.run(*command.split())
    assert ended.code == 2
    assert ended.err.count("tenure: [") == 4
    assert "Traceback" not in ended.err


def test_serving_without_secrets_ends_with_2_and_names_the_variables(tmp_path: Path) -> None:
    ended = tenure(tmp_path, "postgresql://127.0.0.1:9/x").run(
        "serve", TENURE_SOURCE_SHOP_SECRETS="", TENURE_TARGET_LS_KEY=""
    )
    assert ended.code == 2
    assert "TENURE_SOURCE_SHOP_SECRETS" in ended.err
    assert "TENURE_TARGET_LS_KEY" in ended.err


def test_an_open_api_is_refused_on_an_address_that_others_reach(tmp_path: Path) -> None:
    ended = tenure(tmp_path, "").run("serve", "--no-auth", "--host", "0.0.0.0")
    assert ended.code == 2
    assert "loopback" in ended.err


@pytest.mark.parametrize("command", ["timeline sub_1", "subscriptions", "migrate", "serve"])
def test_a_database_that_is_down_ends_with_3_and_one_line(tmp_path: Path, command: str) -> None:
    ended = tenure(tmp_path, "postgresql://someone:hidden@127.0.0.1:9/x").run(*command.split())
    assert ended.code == 3
    assert "database cannot be reached" in ended.err
    assert "Traceback" not in ended.err
    assert "hidden" not in ended.err + ended.out


@pytest.mark.parametrize("command", ["serve", "migrate", "subscriptions"])
def test_a_database_url_with_a_slip_is_named_without_its_password(tmp_path: Path, command: str) -> None:
    ended = tenure(tmp_path, "postgrsql://someone:hidden@127.0.0.1:9/x").run(command)
    assert ended.code == 2
    assert "[database] url" in ended.err
    assert "hidden" not in ended.err + ended.out


def test_sources_are_checked_without_a_database(tmp_path: Path) -> None:
    tested = tenure(tmp_path, "postgresql://127.0.0.1:9/x")
    complete = tested.run("sources", "check")
    assert complete.code == 0
    assert "/webhooks/shop" in complete.out
    lacking = tested.run("sources", "check", "--json", TENURE_SOURCE_OTHER_SECRETS="")
    assert lacking.code == 1
    checks = {check["source"]: check for check in json.loads(lacking.out)}
    assert checks["shop"]["missing"] == []
    assert checks["shop"]["secrets"] == 1
    assert "TENURE_SOURCE_OTHER_SECRETS" in checks["other"]["missing"][0]
    assert "whsec" not in lacking.out + complete.out


def test_what_two_sources_lack_alike_is_told_once_and_no_secret_is_counted_where_none_is_needed(tmp_path: Path) -> None:
    tested = two_stores(tmp_path)
    with (tmp_path / "tenure.toml").open("a", encoding="utf-8") as file:
        file.write('[sources.pay]\nprovider = "wallee"\naccount = "405"\ntarget = "ls"\n')
    lacking = tested.run("sources", "check", TENURE_TARGET_LS_KEY="")
    assert lacking.code == 1
    assert lacking.out.count("TENURE_TARGET_LS_KEY") == 1
    assert "and pay are missing the API key of target ls: set TENURE_TARGET_LS_KEY" in " ".join(lacking.out.split())
    checks = {check["source"]: check for check in json.loads(tested.run("sources", "check", "--json").out)}
    assert (checks["pay"]["secrets"], checks["store"]["secrets"]) == (None, 0)


def test_a_source_without_an_api_key_is_complete_and_it_is_said_what_will_wait(tmp_path: Path) -> None:
    tested = tenure(tmp_path, "postgresql://127.0.0.1:9/x")
    keyless = tested.run("sources", "check")
    assert keyless.code == 0
    assert "set TENURE_SOURCE_SHOP_API_KEY" in keyless.out
    assert "TENURE_SOURCE_SHOP_API_KEY" not in tested.run("sources", "check", TENURE_SOURCE_SHOP_API_KEY="sk_1").out


def two_stores(folder: Path) -> Tenure:
    tested = tenure(folder, "postgresql://127.0.0.1:9/x")
    with (folder / "tenure.toml").open("a", encoding="utf-8") as file:
        file.write('[sources.store]\nprovider = "fastspring"\ntarget = "ls"\n')
    return tested


def test_keys_that_are_not_of_their_provider_s_form_are_all_named_as_mistakes_of_the_settings(tmp_path: Path) -> None:
    tested = two_stores(tmp_path)
    keys = {"TENURE_SOURCE_SHOP_API_KEY": "sk 1", "TENURE_SOURCE_STORE_API_KEY": "hidden"}
    ended = tested.run("sources", "check", **keys)
    assert (ended.code, ended.out) == (2, "")
    for name in keys:
        assert f"{name} does not fit" in ended.err
    assert "NAME:PASSWORD" in ended.err
    assert "hidden" not in ended.err


def test_a_generator_key_that_could_be_guessed_is_warned_of(tmp_path: Path) -> None:
    tested = two_stores(tmp_path)
    said = tested.run("sources", "check", TENURE_SOURCE_STORE_GENERATOR_KEY=f"{'k' * 32},{'k' * 31}").out
    assert "store has a generator key of fewer than 32 characters in TENURE_SOURCE_STORE_GENERATOR_KEY" in said
    assert "kkk" not in said
    assert "generator key" not in tested.run("sources", "check", TENURE_SOURCE_STORE_GENERATOR_KEY="k" * 32).out


# --- with one -----------------------------------------------------------------------------------------------


def test_an_empty_database_is_migrated_by_command(tmp_path: Path, empty_database: str) -> None:
    tested = tenure(tmp_path, empty_database)
    ended = tested.run("subscriptions")
    assert (ended.code, "tenure migrate" in ended.err) == (3, True)
    assert tested.run("migrate").code == 0
    assert tested.run("migrate").code == 0
    assert tested.run("subscriptions").out == "No subscriptions.\n"
    hint = tested.run("subscriptions", "--source", "nope").out.split()
    assert " ".join(hint) == "No subscriptions. No source is named nope; there are: other, shop."


async def test_a_timeline_is_told_in_words(shop: Tenure) -> None:
    ended = shop.run("timeline", "sub_1")
    assert ended.code == 0
    lines = [line.strip() for line in ended.out.splitlines()]
    assert lines[0] == "shop/subscription/sub_1  past_due"
    order = ["paid 58.00 USD", "payment failed", "payment overdue", "active → past_due"]
    places = [next(place for place, line in enumerate(lines) if words in line) for words in order]
    assert places == sorted(places)
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "out of order" in ended.out


async def test_a_timeline_is_told_as_of_an_instant(shop: Tenure) -> None:
    ended = shop.run("timeline", "shop/subscription/sub_1", "--as-of", "2026-02-15")
    assert ended.out.startswith("shop/subscription/sub_1  active")
    assert "overdue" not in ended.out


async def test_json_is_one_document_on_standard_output(shop: Tenure) -> None:
    told = json.loads(shop.run("timeline", "sub_1", "--json").out)
    assert [entry["event_id"] for entry in told["timeline"]] == ["evt_created", "evt_paid", "evt_failed", "evt_due"]
    assert len(told["licenses"]) == 2
    for command in ("subscriptions", "licenses", "streams", "dead-letters"):
        assert isinstance(json.loads(shop.run(command, "--json").out), list)


async def test_what_is_unknown_ends_with_1(shop: Tenure) -> None:
    for command in (
        "timeline sub_9",
        "licenses sub_9",
        "streams retry sub_9 --reason x",
        "dead-letters retry lic_9 --reason x",
    ):
        ended = shop.run(*command.split())
        assert (ended.code, ended.out) == (1, "")
        assert "Traceback" not in ended.err


async def test_an_ambiguous_id_ends_with_2_and_lists_the_candidates(shop: Tenure, database: str) -> None:
    configured = settings(database)
    async with reading(configured, database) as reader:
        await reader.log.append([as_event(STORY[0], source="other")])
    await project(configured, database)
    ended = shop.run("timeline", "sub_1")
    assert ended.code == 2
    assert "tenure: shop/subscription/sub_1" in ended.err
    assert "tenure: other/subscription/sub_1" in ended.err
    assert shop.run("timeline", "other/subscription/sub_1").code == 0


async def test_lists_show_what_is_there_and_what_is_wrong(shop: Tenure) -> None:
    subscriptions = shop.run("subscriptions").out
    assert "sub_1" in subscriptions
    assert "evt_odd" in subscriptions
    assert "sub_1" not in shop.run("subscriptions", "--problem").out
    assert "falcon-pro" in shop.run("licenses", "sub_1").out
    assert "sub_2" in shop.run("streams").out
    unrouted = shop.run("streams", "--status", "unrouted").out
    assert "shop/payment/pi_9" in unrouted
    assert "set TENURE_SOURCE_SHOP_API_KEY" in unrouted
    assert shop.run("dead-letters").out == "No dead letters.\n"


async def test_all_streams_that_need_a_person_are_listed_each_once_with_its_status_and_its_reason(shop: Tenure) -> None:
    listed = json.loads(shop.run("streams", "--json").out)
    found = {each["stream"]: each for each in listed}
    assert len(found) == len(listed), [(each["stream"], each["status"], each["problem"]) for each in listed]
    assert found["shop/subscription/sub_2"]["status"] == "stopped"
    assert found["shop/payment/pi_9"]["status"] == "unrouted"
    stopped = found["shop/subscription/sub_2"]["problem"]
    assert stopped.startswith("customer.subscription.updated evt_odd: Expected")
    lines = shop.run("streams").out.splitlines()
    assert lines[0].split()[:2] == ["stream", "status"]
    todo = " ".join(shop.run("explain", "sub_2").out.split())
    assert "tenure streams retry shop/subscription/sub_2 --reason" in todo


async def test_a_comparison_with_the_future_is_refused(shop: Tenure) -> None:
    ended = shop.run("compare", "--at", "2999-01-01")
    assert (ended.code, "lies in the future" in ended.err) == (2, True)


async def test_a_delivery_of_the_wrong_mode_is_listed_with_what_to_set(shop: Tenure, database: str) -> None:
    live = STORY[0].replace(b'"livemode":false', b'"livemode":true').replace(b"evt_created", b"evt_live")
    configured = settings(database)
    async with reading(configured, database) as reader:
        await reader.log.append([as_event(live)])
    await project(configured, database)
    said = " ".join(shop.run("streams", "--status", "wrong-mode").out.split())
    assert "shop/wrong-mode/evt_live" in said
    assert 'the source is set to test, the delivery is live: set mode = "live" in [sources.shop]' in said
    file = shop.folder / "tenure.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('mode = "test"', 'mode = "live"'), encoding="utf-8")
    assert "have the provider send it again" in " ".join(shop.run("streams", "--status", "wrong-mode").out.split())


async def test_what_a_person_has_to_type_is_not_broken_in_80_columns(shop: Tenure, database: str) -> None:
    async with await AsyncConnection.connect(database, autocommit=True) as connection:
        name = "TENURE_SOURCE_A_SHOP_OF_SOME_LENGTH_API_KEY"
        await connection.execute(f"update projection_1.want set next_at = now(), error = 'set {name}'".encode())
    lines = shop.run("streams", "--status", "waiting").out.splitlines()
    assert any(name in line for line in lines)
    assert max(map(len, lines)) <= 80


async def test_what_belongs_to_a_subscription_leads_to_it(shop: Tenure) -> None:
    ended = shop.run("timeline", "in_1")
    assert ended.code == 0
    assert ended.out.startswith("shop/subscription/sub_1  past_due")
    assert "shop/invoice/in_1 belongs to it" in ended.out
    ended = shop.run("timeline", "cus_1")
    assert ended.code == 2
    assert "tenure: shop/subscription/sub_1" in ended.err


async def test_what_could_not_be_pushed_is_listed_with_the_reason(shop: Tenure, database: str) -> None:
    nothing, waiting = shop.run("pushes").out.splitlines()
    assert nothing == "No push failed."
    assert waiting == "1 subscription waits for its turn at ls (540 requests a minute)."
    async with await AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute("update projection_1.push set attempts = 3, error = 'no answer'")
    (push,) = json.loads(shop.run("pushes", "--json").out)
    assert (push["stream"], push["attempts"], push["error"]) == ("shop/subscription/sub_1", 3, "no answer")
    assert "no answer" in shop.run("pushes").out
    assert "turn" not in shop.run("pushes").out


@pytest.mark.parametrize("name", ["nl", "a-license-server-of-some-length"])
async def test_licenses_of_several_targets_keep_their_header_and_their_keys_in_80_columns(
    shop: Tenure, database: str, name: str
) -> None:
    assert "target" not in shop.run("licenses").out.splitlines()[0]
    async with await AsyncConnection.connect(database, autocommit=True) as connection:
        key = "6K49-ZCQD-NMBE-KZPJ"
        await connection.execute(
            "update projection_1.license set key = %s, target = case unit when 1 then target else %s end from"
            " (select partition as p, id as i, (desired->>'unit')::int as unit from projection_1.license) as each"
            " where partition = p and id = i",
            (key, name),
        )
    lines = shop.run("licenses").out.splitlines()
    assert lines[0].split()[0] == "license"
    assert " ".join(lines[:2]).split()[:6] == ["license", "product", "until", "target", "key", "pushed"]
    assert len([line for line in lines if key in line]) == 2
    assert any(name in line for line in lines)
    assert max(map(len, lines)) <= 80


async def test_a_person_may_name_a_subscription_by_a_license_s_key(shop: Tenure, database: str) -> None:
    configured = settings(database)
    async with reading(configured, database) as reader:
        license_ = (await reader.queries.licenses())[0]
        await answered(reader.log, KeysMinted(target="ls", order="order", keys={license_.id: "AAAA-BBBB"}))
    await project(configured, database)
    assert shop.run("timeline", "AAAA-BBBB").out.startswith("shop/subscription/sub_1")
    assert "AAAA-BBBB" in shop.run("licenses", "AAAA-BBBB").out
    not_refused = shop.run("dead-letters", "retry", "AAAA-BBBB", "--reason", "mended")
    assert (not_refused.code, "is refused" in not_refused.err) == (1, True)


async def test_a_stopped_stream_can_be_retried(shop: Tenure) -> None:
    asked = ("--author", "ada", "--reason", "mended")
    assert "will be tried again" in shop.run("streams", "retry", "sub_2", *asked).out
    told = json.loads(shop.run("streams", "retry", "sub_2", *asked, "--json").out)
    assert told == {"accepted": "shop/subscription/sub_2", "notes": []}
    assert shop.run("timeline", "sub_2").out.count("ada had this tried again: mended") == 2
    assert shop.run("streams", "retry", "sub_1", *asked).code == 1
    assert "TENURE_SOURCE_SHOP_API_KEY" in shop.run("streams", "retry", "pi_9", *asked).out
    assert "who and why" in shop.run("streams", "retry", "sub_2", "--reason", " ").err


def test_every_command_is_in_the_readme() -> None:
    from rich_click import Group

    from service.cli import tenure as root

    def names(group: Group, prefix: str) -> list[str]:
        return [
            found
            for name, command in group.commands.items()
            for found in (
                [f"{prefix} {name}"] + (names(command, f"{prefix} {name}") if isinstance(command, Group) else [])
            )
        ]

    readme = (Path(__file__).parents[2] / "service" / "README.md").read_text(encoding="utf-8")
    assert [name for name in names(root, "tenure") if f"`{name}" not in readme] == []
