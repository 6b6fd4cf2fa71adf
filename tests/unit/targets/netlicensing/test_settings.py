"""NetLicensing in the settings: what holds where nothing is said, and what a mistake in the options is told."""

from pathlib import Path

import pytest

from projections.targets.netlicensing.client import NetLicensing
from projections.targets.netlicensing.options import Options
from service.settings import Settings, SettingsInvalid, load
from service.targets.table import SERVING
from service.wiring.targets import policies

ACCOUNT = """
[sources.shop]
provider = "stripe"
target = "nl"

[targets.nl]
server = "netlicensing"
"""


def loaded(folder: Path, more: str = "") -> Settings:
    path = folder / "tenure.toml"
    path.write_text(ACCOUNT + more, encoding="utf-8")
    return load(path, {"TENURE_SOURCE_SHOP_SECRETS": "whsec_" + "a" * 32, "TENURE_TARGET_NL_KEY": "5a9dbc80"})


def test_what_is_overdue_is_deactivated_at_once_and_one_request_a_minute_is_made(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert policies(settings, settings.sources["shop"])["nl"].past_due_days == 0
    serving = SERVING["netlicensing"]
    assert (serving.requests_per_minute, serving.burst, serving.paced) == (1, 1, True)


def test_a_vendor_may_keep_what_is_overdue_and_choose_whose_licensee_it_is(tmp_path: Path) -> None:
    options = '[targets.nl.options]\nlicensee = "unit"\nkey = "license"\nsave_buyer = true\n'
    settings = loaded(tmp_path, options + "[sources.shop.policy]\npast_due_days = 7\n")
    assert policies(settings, settings.sources["shop"])["nl"].past_due_days == 7
    assert settings.targets["nl"].options == Options(licensee="unit", key="license", save_buyer=True)


@pytest.mark.parametrize(
    ("options", "remedy"),
    [('licensee = "family"', "Write customer, purchase or unit."), ('key = "x"', "Write licensee or license.")],
)
def test_a_wrong_option_is_told_with_what_is_allowed(tmp_path: Path, options: str, remedy: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        loaded(tmp_path, f"[targets.nl.options]\n{options}\n")
    (finding,) = caught.value.findings
    assert "targets.nl.options" in str(finding)
    assert remedy in str(finding)


@pytest.mark.parametrize("key", ["", "two words", "kläy"])
def test_a_key_that_fits_in_no_header_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        NetLicensing(None, key, None)  # type: ignore[arg-type]
    assert not key or key not in str(caught.value)
