"""`tenure terms check` as a vendor meets it."""

import json
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from anyio import to_thread

from service.sandbox.fastspring import Store
from service.sandbox.fastspring import api as fastspring_api
from service.sandbox.fastspring.api import running_fastspring_api
from service.sandbox.stripe import Account
from service.sandbox.stripe import api as stripe_api
from service.sandbox.stripe import catalog as stripe_catalog
from service.sandbox.stripe.runner import running_stripe_api
from tests.commands import SECONDS, Tenure, tenure

pytestmark = pytest.mark.anyio

RIGHT = {"object": "price", "id": "price_pro", "type": "recurring", "metadata": {"short_code": "pro"}}
WRONG = {**RIGHT, "id": "price_bad", "metadata": {"short_code": "pro", "max_activations": "many"}}


@pytest.fixture
def vendor(tmp_path: Path) -> Tenure:
    for name, document in (
        ("right.json", RIGHT),
        ("both.json", {"object": "list", "data": [RIGHT, WRONG]}),
        ("plain.json", {"pro": {"product_short_code": "pro", "single_license": "true"}}),
        ("none.json", {}),
    ):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    return tenure(tmp_path, "")


def test_all_right_ends_with_0_and_says_what_will_be_made(vendor: Tenure) -> None:
    ended = vendor.run("terms", "check", "right.json", "--quantity", "2")
    assert (ended.code, ended.err) == (0, "")
    assert "price_pro  OK" in ended.out
    assert "2 units → 2 subscription licenses of pro" in ended.out
    assert "product_code pro" in ended.out
    assert "No license server is asked" in ended.out


def test_something_wrong_ends_with_1_and_says_what_is_allowed(vendor: Tenure) -> None:
    ended = vendor.run("terms", "check", "both.json")
    assert ended.code == 1
    assert "price_pro  OK" in ended.out
    assert "price_bad  WRONG" in ended.out
    assert "max_activations of price price_bad is 'many'; allowed: a whole number" in ended.out
    assert "1 of 2 is wrong" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_where_warnings_stand_it_is_not_said_to_be_right(vendor: Tenure) -> None:
    price = {**RIGHT, "metadata": {"short_code": "pro", "colour": "red"}}
    (vendor.folder / "warned.json").write_text(json.dumps(price), encoding="utf-8")
    ended = vendor.run("terms", "check", "warned.json")
    assert ended.code == 0
    assert "price_pro  OK, with warnings" in ended.out
    assert "! attribute 'colour' of price price_pro is not known" in ended.out
    assert "Nothing is wrong; look at the warnings (!)." in ended.out


def test_what_has_no_code_is_wrong_only_if_it_has_attributes_of_licenses(vendor: Tenure) -> None:
    fee = {**RIGHT, "id": "price_fee", "metadata": {"colour": "red"}}
    slip = {**RIGHT, "id": "price_slip", "metadata": {"product_short_cod": "pro"}}
    (vendor.folder / "fee.json").write_text(json.dumps(fee), encoding="utf-8")
    (vendor.folder / "slip.json").write_text(json.dumps(slip), encoding="utf-8")
    silent, told = (vendor.run("terms", "check", name) for name in ("fee.json", "slip.json"))
    assert (silent.code, "!" in silent.out, "No license server is asked" in silent.out) == (0, False, False)
    assert "price_fee  not licensed" in silent.out
    assert (told.code, "price_slip  WRONG" in told.out) == (1, True)
    assert "(was product_short_code meant by product_short_cod?)" in " ".join(told.out.split())


def test_what_is_wrong_is_told_a_line_each_together_with_what_is_not_known(vendor: Tenure) -> None:
    metadata = {
        "short_code": "pro",
        "max_activations": "0",
        "ignore_product_in_licensespring": "?",
        "licence_type": "x",
    }
    (vendor.folder / "wrong.json").write_text(json.dumps({**RIGHT, "metadata": metadata}), encoding="utf-8")
    ended = vendor.run("terms", "check", "wrong.json")
    assert [ended.out.count(mark) for mark in ("✗", "!")] == [2, 2]
    assert "1 of 1 is wrong; look at the warnings (!)." in ended.out


def test_json_holds_all_that_is_known(vendor: Tenure) -> None:
    ended = vendor.run("terms", "check", "both.json", "--json")
    assert ended.code == 1
    assert [(each["name"], each["verdict"]) for each in json.loads(ended.out)] == [
        ("price_pro", "ok"),
        ("price_bad", "wrong"),
    ]


def test_a_plain_file_needs_the_store_and_standard_input_will_do(vendor: Tenure) -> None:
    ended = vendor.run("terms", "check", "plain.json")
    assert ended.code == 2
    assert "give --provider stripe, fastspring, wallee" in ended.err
    piped = subprocess.run(
        vendor.command("terms", "check", "-", "--provider", "fastspring", "--quantity", "5"),
        cwd=vendor.folder,
        env=dict(vendor.environment),
        input=(vendor.folder / "plain.json").read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert piped.returncode == 0, piped.stderr
    assert "5 units → 1 subscription license of pro, max_activations 5" in piped.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Give a FILE, or --source NAME"),
        (["right.json", "--source", "shop"], "Give a FILE, or --source NAME"),
        (["missing.json"], "missing.json cannot be read: No such file or directory"),
        (["none.json"], "none.json is neither a Stripe price"),
        (["right.json", "--provider", "fastspring"], "which is of stripe"),
        (["right.json", "--quantity", "0"], "not in the range"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_do(vendor: Tenure, arguments: list[str], said: str) -> None:
    ended = vendor.run("terms", "check", *arguments)
    assert ended.code == 2
    assert said in " ".join(ended.err.replace("│", "").split())


# --- the catalog of a source --------------------------------------------------------------------------------

SOURCES = """
[database]
url = "postgresql://127.0.0.1:9/none"

[sources.stripe-main]
provider = "stripe"
mode = "test"
target = "ls"
[sources.stripe-main.api]
url = "{stripe}"
[sources.stripe-main.policy]
renewal_margin_hours = 5

[sources.store]
provider = "fastspring"
mode = "test"
target = "ls"
[sources.store.api]
url = "{fastspring}"

[targets.ls]
server = "licensespring"
url = "http://127.0.0.1:9"
"""
KEYS = {
    "TENURE_SOURCE_STRIPE_MAIN_API_KEY": stripe_api.DEFAULT_KEY,
    "TENURE_SOURCE_STORE_API_KEY": fastspring_api.DEFAULT_KEY,
}


@pytest.fixture
async def connected(tmp_path: Path) -> AsyncIterator[Tenure]:
    """With a source of each store, whose API is there; no database is."""
    account = Account("catalog", start=datetime(2026, 1, 1, tzinfo=UTC))
    store = Store("catalog", start=datetime(2026, 1, 1, tzinfo=UTC))
    async with running_stripe_api([account]) as stripe, running_fastspring_api([store]) as fastspring:
        tested = tenure(tmp_path, "")
        settings = SOURCES.format(stripe=stripe.url, fastspring=fastspring.url)
        (tmp_path / "tenure.toml").write_text(settings, encoding="utf-8")
        yield tested


async def test_the_catalog_of_stripe_is_read_through_its_api(connected: Tenure) -> None:
    ended = await to_thread.run_sync(
        lambda: connected.run("terms", "check", "--source", "stripe-main", "--json", **KEYS)
    )
    checks = {each["name"]: each for each in json.loads(ended.out)}
    expected = {each.id for each in stripe_catalog.RECURRING}
    assert expected <= set(checks)
    pro = checks[stripe_catalog.PRO_MONTHLY.id]
    assert (pro["verdict"], pro["product_code"], pro["provider"]) == ("ok", "falcon-pro", "stripe")
    assert checks[stripe_catalog.PRIORITY_SUPPORT_MONTHLY.id]["verdict"] == "not licensed"
    assert checks[stripe_catalog.PERPETUAL.id]["license_type"] == "perpetual"


async def test_the_catalog_of_fastspring_is_read_through_its_api_and_what_is_wrong_is_found(connected: Tenure) -> None:
    ended = await to_thread.run_sync(lambda: connected.run("terms", "check", "--source", "store", **KEYS))
    assert ended.code == 1
    assert "falcon-mistyped  WRONG" in ended.out
    assert "max_activations of product falcon-mistyped is 'three'" in ended.out
    assert "falcon-export  OK" in ended.out
    assert "adds feature falcon-export" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("source", "keys", "code", "said"),
    [
        ("nowhere", KEYS, 2, "There is no source 'nowhere'; configured: stripe-main, store"),
        ("store", {}, 2, "no API key: set TENURE_SOURCE_STORE_API_KEY"),
        ("store", {"TENURE_SOURCE_STORE_API_KEY": "wrong:key"}, 2, "check the source's API key"),
        ("store", {"TENURE_SOURCE_STORE_API_KEY": "wrong-key"}, 2, "STORE_API_KEY does not fit (FastSpring's"),
        ("stripe-main", {"TENURE_SOURCE_STRIPE_MAIN_API_KEY": "wrong key"}, 2, "STRIPE_MAIN_API_KEY does not fit"),
    ],
)
async def test_a_catalog_that_cannot_be_read_says_why(
    connected: Tenure, source: str, keys: dict[str, str], code: int, said: str
) -> None:
    ended = await to_thread.run_sync(lambda: connected.run("terms", "check", "--source", source, **keys))
    assert ended.code == code
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not any(key in ended.err for key in keys.values())
