"""The API over real HTTP: who may ask, what is answered, and how mistakes are said."""

import csv
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from psycopg import AsyncConnection

from domain.events import partition_of
from domain.receipts import KeysMinted
from service.settings import Settings
from tests.api_requests import JO, OPERATE, VIEW, assert_problem, got, retried
from tests.serving import VIEWER, Served, served, settings
from tests.shop import STORY, SUB_1, answered, as_event, open_shop, project

pytestmark = pytest.mark.anyio


@pytest.fixture
def configured(database: str) -> Settings:
    return settings(database)


@pytest.fixture
async def shop(configured: Settings, database: str) -> AsyncIterator[Served]:
    async with open_shop(configured, database) as shop:
        yield shop


# --- who may ask --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", f"Basic {VIEWER}", f"Bearer {VIEWER}x", VIEWER])
async def test_a_request_without_a_valid_token_is_refused(shop: Served, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    answer = await shop.http.get("/api/v1/subscriptions", headers=headers)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/dead-letters/lic_1/retry"),
        ("POST", "/streams/sub_2/retry"),
        ("GET", "/events/0/1/body"),
    ],
)
async def test_acting_and_raw_deliveries_take_an_operator(shop: Served, method: str, path: str) -> None:
    answer = await shop.http.request(method, f"/api/v1{path}", headers=VIEW, json=JO)
    assert "operator" in assert_problem(answer, 403)["detail"]


async def test_an_operator_may_view_too(shop: Served) -> None:
    assert (await got(shop, "/subscriptions", headers=OPERATE))["items"]


async def test_without_tokens_the_api_says_what_to_do(configured: Settings, database: str) -> None:
    secrets = msgspec.structs.replace(configured.secrets, viewer_tokens=(), operator_tokens=())
    open_settings = msgspec.structs.replace(configured, secrets=secrets)
    async with served(open_settings, database) as shop:
        answer = await shop.http.get("/api/v1/subscriptions")
        assert "TENURE_VIEWER_TOKENS" in assert_problem(answer, 403)["detail"]


async def test_an_open_api_answers_to_loopback_names_only(configured: Settings, database: str) -> None:
    async with served(configured, database, open_to_all=True) as shop:
        assert (await shop.http.get("/api/v1/subscriptions")).status_code == 200
        rebound = await shop.http.get("/api/v1/subscriptions", headers={"host": "evil.example"})
        assert_problem(rebound, 403)


@pytest.mark.parametrize(
    ("origin", "status"), [("https://evil.example", 403), ("null", 403), (None, 404), ("http://localhost:3000", 404)]
)
async def test_an_open_api_takes_nothing_from_a_page_of_elsewhere(
    configured: Settings, database: str, origin: str | None, status: int
) -> None:
    async with served(configured, database, open_to_all=True) as shop:
        headers = {"origin": origin} if origin else {}
        assert_problem(await shop.http.post("/api/v1/streams/sub_9/retry", headers=headers, json=JO), status)


# --- subscriptions ------------------------------------------------------------------------------------------


async def test_subscriptions_are_listed_with_the_latest_first(shop: Served) -> None:
    page = await got(shop, "/subscriptions")
    assert page["items"][0]["stream"] == SUB_1
    assert {item["identifier"] for item in page["items"]} == {"sub_1", "sub_2", "sub_3"}
    assert page["next"] is None


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"state": "past_due"}, {"sub_1"}),
        ({"state": "terminated"}, set()),
        ({"source": "shop"}, {"sub_1", "sub_2", "sub_3"}),
        ({"source": "other"}, set()),
        ({"problem": "true"}, {"sub_2", "sub_3"}),
        ({"problem": "true", "state": "active"}, {"sub_3"}),
    ],
)
async def test_subscriptions_can_be_filtered(shop: Served, params: dict[str, Any], expected: set[str]) -> None:
    page = await got(shop, "/subscriptions", **params)
    assert {item["identifier"] for item in page["items"]} == expected


async def paged(shop: Served, path: str, cursor: str, key: Callable[[Any], str], **params: Any) -> list[str]:
    found: list[str] = []
    place: dict[str, Any] = {}
    for _ in range(20):
        page = await got(shop, path, limit=1, **place, **params)
        assert len(page["items"]) <= 1
        found += map(key, page["items"])
        if page["next"] is None:
            return found
        place = {cursor: page["next"]}
    raise AssertionError("the pages do not come to an end")


async def test_pages_follow_each_other_without_gap_or_repetition(shop: Served) -> None:
    whole = [item["stream"] for item in (await got(shop, "/subscriptions"))["items"]]
    assert await paged(shop, "/subscriptions", "cursor", lambda item: item["stream"]) == whole
    licenses = [item["id"] for item in (await got(shop, "/licenses"))["items"]]
    assert await paged(shop, "/licenses", "cursor", lambda item: item["id"]) == licenses


async def test_streams_without_a_time_come_last_and_pages_still_follow_each_other(shop: Served, database: str) -> None:
    async with await AsyncConnection.connect(database) as connection:
        await connection.execute("update projection_1.stream set latest_at = null where identifier <> 'sub_1'")
    lists: list[tuple[str, dict[str, Any]]] = [("/subscriptions", {}), ("/streams", {"status": "stopped"})]
    for path, params in lists:
        whole = [item["stream"] for item in (await got(shop, path, **params))["items"]]
        assert await paged(shop, path, "cursor", lambda item: item["stream"], **params) == whole
    assert [each["identifier"] for each in (await got(shop, "/subscriptions"))["items"]] == ["sub_1", "sub_3", "sub_2"]


async def test_text_that_no_database_holds_is_known_nowhere(shop: Served) -> None:
    assert (await got(shop, "/subscriptions", source="\0"))["items"] == []
    assert (await got(shop, "/licenses", stream="shop/subscription/\0"))["items"] == []
    for path in ("/subscriptions/%00", "/subscriptions/shop/subscription/%00/timeline", "/licenses/%00"):
        assert_problem(await shop.http.get(f"/api/v1{path}", headers=VIEW), 404)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/subscriptions?limit=0", "limit"),
        ("/subscriptions?limit=1000", "limit"),
        ("/subscriptions?state=happy", "state"),
        ("/subscriptions?cursor=nonsense", "cursor"),
        ("/licenses?cursor=kgE", "cursor"),
        ("/events?after=gqF4", "after"),
        ("/licenses?enabled=perhaps", "enabled"),
        ("/streams?status=lost", "status"),
        ("/subscriptions/sub_1/timeline?as_of=yesterday", "as_of"),
        ("/subscriptions/sub_1/timeline?as_of=2026-03-01T00:00:00", "as_of"),
    ],
)
async def test_a_wrong_parameter_is_named(shop: Served, path: str, field: str) -> None:
    problem = assert_problem(await shop.http.get(f"/api/v1{path}", headers=VIEW), 400)
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_a_missing_parameter_is_named_with_what_it_may_be(shop: Served) -> None:
    [error] = assert_problem(await shop.http.get("/api/v1/streams", headers=VIEW), 400)["errors"]
    assert error["field"] == "status"
    assert "stopped, unrouted, waiting, wrong-mode" in error["message"]


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/subscriptions", "as_of, cursor, known_at, limit, problem, source, state"),
        ("/licenses", "as_of, cursor, due, enabled, known_at, limit, stream, target"),
        ("/dead-letters", "cursor, limit, target"),
        ("/streams", "cursor, limit, status"),
        ("/events", "after, limit"),
        ("/subscriptions/sub_1/timeline", "as_of, cursor, format, known_at, limit, only"),
        ("/subscriptions/sub_1", "as_of, known_at"),
        ("/comparison", "at, cursor, known_at"),
    ],
)
async def test_an_unknown_parameter_is_refused_with_those_that_there_are(shop: Served, path: str, known: str) -> None:
    answer = await shop.http.get(f"/api/v1{path}?status=stopped&subscription=sub_1", headers=VIEW)
    errors = assert_problem(answer, 400)["errors"]
    assert "subscription" in [error["field"] for error in errors]
    assert all(f"there are: {known}." in error["message"] for error in errors)


@pytest.mark.parametrize("name", ["sub_1", SUB_1, SUB_1.replace("/", "%2F")])
async def test_a_subscription_is_found_by_id_and_by_whole_name(shop: Served, name: str) -> None:
    detail = await got(shop, f"/subscriptions/{name}")
    assert detail["summary"]["state"] == "past_due"
    assert detail["lines"][0]["quantity"] == 2
    assert len(detail["licenses"]) == 2
    assert detail["licenses"][0]["desired"]["because"]["enabled"]["rule"]


async def test_a_subscription_is_found_by_what_belongs_to_it_and_that_is_said(shop: Served) -> None:
    found = await got(shop, "/subscriptions/in_1")
    assert (found["summary"]["stream"], found["through"]) == (SUB_1, "shop/invoice/in_1")
    assert (await got(shop, "/subscriptions/sub_1"))["through"] is None
    assert await got(shop, "/subscriptions/in_1/timeline") == await got(shop, "/subscriptions/sub_1/timeline")


async def test_a_subscription_that_other_code_folded_is_shown_all_the_same(shop: Served, database: str) -> None:
    before = await got(shop, "/subscriptions/sub_1")
    async with await AsyncConnection.connect(database) as connection:
        await connection.execute("update projection_1.stream set code = 'older', fold = 'unreadable'")
    assert await got(shop, "/subscriptions/sub_1") == before


async def test_an_unknown_subscription_is_not_found(shop: Served) -> None:
    for path in ("/subscriptions/sub_9", "/subscriptions/sub_9/timeline", "/subscriptions/a/b/c"):
        assert_problem(await shop.http.get(f"/api/v1{path}", headers=VIEW), 404)


async def test_an_id_that_two_sources_know_is_ambiguous(shop: Served, configured: Settings, database: str) -> None:
    await shop.process.reader.log.append([as_event(STORY[0], source="other")])
    await project(configured, database)
    problem = assert_problem(await shop.http.get("/api/v1/subscriptions/sub_1", headers=VIEW), 409)
    assert problem["candidates"] == ["other/subscription/sub_1", SUB_1]
    assert (await got(shop, f"/subscriptions/{SUB_1}"))["summary"]["source"] == "shop"


async def test_a_timeline_is_told_in_the_provider_s_order(shop: Served) -> None:
    entries = (await got(shop, "/subscriptions/sub_1/timeline"))["items"]
    assert [entry["event_id"] for entry in entries] == ["evt_created", "evt_paid", "evt_failed", "evt_due"]
    assert [entry["late"] for entry in entries] == [False, False, True, False]
    assert (entries[-1]["before"], entries[-1]["after"]) == ("active", "past_due")


async def test_a_timeline_can_be_told_as_of_an_instant_and_as_known_at_one(shop: Served) -> None:
    entries = (await got(shop, "/subscriptions/sub_1/timeline", as_of="2026-02-15T00:00:00Z"))["items"]
    assert [entry["event_id"] for entry in entries] == ["evt_created", "evt_paid"]
    known = await got(shop, "/subscriptions/sub_1/timeline", known_at="2026-02-15T01:00:00+01:00")
    assert known == {"items": [], "next": None}


# --- licenses, letters, streams -----------------------------------------------------------------------------


async def test_licenses_can_be_listed_and_shown(shop: Served) -> None:
    page = await got(shop, "/licenses", stream=SUB_1, enabled="true", due="true")
    assert len(page["items"]) == 2
    identifier = page["items"][0]["id"]
    assert (await got(shop, f"/licenses/{identifier}"))["desired"]["product_code"] == "falcon-pro"
    assert (await got(shop, "/licenses", enabled="false"))["items"] == []
    assert_problem(await shop.http.get("/api/v1/licenses/lic_none", headers=VIEW), 404)


async def test_a_license_key_is_no_name_in_a_url(shop: Served, configured: Settings, database: str) -> None:
    identifier = (await got(shop, "/licenses"))["items"][0]["id"]
    await answered(shop.process.reader.log, KeysMinted(target="ls", order="order", keys={identifier: "AAAA-BBBB"}))
    await project(configured, database)
    assert (await got(shop, f"/licenses/{identifier}"))["key"] == "AAAA-BBBB"
    for path in ("/licenses/AAAA-BBBB", "/subscriptions/AAAA-BBBB", "/subscriptions/AAAA-BBBB/timeline"):
        assert_problem(await shop.http.get(f"/api/v1{path}", headers=VIEW), 404)
    assert_problem(await retried(shop, "AAAA-BBBB"), 404)
    assert_problem(await shop.http.post("/api/v1/streams/AAAA-BBBB/retry", headers=OPERATE, json=JO), 404)


async def test_streams_are_listed_by_what_they_need(shop: Served) -> None:
    [stopped] = (await got(shop, "/streams", status="stopped"))["items"]
    assert stopped["stream"] == "shop/subscription/sub_2"
    assert "evt_odd" in stopped["problem"]
    [unrouted] = (await got(shop, "/streams", status="unrouted"))["items"]
    assert unrouted["stream"] == "shop/payment/pi_9"
    assert (await got(shop, "/streams", status="waiting"))["items"] == []


# --- for spreadsheets ---------------------------------------------------------------------------------------


async def test_a_timeline_comes_as_csv_page_by_page_where_that_is_asked_for(shop: Served) -> None:
    told = (await got(shop, "/subscriptions/sub_1/timeline"))["items"]
    path = "/api/v1/subscriptions/sub_1/timeline?format=csv&limit=3"
    rows: list[dict[str, str]] = []
    while path:
        answer = await shop.http.get(path, headers=VIEW)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows += csv.DictReader(answer.text.splitlines())
        path = answer.links.get("next", {}).get("url", "")
    assert [row["event_id"] for row in rows] == [entry["event_id"] for entry in told]


@pytest.mark.parametrize(
    ("accept", "form"),
    [("text/csv", "text/csv"), ("*/*", "application/json"), ("application/json, text/csv;q=0.5", "application/json")],
)
async def test_a_timeline_comes_in_the_form_that_is_accepted(shop: Served, accept: str, form: str) -> None:
    answer = await shop.http.get("/api/v1/subscriptions/sub_1/timeline", headers=VIEW | {"accept": accept})
    assert answer.headers["content-type"].startswith(form)


async def test_a_comparison_with_the_future_is_refused(shop: Served) -> None:
    answer = await shop.http.get("/api/v1/comparison?at=2999-01-01", headers=VIEW)
    assert "future" in assert_problem(answer, 400)["errors"][0]["message"]


# --- the feed -----------------------------------------------------------------------------------------------


async def test_the_feed_gives_every_event_once_and_goes_on_with_new_ones(shop: Served) -> None:
    seen: list[tuple[int, int]] = []
    place: dict[str, Any] = {}
    while True:
        page = await got(shop, "/events", limit=2, **place)
        place = {"after": page["next"]}
        if not page["items"]:
            break
        seen += [(event["partition"], event["position"]) for event in page["items"]]
    assert len(seen) == len(set(seen)) == len(STORY) + 3
    for partition in {partition for partition, _ in seen}:
        positions = [position for each, position in seen if each == partition]
        assert positions == list(range(1, len(positions) + 1))
    await shop.process.reader.log.append([as_event(STORY[0], source="other")])
    [event] = (await got(shop, "/events", **place))["items"]
    assert (event["stream"], event["event_id"]) == ("other/subscription/sub_1", "evt_created")
    assert "body" not in event


async def test_an_operator_gets_a_delivery_byte_for_byte(shop: Served) -> None:
    partition = partition_of(as_event(STORY[0]).stream)
    answer = await shop.http.get(f"/api/v1/events/{partition}/1/body", headers=OPERATE)
    assert answer.content == STORY[0]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for path in (f"{partition}/99", "0/1"):
        assert_problem(await shop.http.get(f"/api/v1/events/{path}/body", headers=OPERATE), 404)
    assert_problem(await shop.http.get("/api/v1/events/256/1/body", headers=OPERATE), 400)


# --- the surface as a whole ---------------------------------------------------------------------------------


async def test_the_schema_documents_problems_and_needs_nothing_from_elsewhere(shop: Served) -> None:
    schema = (await shop.http.get("/api/v1/schema")).json()
    operations = [
        operation
        for path, methods in schema["paths"].items()
        if path.startswith("/api/")
        for operation in methods.values()
    ]
    assert len(operations) >= 13
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["401"]["content"]
        assert operation["security"] == [{"token": []}]
    assert not any(path.startswith(("/webhooks", "/metrics")) for path in schema["paths"])


async def test_unknown_paths_and_methods_are_problems(shop: Served) -> None:
    assert_problem(await shop.http.get("/nowhere"), 404)
    assert_problem(await shop.http.delete("/api/v1/subscriptions", headers=VIEW), 405)
