"""Who signs with keys of his own needs no signing secret, but an API key to ask for them, and an account."""

import re
from pathlib import Path

import pytest

from service.commands.sources import check_sources
from service.settings import SettingsInvalid, load, require
from service.wiring.asking import check_api_keys
from tests.wallee_platform import API_KEY

pytestmark = pytest.mark.anyio

TARGET = '\n[targets.ls]\nserver = "licensespring"\n'
WALLEE = f'[sources.pay]\nprovider = "wallee"\ntarget = "ls"\naccount = "405"{TARGET}'
VARIABLE = "TENURE_SOURCE_PAY_API_KEY"


def written(folder: Path, text: str) -> Path:
    path = folder / "tenure.toml"
    path.write_text(text, encoding="utf-8")
    return path


def findings(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        load(written(folder, text), {})
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WALLEE.replace('account = "405"', ""), ["[sources.pay] account is not set", 'account = "405"']),
        (WALLEE.replace('"405"', '""'), ["[sources.pay] account is not set"]),
        (WALLEE.replace('"405"', "405"), ["[sources.pay] account = 405", "in quotes"]),
        (WALLEE.replace('"405"', '"4 05"'), ["[sources.pay] account = '4 05'", "in quotes"]),
        (WALLEE.replace("wallee", "stripe"), ["[sources.pay] account is not used", "Remove it"]),
        (
            WALLEE + WALLEE.partition(TARGET)[0].replace("sources.pay", "sources.again"),
            ["[sources.again] account = '405' is used twice", "licensed twice: pay has it"],
        ),
    ],
)
def test_an_account_that_is_missing_or_does_not_fit_is_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    lines = findings(tmp_path, text)
    assert any(all(part in line for part in expected) for line in lines), lines


def test_the_space_in_the_example_needs_nothing_but_its_marks_taken_away(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "service" / "tenure.example.toml").read_text(encoding="utf-8")
    taken = re.sub(r"^#(?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    pay = load(written(tmp_path, taken), {}).sources["pay"]
    assert (pay.provider, pay.account, pay.live, pay.api.url) == ("wallee", "405", True, "")


def test_an_account_is_not_asked_for_where_a_key_is_of_one_account_alone(tmp_path: Path) -> None:
    text = WALLEE.replace("wallee", "stripe").replace('account = "405"', "")
    assert load(written(tmp_path, text), {}).sources["pay"].account == ""


def test_no_signing_secret_is_needed_but_an_api_key(tmp_path: Path) -> None:
    path = written(tmp_path, WALLEE)
    with pytest.raises(SettingsInvalid) as caught:
        require(load(path, {}), ["receiver"])
    [line] = [str(finding) for finding in caught.value.findings]
    assert VARIABLE in line
    assert "API key" in line
    require(load(path, {VARIABLE: API_KEY}), ["receiver"])


def test_a_source_that_shares_a_secret_needs_that(tmp_path: Path) -> None:
    text = WALLEE.replace("wallee", "stripe").replace('account = "405"', "")
    with pytest.raises(SettingsInvalid, match="TENURE_SOURCE_PAY_SECRETS"):
        require(load(written(tmp_path, text), {VARIABLE: API_KEY}), ["receiver"])


@pytest.mark.parametrize(("account", "key"), [("main", API_KEY), ("405", "sk_live_1")])
async def test_what_is_not_of_the_providers_form_is_told_before_anything_is_asked(
    tmp_path: Path, account: str, key: str
) -> None:
    settings = load(written(tmp_path, WALLEE.replace("405", account)), {VARIABLE: key})
    with pytest.raises(SettingsInvalid) as caught:
        await check_api_keys(settings)
    [line] = [str(finding) for finding in caught.value.findings]
    assert ("[sources.pay] account" if account == "main" else VARIABLE) in line
    assert key not in line


def test_the_check_of_sources_names_what_such_a_source_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TENURE_TARGET_LS_KEY", "ABCDEFGH.0123456789")
    path = written(tmp_path, WALLEE)
    assert check_sources(path, as_json=True) == 1
    told = capsys.readouterr().out
    assert VARIABLE in told
    assert "SECRETS" not in told
    monkeypatch.setenv(VARIABLE, API_KEY)
    assert check_sources(path, as_json=True) == 0
