"""The sandbox as a process, and its state file."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.sandbox.faults import Delay
from service.sandbox.licensespring import DEFAULT_API_KEY, ProductSeed, running_sandbox
from tests.integration.licensespring_sandbox.vendor import order_body, settings
from tests.integration.sandboxes import holdings, started

pytestmark = pytest.mark.anyio

MODULE = "service.sandbox.licensespring"


async def create(url: str, store_id: str, **query: Any) -> httpx2.Response:
    headers = {"Authorization": f"Api-Key {DEFAULT_API_KEY}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers) as http:
        return await http.post("/api/v1/orders/create_order/", json=order_body(store_id, **query))


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def test_the_first_line_of_stdout_is_the_url_and_sigterm_stops_it_cleanly() -> None:
    async with started(MODULE, "--product", "extra") as sandbox:
        assert (await create(sandbox.url, "order-1", product="extra")).status_code == 200
        sandbox.process.send_signal(signal.SIGTERM)
        rest, errors = await sandbox.process.communicate()
        assert sandbox.process.returncode == 0
        assert rest == b""
        assert b"Traceback" not in errors


async def test_killing_the_process_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with started(MODULE, "--state", str(state)) as sandbox:
        for number in range(5):
            assert (await create(sandbox.url, f"order-{number}")).status_code == 200
        before = await holdings(sandbox.url)
        sandbox.process.kill()
        await sandbox.process.wait()
    async with started(MODULE, "--state", str(state)) as sandbox:
        assert await holdings(sandbox.url) == before
        assert (await create(sandbox.url, "order-0")).json()["code"] == "order_already_exists"
        made = (await create(sandbox.url, "order-5")).json()
        assert made["id"] > max(order["id"] for order in before["orders"])
    assert names_in(tmp_path) == ["state.json"]


async def test_settings_come_from_a_file_and_a_mistake_in_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"plan": "unlimited", "products": [{"short_code": "mine"}]}))
    async with started(MODULE, "--settings", str(file)) as sandbox:
        assert (await create(sandbox.url, "order-1", product="mine")).status_code == 200
    file.write_text(json.dumps({"plan": "gold"}))
    async with started(MODULE, "--settings", str(file)) as sandbox:
        _, errors = await sandbox.process.communicate()
        assert sandbox.process.returncode == 2
        assert b"plan" in errors
        assert b"Traceback" not in errors


async def test_a_foreign_state_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"orders": 5}')
    with pytest.raises(ValueError, match="name another file"):
        async with running_sandbox(state=state):
            pass
    assert state.read_text() == '{"orders": 5}'


async def test_reset_and_new_seed_products_reach_the_state_file(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with running_sandbox(state=state) as sandbox:
        assert (await create(sandbox.url, "order-1")).status_code == 200
        sandbox.control.reset()
    added = (*settings().products, ProductSeed(short_code="added"))
    async with running_sandbox(settings(products=added), state=state) as sandbox:
        assert await holdings(sandbox.url) == {"orders": [], "customers": []}
        assert (await create(sandbox.url, "order-1", product="added")).status_code == 200


async def test_a_change_that_cannot_be_saved_is_taken_back_and_answered_with_500(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    async with running_sandbox(state=folder / "state.json") as sandbox:
        (folder / "state.json").unlink()
        folder.rmdir()
        answer = await create(sandbox.url, "order-1")
        assert answer.status_code == 500
        assert (await holdings(sandbox.url))["orders"] == []
    assert "create_order" in caplog.text


async def test_the_same_seed_and_clock_give_the_same_ids_and_keys() -> None:
    made = []
    for _ in range(2):
        async with running_sandbox(settings(seed=7)) as sandbox:
            sandbox.control.set_time(sandbox.control.now.replace(year=2030, microsecond=0), stopped=True)
            answer = await create(sandbox.url, "order-1")
            made.append(answer.json()["order_items"][0]["licenses"][0]["license_key"])
    assert made[0] == made[1]


async def test_two_sandboxes_in_one_process_know_nothing_of_each_other() -> None:
    async with running_sandbox() as first, running_sandbox() as second:
        assert (await create(first.url, "order-1")).status_code == 200
        assert (await holdings(second.url))["orders"] == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_it_stops_at_once_while_a_request_is_still_held_up(when: Any) -> None:
    async with asyncio.timeout(30), running_sandbox(settings()) as sandbox:
        fault = sandbox.control.fault(Delay(seconds=500, when=when), path="/api/v1/orders/create_order")
        held = asyncio.create_task(create(sandbox.url, "order-1"))
        while fault in {placed.id for placed in sandbox.control.company.faults.placed()}:
            await holdings(sandbox.url)
    with pytest.raises(httpx2.RemoteProtocolError):
        await held
