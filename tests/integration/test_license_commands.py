"""`tenure license` and `tenure explain` as people and programs meet them, and the recipe in the documentation."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.bootstrap import prepare, reading
from service.settings import Settings
from tests.commands import ROOT, Tenure, tenure
from tests.payloads.stripe import FEBRUARY, event, invoice, item, session, subscription
from tests.serving import OPERATOR, VIEWER, Served, served, settings
from tests.shop import STOPPED, STORY, UNROUTED, WRONG_TERMS, as_event, project

pytestmark = pytest.mark.anyio

SUBSCRIBED = [
    json.dumps(each).encode()
    for each in (
        event("customer.subscription.created", subscription(items=[item(quantity=1)]), id_="evt_1", created=FEBRUARY),
        event("invoice.paid", invoice(), id_="evt_2", created=FEBRUARY + 2),
    )
]
CHECKOUT = json.dumps(event("checkout.session.completed", session(), id_="evt_checkout")).encode()
SAID = ("--author", "ada", "--reason", "asked on the phone")
OPERATE = {"authorization": f"Bearer {OPERATOR}"}
BODY = {"author": "ada", "reason": "asked on the phone"}


@pytest.fixture
def configured(database: str) -> Settings:
    return settings(database)


@pytest.fixture
async def shop(tmp_path: Path, database: str, configured: Settings) -> Tenure:
    await prepare(database)
    async with reading(configured, database) as reader:
        for body in [*SUBSCRIBED, STOPPED, UNROUTED, WRONG_TERMS]:
            await reader.log.append([as_event(body)])
    await project(configured, database)
    return tenure(tmp_path, database)


async def test_the_recipe_for_a_customer_who_calls_does_what_it_says(
    shop: Tenure, configured: Settings, database: str
) -> None:
    text = (ROOT / "service" / "README.md").read_text(encoding="utf-8")
    lines = "".join(re.findall(r"^```sh by-hand\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)).splitlines()
    assert len(lines) == 6
    told, act = [], ""
    for line in lines:
        _, *arguments = shlex.split(line.replace("ACT", act))
        ended = shop.run(*arguments)
        assert ended.code == 0, (line, ended.err)
        act = next(iter(re.findall(r"act_[0-9a-f]{20}", ended.out)), act)
        told.append(ended.out)
        await project(configured, database)
    assert "would be recorded" in told[1]
    assert act
    assert act not in told[1]
    assert "operator act: extended to" in told[3]
    assert "by operator" in told[4]
    assert "undone" in told[5]
    assert max(len(line.rstrip()) for out in (told[0], told[3]) for line in out.splitlines()) <= 80


async def test_every_act_goes_by_command_and_is_told_as_json(shop: Tenure, configured: Settings, database: str) -> None:
    told: dict[str, Any] = {}
    for arguments, type_ in (
        (("disable", "sub_1", "--expires", "2099-01-01"), "operator.license_disabled"),
        (("enable", "sub_1"), "operator.license_enabled"),
        (("extend", "sub_1", "--until", "2099-01-01"), "operator.license_extended"),
        (("set", "sub_1", "max_activations", "9"), "operator.field_set"),
    ):
        ended = shop.run("license", *arguments, *SAID, "--json")
        assert ended.code == 0, ended.err
        told = json.loads(ended.out)
        assert (told["type"], told["author"], told["recorded"]) == (type_, "ada", True)
        await project(configured, database)
    undone = shop.run("license", "undo", told["act"], *SAID, "--json")
    assert json.loads(undone.out)["type"] == "operator.undone"
    await project(configured, database)
    [explained] = json.loads(shop.run("explain", "sub_1", "expiry", "--json").out)
    assert explained["fields"][0]["value"] == "2099-01-01T00:00:00Z"
    assert [each["counts"] for each in explained["acts"]] == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ("disable sub_1", 2, "--reason"),
        ("extend sub_1 --reason x", 2, "--by or --until"),
        ("extend sub_1 --by soon --reason x", 1, "7d"),
        ("extend sub_9 --by 7d --reason x", 1, "sub_9"),
        ("set sub_1 colour red --reason x", 1, "max_activations"),
        ("disable sub_2 --reason x", 1, "tenure streams retry"),
        ("disable sub_3 --reason x", 1, "tenure explain"),
        ("merge sub_1 --into sub_1 --reason x", 1, "into itself"),
        ("undo act_zz --reason x", 1, "There is no act"),
        ("disable sub_1 --expires 2020-01-01 --reason x", 1, "is past"),
    ],
)
async def test_what_cannot_be_done_ends_with_a_code_and_says_what_to_do(
    shop: Tenure, arguments: str, code: int, told: str
) -> None:
    ended = shop.run("license", *arguments.split())
    assert ended.code == code
    assert told in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("identifier", "told", "todo"),
    [
        ("sub_2", "could not be understood", "tenure streams retry"),
        ("sub_3", "max_activations", "correct it in the store"),
        ("shop/payment/pi_9", "no subscription is known", "once an event links it"),
    ],
)
async def test_it_is_explained_why_there_is_no_license(shop: Tenure, identifier: str, told: str, todo: str) -> None:
    ended = shop.run("explain", identifier)
    assert ended.code == 0, ended.err
    assert "Why there is no license:" in ended.out
    text = " ".join(ended.out.split())
    assert told in text
    assert todo in text
    assert json.loads(shop.run("explain", identifier, "--json").out)["reasons"]


async def test_it_is_explained_that_a_delivery_is_of_the_wrong_mode_and_what_a_license_waits_for(
    shop: Tenure, configured: Settings, database: str
) -> None:
    live = STORY[0].replace(b'"livemode":false', b'"livemode":true').replace(b"evt_created", b"evt_live")
    async with reading(configured, database) as reader:
        await reader.log.append(
            [
                as_event(live),
                as_event(CHECKOUT),
            ]
        )
    await project(configured, database)
    for name, told, todo in (
        ("shop/wrong-mode/evt_live", "the delivery is live", 'set mode = "live" in [sources.shop]'),
        ("shop/payment/pi_1", "has to be fetched first", "set TENURE_SOURCE_SHOP_API_KEY"),
    ):
        ended = shop.run("explain", name)
        assert ended.code == 0, ended.err
        text = " ".join(ended.out.split())
        assert "Why there is no license:" in text
        assert told in text
        assert todo in text
        [reason] = json.loads(shop.run("explain", name, "--json").out)["reasons"]
        assert reason["what"]
        assert reason["todo"]


# --- over HTTP ----------------------------------------------------------------------------------------------


async def post(shop: Served, path: str, body: dict[str, Any], headers: dict[str, str] = OPERATE) -> httpx2.Response:
    return await shop.http.post(f"/api/v1{path}", headers=headers, json=body)


async def test_acts_and_explanations_go_over_http_by_those_who_may(
    shop: Tenure, configured: Settings, database: str
) -> None:
    async with served(configured, database) as api:
        view = {"authorization": f"Bearer {VIEWER}"}
        [license_] = (await api.http.get("/api/v1/licenses", headers=view)).json()["items"]
        path = f"/licenses/{license_['id']}"
        acted: dict[str, Any] = {}
        for act, body in (
            ("/disable", BODY),
            ("/enable", BODY),
            ("/extend", {**BODY, "by": "7d"}),
            ("/set", {**BODY, "field": "features", "value": ["b", "a"]}),
        ):
            assert (await post(api, path + act, body, view)).status_code == 403
            answer = await post(api, path + act, body)
            assert answer.status_code == 202, answer.text
            acted = answer.json()
            await project(configured, database)
        [explained] = (await api.http.get(f"/api/v1{path}/explain", headers=view)).json()
        features = next(each for each in explained["fields"] if each["field"] == "features")
        assert (features["value"], features["act"]) == (["a", "b"], acted["act"])
        assert (await post(api, f"/acts/{acted['act']}/undo", BODY)).status_code == 202
        whole = (await api.http.get("/api/v1/subscriptions/sub_3/explain", headers=view)).json()
        assert whole["reasons"][0]["todo"]


async def test_wrong_requests_are_problems_that_name_the_field_or_the_remedy(
    shop: Tenure, configured: Settings, database: str
) -> None:
    async with served(configured, database) as api:
        for path, body, status in (
            ("/licenses/sub_1/disable", {"author": "ada"}, 400),
            ("/licenses/sub_1/disable", {**BODY, "reason": " "}, 400),
            ("/licenses/sub_1/disable", {**BODY, "more": 1}, 400),
            ("/licenses/sub_1/disable", {**BODY, "expires": "2099-01-01T00:00:00"}, 400),
            ("/licenses/sub_1/extend", {**BODY, "by": "soon"}, 400),
            ("/licenses/sub_1/extend", BODY, 409),
            ("/licenses/sub_1/set", {**BODY, "field": "colour", "value": "red"}, 409),
            ("/licenses/sub_9/disable", BODY, 404),
            ("/subscriptions/sub_1/merge", {**BODY, "into": "sub_1"}, 409),
            ("/acts/act_00x/undo", BODY, 409),
        ):
            answer = await post(api, path, body)
            assert answer.status_code == status, (path, body, answer.text)
            problem = answer.json()
            assert problem.get("errors") or problem["detail"]
