"""Looking back as people and programs meet it: the two clocks, kinds, bodies, CSV, and what was believed.

The subscription of the shop's story happened in February and March 2026; all of it came late, as whoever begins with
an account's history meets it.
"""

import asyncio
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.settings import Settings
from tests.commands import ROOT, tenure
from tests.integration.store.given import connected
from tests.payloads.stripe import FEBRUARY, MARCH, event, subscription
from tests.serving import OPERATOR, VIEWER, Served, settings
from tests.shop import STORY, SUB_1, as_event, open_shop, project

pytestmark = pytest.mark.anyio

RECIPES = ROOT / "service" / "README.md"
VIEW = {"authorization": f"Bearer {VIEWER}"}
OPERATE = {"authorization": f"Bearer {OPERATOR}"}
TIMELINE = f"/subscriptions/{SUB_1}/timeline"


@pytest.fixture
def configured(database: str) -> Settings:
    return settings(database)


@pytest.fixture
async def shop(configured: Settings, database: str) -> AsyncIterator[Served]:
    async with open_shop(configured, database) as shop:
        yield shop


async def got(shop: Served, path: str, **params: str) -> Any:
    answer = await shop.http.get(f"/api/v1{path}", params=params, headers=VIEW)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(shop: Served, path: str, **params: str) -> dict[str, str]:
    answer = await shop.http.get(f"/api/v1{path}", params=params, headers=VIEW)
    assert answer.status_code == 400, answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


async def recorded(database: str, event_id: str, at: str) -> None:
    """Sets our clock of one event, as if it had been received then."""
    async with connected(database) as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute("update event set recorded_at = %s where event_id = %s", [at, event_id])


async def known_in_time(database: str) -> None:
    """All of the subscription was known when it happened, but that the payment was overdue: two days later."""
    await recorded(database, "evt_created", "2026-02-01T00:00:01Z")
    await recorded(database, "evt_paid", "2026-02-01T00:00:03Z")
    await recorded(database, "evt_due", "2026-03-05T09:00:00Z")
    await recorded(database, "evt_failed", "2026-03-05T09:00:01Z")


async def test_a_timeline_comes_in_pages_that_follow_each_other(shop: Served) -> None:
    whole = (await got(shop, TIMELINE))["items"]
    ids: list[str] = []
    cursor: dict[str, str] = {}
    for left in reversed(range(len(whole))):
        page = await got(shop, TIMELINE, limit="1", **cursor)
        ids += [entry["event_id"] for entry in page["items"]]
        cursor = {"cursor": page["next"]}
        assert (page["next"] is None) == (left == 0)
    assert ids == [entry["event_id"] for entry in whole] == ["evt_created", "evt_paid", "evt_failed", "evt_due"]


async def test_an_entry_has_both_clocks_its_facts_and_its_body_elsewhere(shop: Served) -> None:
    entry = (await got(shop, TIMELINE))["items"][1]
    assert "PeriodPaid" in entry["facts"]
    assert entry["occurred_at"] < entry["received_at"] < entry["recorded_at"]
    assert entry["lag"] > 0
    path = f"/api/v1/events/{entry['partition']}/{entry['position']}/body"
    assert (await shop.http.get(path, headers=OPERATE)).content == STORY[1]
    assert (await shop.http.get(path, headers=VIEW)).status_code == 403


async def test_a_timeline_is_narrowed_to_kinds_and_a_wrong_one_is_told_those_that_there_are(shop: Served) -> None:
    payments = (await got(shop, TIMELINE, only="payments"))["items"]
    assert {"evt_paid", "evt_failed"} <= {entry["event_id"] for entry in payments}
    late = (await got(shop, TIMELINE, only="late, timers"))["items"]
    assert [entry["event_id"] for entry in late] == ["evt_failed"]
    assert "payments, transitions" in (await refused(shop, TIMELINE, only="money"))["only"]


async def test_the_same_content_under_another_id_is_told_and_under_the_same_leaves_no_trace(
    shop: Served, configured: Settings, database: str
) -> None:
    again = as_event(STORY[1])
    async with connected(database) as connection:
        [(before,)] = await (await connection.execute("select count(*) from event")).fetchall()
    await shop.process.reader.log.append([again])
    async with connected(database) as connection:
        [(after,)] = await (await connection.execute("select count(*) from event")).fetchall()
    assert after == before
    await shop.process.reader.log.append([msgspec.structs.replace(again, event_id="evt_again")])
    await project(configured, database)
    same = (await got(shop, TIMELINE, only="repeats"))["items"]
    assert [(entry["event_id"], entry["same_as"]) for entry in same] == [("evt_again", "evt_paid")]


async def test_a_subscription_and_a_license_are_shown_as_they_stood(shop: Served, database: str) -> None:
    await known_in_time(database)
    now = await got(shop, f"/subscriptions/{SUB_1}")
    assert (now["summary"]["state"], now["as_of"]) == ("past_due", None)
    really = await got(shop, f"/subscriptions/{SUB_1}", as_of="2026-03-03")
    believed = await got(shop, f"/subscriptions/{SUB_1}", as_of="2026-03-03", known_at="2026-03-03T01:00:00+01:00")
    assert (really["summary"]["state"], believed["summary"]["state"]) == ("past_due", "active")
    assert (believed["known_at"], believed["summary"]["events"]) == ("2026-03-03T00:00:00Z", 2)
    identifier = believed["licenses"][0]["id"]
    license_ = await got(shop, f"/licenses/{identifier}", as_of="2026-02-15")
    assert license_["due"] is None
    assert license_["desired"]["because"]["enabled"]["rule"]
    never = await shop.http.get(f"/api/v1/subscriptions/{SUB_1}", params={"as_of": "2025-01-01"}, headers=VIEW)
    assert never.status_code == 404
    assert "2026-02-01 00:00:00" in never.json()["detail"]


async def test_lists_of_the_past_go_on_while_there_is_a_next(shop: Served, database: str) -> None:
    await known_in_time(database)
    streams: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await got(shop, "/subscriptions", as_of="2026-03-03", limit="1", **cursor)
        streams += [item["stream"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert SUB_1 in streams
    assert len(streams) == len(set(streams))
    assert (await got(shop, "/subscriptions", known_at="2026-03-03", state="past_due"))["items"] == []
    licenses = await got(shop, "/licenses", known_at="2026-03-03")
    assert {item["stream"] for item in licenses["items"]} == {SUB_1}
    assert (await got(shop, "/licenses", stream=SUB_1, as_of="2026-03-03", enabled="false"))["items"] == []
    assert "due" in await refused(shop, "/licenses", known_at="2026-03-03", due="true")
    assert "cursor" in await refused(shop, "/licenses", known_at="2026-03-03", cursor="nonsense")


async def test_an_instant_is_a_date_or_comes_with_its_offset(shop: Served) -> None:
    for wrong in ("yesterday", "2026-02-30", "2026-03-01T00:00:00", "0001-01-01T00:00:00+14:00"):
        assert "known_at" in await refused(shop, "/licenses", known_at=wrong)
    assert "2026-03-03" in (await refused(shop, "/licenses", as_of="soon"))["as_of"]


async def test_what_was_believed_is_compared_with_what_was_and_the_late_event_is_named(
    shop: Served, configured: Settings, database: str
) -> None:
    await known_in_time(database)
    # Two days late they are not enough to end anything: past due is still licensed.
    same = await got(shop, "/comparison", at="2026-03-03")
    assert (same["believed"], same["really"], same["items"]) == (2, 2, [])
    # The end of February was not known on 3 March.
    ended = event(
        "customer.subscription.deleted",
        subscription(status="canceled", ended_at=FEBRUARY + 86_400, canceled_at=FEBRUARY + 86_400),
        id_="evt_ended",
        created=MARCH + 7200,
    )
    await shop.process.reader.log.append([as_event(json.dumps(ended).encode())])
    await project(configured, database)
    await recorded(database, "evt_ended", "2026-03-06T00:00:00Z")
    compared = await got(shop, "/comparison", at="2026-03-03")
    assert (compared["believed"], compared["really"], compared["next"]) == (2, 0, None)
    assert {item["arrived"]["event_id"] for item in compared["items"]} == {"evt_ended"}
    [first, _] = compared["items"]
    assert (first["believed"]["state"], first["really"]["state"]) == ("active", "terminated")
    assert (first["believed"]["active"], first["really"]["active"], first["held"]) == (True, False, None)
    assert first["arrived"]["recorded_at"] == "2026-03-06T00:00:00Z"
    # What was known a day before that does not differ yet.
    assert (await got(shop, "/comparison", at="2026-03-03", known_at="2026-03-05T23:00:00Z"))["items"] == []
    assert "at" in await refused(shop, "/comparison")
    assert "known_at" in await refused(shop, "/comparison", at="2026-03-03", known_at="2026-03-02")


@pytest.mark.timeout(240)
async def test_lists_of_the_past_are_printed_as_they_are_found(shop: Served, database: str, tmp_path: Path) -> None:
    await known_in_time(database)
    command = tenure(tmp_path, database)

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(command.run, *arguments)

    everything = await run("licenses", "--known-at", "2026-03-03", "--all", "--json")
    assert [view["stream"] for view in json.loads(everything.out)] == [SUB_1, SUB_1]
    nothing = await run("licenses", "--known-at", "2026-01-03", "--json")
    assert (nothing.code, json.loads(nothing.out)) == (0, [])
    cut = await run("subscriptions", "--as-of", "2026-06-01", "--limit", "1")
    assert len(cut.out.splitlines()) in {1, 2, 3}
    assert "--all prints all" in cut.err
    license_ = json.loads(everything.out)[0]["id"]
    shown = await run("license", "show", license_, "--as-of", "2026-03-03")
    assert "as of 2026-03-03 00:00:00" in shown.out
    assert "policy renewal_margin_hours" in shown.out
    assert max(map(len, (shown.out + cut.out).splitlines())) <= 80
    never = await run("license", "show", license_, "--as-of", "2025-03-03")
    assert (never.code, never.out) == (1, "")
    assert "Its first event is of 2026-02-01" in never.err


async def test_the_bodies_are_a_part_of_a_timeline_on_request(shop: Served, database: str, tmp_path: Path) -> None:
    command = tenure(tmp_path, database)
    told = await asyncio.to_thread(command.run, "timeline", SUB_1, "--bodies", "--last", "2", "--json")
    entries = json.loads(told.out)["timeline"]
    assert [entry["body"].encode() for entry in entries] == [STORY[3], STORY[2]]
    assert json.loads(told.out)["entries"] == 4
    missing = await asyncio.to_thread(command.run, "timeline", SUB_1, "--body", "evt_9")
    assert (missing.code, missing.out) == (1, "")
    assert "has no event evt_9" in missing.err


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ("timeline sub_1 --only money", "payments"),
        ("timeline sub_1 --csv --json", "--csv or --json"),
        ("timeline sub_1 --as-of soon", "2026-03-03"),
        ("licenses --all", "--as-of"),
        ("compare", "--at"),
        ("compare --at 2026-03-03 --known-at 2026-03-02", "before --at"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_write(tmp_path: Path, arguments: str, remedy: str) -> None:
    ended = tenure(tmp_path, "").run(*arguments.split())
    assert ended.code == 2
    assert remedy in " ".join(ended.err.replace("│", " ").split())
    assert "Traceback" not in ended.err


@pytest.mark.timeout(400)
async def test_the_commands_of_the_recipe_work(
    shop: Served, configured: Settings, database: str, tmp_path: Path
) -> None:
    [recipe] = re.findall(r"^```sh audit\n(.*?)^```$", RECIPES.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    await known_in_time(database)
    command = tenure(tmp_path, database)
    script = f"""set -eu
tenure() {{ "{sys.executable}" -P -W error -m service "$@"; }}
{recipe}"""
    ran = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-c", script],
        cwd=command.folder,
        env=command.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=380,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert "payment failed" in ran.stdout
    assert "4 days on the way, recorded 2026-03-05 09:00:01" in ran.stdout
    assert f"{SUB_1}  past_due" in ran.stdout
    assert f"{SUB_1}  active" in ran.stdout
    assert "as known at 2026-03-03 00:00:00" in ran.stdout
    assert "believed active" in ran.stdout
    assert (tmp_path / "evt_paid.json").read_bytes() == STORY[1]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "timeline.csv").read_text(encoding="utf-8"))))
    assert [row["event_id"] for row in rows] == ["evt_created", "evt_paid", "evt_failed", "evt_due"]
    assert [row["late"] for row in rows] == ["no", "no", "yes", "no"]
    assert rows[1]["recorded_at"] == "2026-02-01T00:00:03+00:00"
    assert datetime.fromisoformat(rows[1]["occurred_at"]) - datetime(2026, 2, 1, tzinfo=UTC) < timedelta(seconds=3)
