"""`tenure terms check` as a vendor meets it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.commands import SECONDS, Tenure, tenure

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


def test_something_wrong_ends_with_1_and_says_what_is_allowed(vendor: Tenure) -> None:
    ended = vendor.run("terms", "check", "both.json")
    assert ended.code == 1
    assert "price_pro  OK" in ended.out
    assert "price_bad  WRONG" in ended.out
    assert "max_activations of product price_bad is 'many'; allowed: a whole number" in ended.out
    assert "1 of 2 is wrong" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


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
    assert "give --provider stripe or fastspring" in ended.err
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
