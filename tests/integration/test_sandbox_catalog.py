"""The LicenseSpring sandbox as the README starts it sells whatever is bought in the lives of both stores."""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest
from anyio import to_thread

from domain.attributes import CUSTOM_FIELD
from domain.providers.table import PROVIDERS
from service.commands.sandbox import send_fastspring_life, send_stripe_life
from service.sandbox import fastspring, stripe
from service.sandbox.fastspring import catalog as at_fastspring
from service.sandbox.licensespring import SandboxSettings
from service.sandbox.licensespring.__main__ import arguments, settings_of
from service.sandbox.stripe import catalog as at_stripe
from service.secrets import Secret, Secrets
from service.settings import Settings, Source
from tests.pushing import pushing
from tests.serving import SECRET, served, settings

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

CATALOG = Path("service") / "sandbox" / "licensespring" / "falcon.json"
ROOT = Path(__file__).parents[2]
LIVES: dict[str, tuple[Callable[[str, str, str], None], Iterable[str]]] = {
    "stripe": (send_stripe_life, stripe.LIFECYCLES),
    "fastspring": (send_fastspring_life, fastspring.LIFECYCLES),
}

USUAL = {"falcon-pro", "falcon-studio", "falcon-team"}
HELD = {
    "stripe": {*USUAL, "falcon-floating"},
    "fastspring": {*USUAL, "falcon-floating", "falcon-render", "falcon-desk"},
}
"""Falcon Suite was another product by the end of the life that buys it."""


def sandbox_settings() -> SandboxSettings:
    return settings_of(arguments(["--settings", str(ROOT / CATALOG)]))


def test_whatever_the_attributes_of_both_stores_name_is_there() -> None:
    products = {each.short_code: each for each in sandbox_settings().products}
    features = {feature.code for each in products.values() for feature in each.features}
    sold = [price.metadata for price in (*at_stripe.RECURRING, at_stripe.PERPETUAL, at_stripe.YEAR_PASS)]
    for attributes in (*sold, *(product.attributes for product in at_fastspring.ALL)):
        code = attributes.get("short_code") or attributes.get("product_short_code")
        assert code is None or code in products
        assert attributes.get("feature_code") in {None, *features}
        if code is not None:
            assert bool(products[code].bundle) == ("is_product_bundle" in attributes)
            assert (products[code].authorization_method == "user") == ("assign_customer_as_user" in attributes)
            fields = {each.name for each in products[code].custom_fields}
            assert {name.removeprefix(CUSTOM_FIELD) for name in attributes if name.startswith(CUSTOM_FIELD)} <= fields


def test_the_readmes_name_the_catalog_where_it_stands() -> None:
    for text in (ROOT / "README.md", ROOT / "service" / "README.md"):
        assert str(CATALOG) in text.read_text(encoding="utf-8")


def configured(dsn: str, store: str) -> Settings:
    return msgspec.structs.replace(
        settings(dsn),
        sources={"acme": Source(provider=store, mode="test", target="ls")},
        secrets=Secrets(sources={"acme": (Secret(SECRET),)}, targets={"ls": Secret("ABCDEFGH.0123456789")}),
    )


@pytest.mark.parametrize("store", LIVES)
async def test_every_life_ends_with_the_licenses_that_it_bought_and_nothing_refused(database: str, store: str) -> None:
    catalog = msgspec.structs.replace(sandbox_settings(), plan="unlimited", flood_protection=False)
    send, lives = LIVES[store]
    async with (
        served(configured(database, store), database) as receiver,
        pushing(database, catalog, provider=PROVIDERS[store]) as pushed,
    ):
        for life in lives:
            await to_thread.run_sync(send, life, f"{receiver.url}/webhooks/acme", SECRET)
        await pushed.settle()
        queries = pushed.projected.queries
        refused = await queries.licenses(refused=True, limit=1000)
        assert [(each.stream, each.refusal.text) for each in refused if each.refusal] == []
        assert {each["product"] for each in pushed.held()} == HELD[store]
        assert await pushed.mismatches() == []
        views = await queries.streams(limit=1000)
        assert [(each.stream, each.problem) for each in views if each.problem and each.status != "waiting"] == []
