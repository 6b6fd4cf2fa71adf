"""LicenseSpring's client against the sandbox: the same result, whatever LicenseSpring leaves open."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from projections.targets.errors import (
    AlreadyExists,
    NotFound,
    Refused,
    TargetError,
    Throttled,
    Unauthorized,
    Unavailable,
    Unclear,
)
from projections.targets.licensespring.client import LicenseSpring, open_licensespring
from projections.targets.licensespring.wire import NewCustomer, NewItem, NewLicense, NewOrder, NewUser, OrderCustomer
from service.sandbox.faults import Answer, Delay, Drop, Effect, HtmlPage, Stale, Throttle
from service.sandbox.licensespring import RunningSandbox, SandboxSettings, running_sandbox

pytestmark = pytest.mark.anyio

STORE_ID = "tenure-stripe-main/subscription/sub_1/si_1/0"
CREATE = "/api/v1/orders/create_order"
LICENSES = "/api/v1/licenses"


SLOW = 30.0
IMPATIENT = 1.0


def patience(effect: Effect) -> float:
    return IMPATIENT if isinstance(effect, Delay) else SLOW


@asynccontextmanager
async def sandbox(
    settings: SandboxSettings | None = None, *, timeout: float = SLOW
) -> AsyncIterator[tuple[RunningSandbox, LicenseSpring]]:
    quiet = msgspec.structs.replace(settings or SandboxSettings(), plan="unlimited", flood_protection=False)
    async with (
        running_sandbox(quiet) as running,
        open_licensespring(f"{running.url}/api/v1/", running.api_key, timeout=timeout) as client,
    ):
        yield running, client


def order(*keys: str, store_id: str = STORE_ID, product: str = "demo") -> NewOrder:
    licenses = tuple(
        NewLicense(
            key=key,
            license_type="subscription",
            is_trial=False,
            validity_period="2027-02-01",
            allow_grace_period=True,
            grace_period=48,
            max_activations=3,
        )
        for key in keys
    )
    return NewOrder(
        id=store_id,
        items=(NewItem(product_code=product, licenses=licenses, subscription_id="sub_1"),),
        customer=OrderCustomer(email="ada@example.org", first_name="Ada", reference="cus_1"),
    )


def alternatives(*names: str) -> list[Any]:
    """One sandbox for each value of each setting that stands for something LicenseSpring leaves open."""
    hints = get_type_hints(SandboxSettings)
    open_ones = [name for name, kind in hints.items() if get_origin(kind) is Literal and name != "plan"]
    return [
        pytest.param(msgspec.structs.replace(SandboxSettings(), **{name: value}), id=f"{name}={value}")
        for name in names or open_ones
        for value in get_args(hints[name])
        if names or value != getattr(SandboxSettings(), name)
    ]


# --- whatever is left open --------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [SandboxSettings(), *alternatives()])
async def test_the_life_of_an_order_is_the_same_whatever_licensespring_leaves_open(settings: SandboxSettings) -> None:
    async with sandbox(settings) as (running, client):
        keys = await client.generate_keys("demo", 2)
        assert await client.find_order(STORE_ID) is None

        created = await client.create_order(order(*keys))
        assert {one.license_key for one in created.licenses} == set(keys)
        assert {one.order_store_id for one in created.licenses} == {STORE_ID}
        with pytest.raises(AlreadyExists):
            await client.create_order(order(*keys))
        with pytest.raises(AlreadyExists):
            await client.create_order(order("OTHER-KEY"))

        found = await client.find_order(STORE_ID)
        assert found is not None
        assert (found.id, found.store_id) == (created.id, STORE_ID)
        licenses = await client.licenses_of_order(STORE_ID)
        assert [one.id for one in licenses] == sorted(one.id for one in created.licenses)
        first = await client.license(licenses[0].id)
        assert (first.enabled, first.is_trial, first.grace_period, first.max_activations) == (True, False, 48, 3)
        assert first.expiry_date == date(2027, 2, 1)
        assert first.subscription_id == "sub_1"
        assert first.product is not None
        assert first.product.short_code == "demo"

        changed = await client.update_license(
            first.id, {"validity_period": date(2027, 3, 1), "is_trial": False, "max_activations": 5}
        )
        assert (changed.expiry_date, changed.max_activations, changed.grace_period) == (date(2027, 3, 1), 5, 48)

        for _ in range(2):
            await client.disable(first.id)
            assert (await client.license(first.id)).enabled is False
        for _ in range(2):
            await client.enable(first.id)
            assert (await client.license(first.id)).enabled is True

        assert len(running.control.holdings()["orders"]) == 1


@pytest.mark.parametrize("settings", alternatives("order_errors", "duplicate_order"))
async def test_a_refused_order_is_refused_for_good_and_never_taken_for_a_duplicate(settings: SandboxSettings) -> None:
    async with sandbox(settings) as (running, client):
        await client.create_order(order("K1"))
        for refused in (
            order("K2", store_id="S2", product="unknown"),
            order("K1", store_id="S2"),
            msgspec.structs.replace(order("K2", store_id="S2"), items=()),
        ):
            with pytest.raises(Refused) as caught:
                await client.create_order(refused)
            assert type(caught.value) is Refused
            assert caught.value.text
        assert len(running.control.holdings()["orders"]) == 1


@pytest.mark.parametrize("settings", alternatives("created_customer_status", "customer_matching"))
async def test_a_customer_is_made_once_found_by_reference_and_changed(settings: SandboxSettings) -> None:
    async with sandbox(settings) as (_, client):
        assert await client.find_customer("cus_1") is None
        made = await client.create_customer(NewCustomer(reference="cus_1", email="ada@example.org"))
        await client.create_customer(NewCustomer(reference="cus_10", email="ada@example.org"))
        assert await client.find_customer("cus_1") == made
        changed = await client.update_customer(made.id, {"company_name": "Ada Ltd"})
        assert (changed.company_name, changed.email) == ("Ada Ltd", "ada@example.org")
        assert await client.find_customer("cus_1") == changed


async def test_a_license_for_users_has_no_key_and_their_passwords_are_not_kept() -> None:
    async with sandbox() as (_, client):
        item = NewItem(product_code="demo-team", licenses=(NewLicense(users=(NewUser(email="ada@example.org"),)),))
        created = await client.create_order(NewOrder(id=STORE_ID, items=(item,)))
        [license_] = await client.licenses_of_order(STORE_ID)
        assert (license_.id, license_.license_key) == (created.licenses[0].id, None)
        assert [user.true_email for user in license_.license_users] == ["ada@example.org"]
        assert b"password" not in msgspec.json.encode((created, license_))


async def test_lists_longer_than_a_page_are_read_whole() -> None:
    async with sandbox() as (_, client):
        keys = [f"KEY-{number}" for number in range(250)]
        created = await client.create_order(order(*keys))
        await client.create_order(order("OTHER", store_id="other"))
        assert len(created.licenses) == 250
        assert {one.license_key for one in await client.licenses_of_order(STORE_ID)} == set(keys)
        assert len([one async for one in client.licenses(enabled=True, order_by="-id")]) == 251
        found = await client.find_license("KEY-24")
        assert found is not None
        assert found.license_key == "KEY-24"


# --- faults -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "effect",
    [
        Drop(when="before"),
        Drop(when="after"),
        Answer(status=500, when="before"),
        Answer(status=502, when="after"),
        Answer(status=503, when="after"),
        Answer(status=408, when="before"),
        HtmlPage(status=502, when="before"),
        HtmlPage(status=504, when="after"),
        HtmlPage(status=200, when="after"),
        Delay(seconds=SLOW, when="before"),
        Delay(seconds=SLOW, when="after"),
    ],
)
async def test_an_order_with_an_unclear_outcome_is_settled_by_reading_back_and_is_never_made_twice(
    effect: Effect,
) -> None:
    async with sandbox(timeout=patience(effect)) as (running, client):
        running.control.fault(effect, method="POST", path=CREATE)
        with pytest.raises(Unclear):
            await client.create_order(order("K1"))
        if await client.find_order(STORE_ID) is None:
            await client.create_order(order("K1"))
        [license_] = await client.licenses_of_order(STORE_ID)
        assert license_.license_key == "K1"
        [held] = running.control.holdings()["orders"]
        assert len(held["licenses"]) == 1


@pytest.mark.parametrize(
    "read",
    [
        lambda client: client.find_order(STORE_ID),
        lambda client: client.licenses_of_order(STORE_ID),
        lambda client: client.license(1),
        lambda client: client.generate_keys("demo", 1),
    ],
)
@pytest.mark.parametrize("effect", [Drop(), Drop(when="after"), Answer(status=500), HtmlPage(), HtmlPage(status=200)])
async def test_a_read_that_fails_is_only_unavailable(
    read: Callable[[LicenseSpring], Awaitable[object]], effect: Effect
) -> None:
    async with sandbox() as (running, client):
        running.control.fault(effect, method="GET")
        with pytest.raises(Unavailable):
            await read(client)


async def test_an_order_whose_licenses_are_not_visible_yet_is_unclear_until_they_are() -> None:
    async with sandbox(SandboxSettings(create_order_answer="order_id")) as (running, client):
        running.control.fault(Stale(), method="GET", path=LICENSES)
        with pytest.raises(Unclear, match="0 of 1 licenses are visible"):
            await client.create_order(order("K1"))
        assert len(await client.licenses_of_order(STORE_ID)) == 1


@pytest.mark.parametrize(("seconds", "told"), [(7, 7.0), (None, None)])
async def test_throttling_tells_how_long_to_wait_and_did_nothing(seconds: int | None, told: float | None) -> None:
    async with sandbox() as (running, client):
        running.control.fault(Throttle(retry_after=seconds), method="POST", path=CREATE)
        with pytest.raises(Throttled) as caught:
            await client.create_order(order("K1"))
        assert caught.value.retry_after == told
        assert running.control.holdings()["orders"] == []


async def look_for_ever(client: LicenseSpring) -> None:
    while True:
        await client.find_order(STORE_ID)


async def test_flooding_the_real_limits_ends_in_throttling() -> None:
    async with (
        running_sandbox(SandboxSettings()) as running,
        open_licensespring(f"{running.url}/api/v1/", running.api_key) as client,
    ):
        with pytest.raises(Throttled) as caught:
            await look_for_ever(client)
        assert caught.value.retry_after is not None
        assert caught.value.retry_after >= 1


async def test_a_wrong_key_is_unauthorized_and_not_repeated_in_the_error() -> None:
    key = "WRONGKEY.0123456789abcdef0123456789abcdef"
    async with running_sandbox() as running, open_licensespring(f"{running.url}/api/v1/", key) as client:
        with pytest.raises(Unauthorized, match="check the target's key") as caught:
            await client.create_order(order("K1"))
        assert key not in str(caught.value)


async def test_what_was_changed_by_hand_is_seen_and_what_was_deleted_is_not_found() -> None:
    async with sandbox() as (running, client):
        [license_] = (await client.create_order(order("K1"))).licenses
        running.control.change_license(license_.id, {"max_activations": 99, "enabled": False})
        seen = await client.license(license_.id)
        assert (seen.max_activations, seen.enabled) == (99, False)

        running.control.delete_license(license_.id)
        assert await client.find_license("K1") is None
        assert await client.licenses_of_order(STORE_ID) == []
        for call in (
            client.license(license_.id),
            client.enable(license_.id),
            client.disable(license_.id),
            client.update_license(license_.id, {"note": "x"}),
        ):
            with pytest.raises(NotFound):
                await call

        running.control.delete_order(STORE_ID)
        assert await client.find_order(STORE_ID) is None


@pytest.mark.parametrize("effect", [Drop(when="after"), Answer(status=502, when="after"), HtmlPage(when="after")])
async def test_a_change_with_an_unclear_outcome_may_simply_be_sent_again(effect: Effect) -> None:
    async with sandbox() as (running, client):
        [license_] = (await client.create_order(order("K1"))).licenses
        fields = {"max_activations": 9, "validity_period": "2027-05-01", "is_trial": False}
        for method, path in (("PATCH", f"{LICENSES}/*"), ("POST", f"{LICENSES}/*/disable")):
            running.control.fault(effect, method=method, path=path)
        with pytest.raises(TargetError) as changing:
            await client.update_license(license_.id, fields)
        with pytest.raises(TargetError) as disabling:
            await client.disable(license_.id)
        assert type(changing.value) is type(disabling.value) is Unclear
        await client.update_license(license_.id, fields)
        await client.disable(license_.id)
        seen = await client.license(license_.id)
        assert (seen.max_activations, seen.expiry_date, seen.enabled) == (9, date(2027, 5, 1), False)
