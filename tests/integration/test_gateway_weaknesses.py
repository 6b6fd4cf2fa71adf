"""What the NetLicensing Gateway's own pages and code admit to be weak, each shown not to be so here."""

import hmac
from datetime import timedelta

import pytest

from projections.targets.netlicensing.options import Options
from service.sandbox.fastspring import Store
from service.sandbox.fastspring.lifecycle import START
from service.sandbox.faults import Answer, Drop, Effect
from service.sandbox.netlicensing import falcon, running_sandbox
from tests.gateway import ADA, PROJECTS, WEBHOOK_SECRET, gateway, gateway_to, settings_of
from tests.key_requests import PRIVATE_KEY, ask, form, keys
from tests.serving import served

pytestmark = pytest.mark.anyio


async def test_no_idempotency__the_same_purchase_told_again_and_again_is_made_once(database: str) -> None:
    async with gateway(database, licensee="unit") as shop:
        given = await shop.sell(PROJECTS, 3)
        for body in list(shop.delivered) * 2:
            assert await shop.keys() == given
            await shop.deliver(body)
            await shop.settle()
        assert set(shop.licensees()) == set(given)
        assert len(shop.licenses()) == 3


@pytest.mark.parametrize("effect", [Drop(when="after"), Drop(when="before"), Answer(status=500, when="after")])
@pytest.mark.parametrize("skip", [0, 1, 2, 3, 4])
async def test_half_way_failures__no_orphans_are_left_wherever_it_breaks(
    database: str, effect: Effect, skip: int
) -> None:
    async with gateway(database, licensee="unit") as shop:
        shop.sandbox.control.fault(effect, method="POST", skip=skip, times=2)
        given = await shop.sell(PROJECTS, 3)
        assert set(shop.licensees()) == set(given)
        assert {each["licenseeNumber"] for each in shop.active().values()} == set(given)
        assert len(shop.licenses()) == 3


@pytest.mark.parametrize("quantity", [1, 1000])
async def test_a_slow_server__keys_come_within_a_second_while_netlicensing_is_down(
    database: str, quantity: int
) -> None:
    nowhere = "http://127.0.0.1:9"
    async with served(settings_of(database, nowhere, Options(licensee="unit")), database) as front:
        # An answer that takes longer than the store waits is 503, so keys are proof that they came in time.
        assert len(set(await keys(front.http, "acme", form(quantity, test="1")))) == quantity


async def test_no_retry__what_failed_is_tried_again_until_netlicensing_takes_it(database: str) -> None:
    async with gateway(database) as shop:
        shop.sandbox.control.fault(Answer(status=503), times=15)
        [key] = await shop.sell()
        assert shop.is_valid(key)


async def test_state_lost_on_restart__a_new_process_answers_the_same_keys_and_finishes_the_work(
    database: str,
) -> None:
    store, options = Store("restart", start=START), Options()
    async with running_sandbox(falcon(now=START + timedelta(hours=1), seed=1)) as sandbox:
        async with gateway_to(database, sandbox, options, store) as before:
            order = before.check_out(PROJECTS, 2)
            given = await before.keys()
            store.complete(order)
            await before.tell()
        async with gateway_to(database, sandbox, options, store, before.delivered) as after:
            assert await after.keys() == given
            await after.settle()
            assert set(after.licensees()) == set(given)
            assert len(after.active()) == 2


async def test_personal_data_in_logs__no_line_holds_a_buyer_a_key_or_a_secret(
    database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with gateway(database, save_buyer=True) as shop:
        [key] = await shop.sell()
        await shop.sell(tags={"licenseeNumber": key})
        await shop.request(quantity="none")
        secret = shop.sandbox.api_key
    told = capfd.readouterr()
    lines = told.out + told.err
    assert "delivery accepted" in lines
    for hidden in (*ADA, *ADA[0].split(), key, secret, PRIVATE_KEY, WEBHOOK_SECRET):
        assert hidden not in lines


async def test_replayed_requests__bring_nothing_new_and_forged_ones_nothing_at_all(database: str) -> None:
    async with gateway(database) as shop:
        [key] = await shop.sell()
        replayed = await shop.request()
        forged = await ask(shop.served.http, "acme", form(test="1"), key="null")
        await shop.settle()
        assert (replayed.text, forged.status_code) == (key, 401)
        assert set(shop.licensees()) == {key}


@pytest.mark.parametrize("given", [PRIVATE_KEY, "other"])
async def test_comparison_of_strings__every_hash_is_compared_in_constant_time_whether_one_fits_or_not(
    database: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    compare = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        compared.append(len(one))
        return compare(one, other)

    async with gateway(database) as shop:
        monkeypatch.setattr(hmac, "compare_digest", noted)
        await ask(shop.served.http, "acme", form(test="1"), key=given)
    # With backslashes and without.
    assert compared == [32, 32]


async def test_passwords_in_addresses__credentials_go_in_headers_alone(database: str) -> None:
    async with gateway(database) as shop:
        await shop.sell()
        calls = shop.sandbox.control.calls()
    assert calls
    assert not any(shop.sandbox.api_key in f"{call.path}" for call in calls)


@pytest.mark.parametrize(
    ("fields", "key", "status"),
    [({}, "other", 401), ({"quantity": "0"}, PRIVATE_KEY, 422), ({"target": "none"}, PRIVATE_KEY, 422)],
)
async def test_every_failure_is_400__each_says_of_what_kind_it_is_and_what_to_do(
    database: str, fields: dict[str, str], key: str, status: int
) -> None:
    async with gateway(database) as shop:
        answer = await ask(shop.served.http, "acme", {**form(test="1"), **fields}, key=key)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.json()["detail"]
