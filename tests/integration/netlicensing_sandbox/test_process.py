"""The sandbox as a process, and its state file."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.sandbox.faults import Delay
from service.sandbox.netlicensing import DEFAULT_API_KEY, falcon, running_sandbox
from service.sandbox.netlicensing.standard import FALCON
from tests.integration.netlicensing_sandbox.vendor import JSON
from tests.integration.sandboxes import holdings, started

pytestmark = pytest.mark.anyio

MODULE = "service.sandbox.netlicensing"


async def create(url: str, number: str, product: str = "demo") -> httpx2.Response:
    async with httpx2.AsyncClient(auth=("apiKey", DEFAULT_API_KEY), headers=JSON) as http:
        form = {"number": number, "productNumber": product}
        return await http.post(f"{url}/core/v2/rest/licensee", data=form)


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def test_the_first_line_of_stdout_is_the_url_and_sigterm_stops_it_cleanly() -> None:
    async with started(MODULE, "--settings", str(FALCON)) as sandbox:
        assert (await create(sandbox.url, "ann", product="falcon")).status_code == 200
        sandbox.process.send_signal(signal.SIGTERM)
        rest, errors = await sandbox.process.communicate()
        assert sandbox.process.returncode == 0
        assert rest == b""
        assert b"Traceback" not in errors


async def test_killing_the_process_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with started(MODULE, "--state", str(state)) as sandbox:
        for number in range(3):
            assert (await create(sandbox.url, f"c-{number}")).status_code == 200
        before = await holdings(sandbox.url)
        sandbox.process.kill()
        await sandbox.process.wait()
    async with started(MODULE, "--state", str(state)) as sandbox:
        assert await holdings(sandbox.url) == before
        assert (await create(sandbox.url, "c-0")).status_code == 400
        assert (await create(sandbox.url, "c-3")).status_code == 200
    assert names_in(tmp_path) == ["state.json"]


async def test_a_mistake_in_the_settings_or_the_catalog_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    for content, named in (
        ({"rate_limit": 5}, b"rate_limit"),
        ({"bundles": [{"number": "b", "templates": ["t"]}]}, b"catalog"),
    ):
        file.write_text(json.dumps(content))
        async with started(MODULE, "--settings", str(file)) as sandbox:
            _, errors = await sandbox.process.communicate()
            assert sandbox.process.returncode == 2
            assert named in errors
            assert b"Traceback" not in errors


async def test_a_foreign_state_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"orders": 5}')
    with pytest.raises(ValueError, match="name another file"):
        async with running_sandbox(state=state):
            pass
    assert state.read_text() == '{"orders": 5}'


async def test_a_change_that_cannot_be_saved_is_taken_back_and_answered_with_500(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    async with running_sandbox(state=folder / "state.json") as sandbox:
        (folder / "state.json").unlink()
        folder.rmdir()
        assert (await create(sandbox.url, "ann")).status_code == 500
        assert (await holdings(sandbox.url))["licensees"] == {}
    assert "licensee" in caplog.text


async def test_the_same_seed_gives_the_same_numbers() -> None:
    made = []
    for _ in range(2):
        async with running_sandbox(falcon(seed=7)) as sandbox:
            made.append((await create(sandbox.url, "", product="falcon")).json()["items"]["item"][0]["property"][0])
    assert made[0] == made[1]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_it_stops_at_once_while_a_request_is_still_held_up(when: Any) -> None:
    async with asyncio.timeout(30), running_sandbox() as sandbox:
        fault = sandbox.control.fault(Delay(seconds=500, when=when), path="/licensee")
        held = asyncio.create_task(create(sandbox.url, "ann"))
        while fault in {placed.id for placed in sandbox.control.account.faults.placed()}:
            await holdings(sandbox.url)
    with pytest.raises(httpx2.RemoteProtocolError):
        await held
