"""Mistakes in the settings are all reported at once, each with its key and what to do; secrets are never shown."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from domain.policy import Decisions, Policy
from service.secrets import Secret
from service.settings import PARTS, Settings, SettingsInvalid, load, require
from service.targets import NoOptions, Serving
from service.targets.table import SERVING
from service.wiring.targets import policies

GOOD = """
[sources.stripe-main]
provider = "stripe"
target = "licensespring"

[targets.licensespring]
server = "licensespring"
"""

SECRETS = {
    "TENURE_SOURCE_STRIPE_MAIN_SECRETS": "whsec_old, whsec_new,",
    "TENURE_TARGET_LICENSESPRING_KEY": "ABCDEFGH.0123456789",
    "TENURE_VIEWER_TOKENS": "v" * 24,
    "TENURE_OPERATOR_TOKENS": "o" * 24,
}


def loaded(folder: Path, text: str, **environ: str) -> Settings:
    path = folder / "tenure.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ)


def findings(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        loaded(folder, text, **environ)
    return [str(finding) for finding in caught.value.findings]


def policy_of(settings: Settings, name: str) -> Policy:
    """The policy of a source at its only target."""
    (policy,) = policies(settings, settings.sources[name]).values()
    return policy


def _undecided(settings: Settings) -> Settings:
    sources = {name: msgspec.structs.replace(each, policy=Decisions()) for name, each in settings.sources.items()}
    return msgspec.structs.replace(settings, sources=sources)


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    assert settings.server.port == 8080
    assert settings.server.host == "127.0.0.1"
    assert settings.database.url == ""
    assert settings.data_directory == tmp_path / ".tenure"
    assert settings.sources["stripe-main"].live
    assert policy_of(settings, "stripe-main") == Policy()
    assert settings.sources["stripe-main"].targets == ("licensespring",)
    assert settings.targets["licensespring"].options == NoOptions()


def test_the_example_settings_are_valid() -> None:
    path = Path(__file__).parents[2] / "service" / "tenure.example.toml"
    settings = load(path, SECRETS)
    require(settings, PARTS)
    assert set(settings.sources) == {"stripe-main"}


def test_every_default_in_the_example_is_the_real_one(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "service" / "tenure.example.toml").read_text(encoding="utf-8")
    spelled_out = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    told, silent = loaded(tmp_path, spelled_out), loaded(tmp_path, text)
    assert policy_of(told, "stripe-main") == policy_of(silent, "stripe-main")
    assert _undecided(told) == _undecided(silent)


def test_the_store_in_the_example_needs_nothing_but_its_marks_taken_away(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "service" / "tenure.example.toml").read_text(encoding="utf-8")
    taken = re.sub(r"^#(?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    settings = loaded(tmp_path, taken)
    shop, policy = settings.sources["shop"], policy_of(settings, "shop")
    assert (shop.provider, shop.live, policy.past_due_days) == ("fastspring", True, 14)
    assert policy.of("falcon-pro").on_partial_refund == "disable"
    undecided = loaded(tmp_path, taken.replace("devices_at_end", "# devices_at_end"))
    assert policy_of(undecided, "shop") == policy, "what it calls a default is one"
    other = settings.targets["netlicensing"]
    serving = SERVING[other.server]
    assert other.options == serving.options(), "and these"
    assert (other.requests_per_minute, other.burst) == (serving.requests_per_minute, serving.burst)


def test_several_secrets_of_a_source_are_live_at_once(tmp_path: Path) -> None:
    secrets = loaded(tmp_path, GOOD, **SECRETS).secrets
    assert secrets.sources == {"stripe-main": (Secret("whsec_old"), Secret("whsec_new"))}
    assert secrets.targets == {"licensespring": Secret("ABCDEFGH.0123456789")}


def test_the_keys_of_a_sources_api_and_generator_come_from_the_environment(tmp_path: Path) -> None:
    keys = {"TENURE_SOURCE_STRIPE_MAIN_API_KEY": " sk_1 ", "TENURE_SOURCE_STRIPE_MAIN_GENERATOR_KEY": "old,new"}
    secrets = loaded(tmp_path, GOOD, **keys).secrets
    assert secrets.api_keys == {"stripe-main": Secret("sk_1")}
    assert secrets.generator_keys == {"stripe-main": (Secret("old"), Secret("new"))}
    assert "sk_1" not in repr(secrets)


def test_a_policy_is_the_files_then_the_providers_own_then_the_usual(tmp_path: Path) -> None:
    source = GOOD.replace("stripe-main", "shop").replace('"stripe"', '"fastspring"')
    assert policy_of(loaded(tmp_path, source), "shop") == Policy(devices_at_end="free")
    decided = loaded(tmp_path, f'{source}[sources.shop.policy]\ndevices_at_end = "keep"\npast_due_days = 14\n')
    assert policy_of(decided, "shop") == Policy(past_due_days=14)


def test_a_product_may_be_treated_differently(tmp_path: Path) -> None:
    text = f"""{GOOD}[sources.stripe-main.policy]
past_due_days = 14
[sources.stripe-main.policy.products.falcon-pro]
past_due_days = "provider"
on_refund = "keep"
"""
    policy = policy_of(loaded(tmp_path, text), "stripe-main")
    assert policy.of("falcon-pro") == msgspec.structs.replace(policy, past_due_days="provider", on_refund="keep")
    assert policy.of("falcon-basic") == policy


def test_the_database_of_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    text = f'{GOOD}[database]\nurl = "postgresql://file/db"\n'
    assert loaded(tmp_path, text).database.url == "postgresql://file/db"
    assert loaded(tmp_path, text, TENURE_DATABASE_URL="postgresql://env/db").database.url == "postgresql://env/db"


def test_the_file_is_found_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(GOOD, encoding="utf-8")
    assert load(None, {"TENURE_CONFIG": str(tmp_path / "other.toml")}).directory == tmp_path


MISTAKES = [
    ('[server]\nport = "eighty"', ["[server] port = 'eighty'", "up to 65535"]),
    ("[server]\nport = 70000", ["[server] port = 70000", "up to 65535"]),
    ("[server]\nbody_limit = 5", ["[server] body_limit is not a known key", "Did you mean body_limit_bytes?"]),
    ("[server]\nstop_timeout_seconds = 0", ["[server] stop_timeout_seconds = 0", "above 0"]),
    ("[databse]", ["databse is not a known key", "Did you mean database?"]),
    ("server = 3", ["server is not a table", "[server]"]),
    ("[sources]\nx = 3", ["[sources] x is not a table", "[sources.x]"]),
    ('[sources.x]\nprovider = "stripe"', ["[sources.x] target is missing", "[targets]"]),
    ('[sources.x]\nprovider = "strip"\ntarget = "t"', ["[sources.x] provider = 'strip' is not known", "stripe"]),
    ('[sources.x]\nprovider = "stripe"\ntarget = "t"', ["[sources.x] target = 't' does not exist", "[targets.t]"]),
    ('[sources.x]\nmode = "Live"', ["[sources.x] mode = 'Live'", 'Write "live" or "test"']),
    ("[sources.A_b]", ["[sources.A_b] is not a usable name", "lower-case"]),
    ("[sources.x.policy]\nrenewal_margin_hours = 99999", ["[sources.x.policy] renewal_margin_hours = 99999", "8784"]),
    ('[sources.x.policy]\non_refund = "drop"', ["[sources.x.policy] on_refund = 'drop'", 'Write "disable" or "keep".']),
    ("[sources.x.policy]\non_pause = true", ["[sources.x.policy] on_pause = True", 'Write "disable" or "keep".']),
    ('[sources.x.policy]\ndevices_at_end = "x"', ["[sources.x.policy] devices_at_end", 'Write "keep" or "free".']),
    (
        '[sources.x.policy]\npast_due_days = "never"',
        ["[sources.x.policy] past_due_days = 'never'", 'Write a whole number or "provider".'],
    ),
    ("[sources.x.policy]\npast_due_days = 1.5", ["past_due_days = 1.5", 'Write a whole number or "provider".']),
    ("[sources.x.policy]\npast_due_days = 400", ["[sources.x.policy] past_due_days = 400", '"provider"', "366"]),
    (
        '[sources.x.policy.products.app]\npast_due_days = "never"',
        ["[sources.x.policy.products.app] past_due_days = 'never'", 'Write a whole number or "provider".'],
    ),
    (
        '[sources.x.policy.products.app]\non_dispute = "drop"',
        ["[sources.x.policy.products.app] on_dispute = 'drop'", 'Write "disable" or "keep".'],
    ),
    ("[database]\nmigrate_at_start = 1", ["[database] migrate_at_start = 1", "Write true or false."]),
    ("[database]\ndata_directory = 1", ["[database] data_directory = 1", "Write a text in quotes."]),
    ("[sources.x.policy.products.app]\npast_due_day = 4", ["past_due_day is not a known key", "past_due_days?"]),
    ("[sources.x.policy.products.app]\npast_due_days = -1", ["[sources.x.policy.products.app] past_due_days = -1"]),
    ('[sources.x.api]\nurl = "http://example.org"', ["[sources.x.api] url is http", "https"]),
    ('[sources.x.api]\nurl = "https://ada:pw@example.org"', ["[sources.x.api] url", "without user name"]),
    ('[targets.t]\nserver = "netlicensing"\nurl = "go.netlicensing.io"', ["[targets.t] url", "https://HOST"]),
    ('[sources.x.api]\nkey = "sk_1"', ["[sources.x.api] key is not a known key", "environment"]),
    ("[sources.x.api]\nrequests_per_minute = -1", ["[sources.x.api] requests_per_minute = -1"]),
    ("[fetch]\npatience_seconds = -1", ["[fetch] patience_seconds = -1", "from 0 to 3600"]),
    ("[seal]\npoll_seconds = 0", ["[seal] poll_seconds = 0", "above 0"]),
    ("[seal]\nbatch = 50000", ["[seal] batch = 50000", "from 1 to 20000"]),
    ("[seal]\ninterval = 1", ["[seal] interval is not a known key", "poll_seconds"]),
    ('[targets.t]\nserver = "netlicense"', ["[targets.t] server = 'netlicense'"]),
    ('[targets.t]\nserver = "licensespring"\nurl = "http://example.org"', ["[targets.t] url is http", "https"]),
    ('[targets.t]\nserver = "licensespring"\nurl = "http://localhost.example.org"', ["[targets.t] url is http"]),
    ('[targets.t]\nserver = "licensespring"\nburst = -1', ["[targets.t] burst = -1"]),
    (
        '[targets.t]\nserver = "licensespring"\noptions = 1',
        ["options is not a table", "[targets.t.options]"],
    ),
    ('[targets.t]\nserver = "licensespring"\n[targets.t.options]\na = 1', ["[targets.t.options] is not used", "none"]),
    ('[sources.x]\nprovider = "stripe"\ntarget = []', ["[sources.x] target names no target", "at least one"]),
    ('[sources.x]\nprovider = "stripe"\ntarget = ["t", "u"]', ["target = 'u' does not exist", "[targets.u]"]),
    (f'{GOOD}[sources.x]\nprovider = "stripe"\ntarget = ["licensespring", "licensespring"]', ["names a target twice"]),
    ('[sources.x]\nprovider = "stripe"\ntarget = 3', ["[sources.x] target = 3", '["one", "other"]']),
    ("[server]\nport 80", ["is not TOML", "line 2"]),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES, ids=[text.replace("\n", " ") for text, _ in MISTAKES])
def test_a_mistake_is_named_with_its_key_and_remedy(tmp_path: Path, text: str, expected: list[str]) -> None:
    lines = findings(tmp_path, text)
    assert any(all(part in line for part in expected) for line in lines), lines


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    text = '[server]\nport = -1\nhots = "x"\n[sources.x]\nprovider = "paypall"\ntarget = "t"\nmode = "prod"'
    keys = [line.split(" ")[1] for line in findings(tmp_path, text, TENURE_VIEWER_TOKENS="short")]
    assert sorted(keys) == sorted(["port", "hots", "provider", "target", "mode", "holds"])


@pytest.mark.parametrize("table", ["policy", "policy.products.app"])
def test_a_number_out_of_range_is_reported_beside_other_mistakes_of_its_table(tmp_path: Path, table: str) -> None:
    mistakes = 'past_due_days = -1\nrenewal_margin_hours = -1\non_refund = "drop"\non_refnud = "keep"\n'
    lines = findings(tmp_path, f"{GOOD}[sources.stripe-main.{table}]\n{mistakes}")
    assert sorted(line.split(" ")[1] for line in lines) == [
        "on_refnud",
        "on_refund",
        "past_due_days",
        "renewal_margin_hours",
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"nowhere\.toml does not exist.*--config"):
        load(tmp_path / "nowhere.toml", {})


def test_plain_http_is_taken_on_this_machine(tmp_path: Path) -> None:
    settings = loaded(tmp_path, f'{GOOD}url = "http://127.0.0.1:9000/sandbox"\n')
    assert settings.targets["licensespring"].url == "http://127.0.0.1:9000/sandbox"


def test_no_value_that_may_be_secret_is_shown(tmp_path: Path) -> None:
    text = f'{GOOD}api_key = "hidden-1"\n[database]\nurl = ["hidden-2"]\n'
    lines = findings(tmp_path, text, TENURE_OPERATOR_TOKENS="hidden-3")
    assert len(lines) == 3
    assert "hidden" not in "\n".join(lines)
    assert any("environment" in line for line in lines if "api_key" in line)
    assert "whsec" not in repr(loaded(tmp_path, GOOD, **SECRETS))


def test_roles_do_not_share_a_token(tmp_path: Path) -> None:
    token = "t" * 30
    [line] = findings(tmp_path, GOOD, TENURE_VIEWER_TOKENS=token, TENURE_OPERATOR_TOKENS=f"x{token},{token}")
    assert "TENURE_VIEWER_TOKENS shares a token" in line


def test_each_part_asks_for_the_secrets_it_needs(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    require(settings, ["runner"])
    with pytest.raises(SettingsInvalid, match="TENURE_SOURCE_STRIPE_MAIN_SECRETS is not set"):
        require(settings, ["receiver"])
    with pytest.raises(SettingsInvalid, match="TENURE_TARGET_LICENSESPRING_KEY is not set"):
        require(settings, ["pusher"])


def test_a_process_without_sources_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"\[sources\] is empty"):
        require(loaded(tmp_path, ""), ["runner"])


TWO = """
[sources.shop]
provider = "fastspring"
target = ["licensespring", "other"]
[sources.shop.policy]
on_refund = "keep"
[targets.licensespring]
server = "licensespring"
[targets.other]
server = "made-up"
"""


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a made-up license server leaves to decide."""

    level: Annotated[int, msgspec.Meta(ge=1, description="Give a number from 1.")] = 1


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second license server, with options and a policy of its own."""
    policy = {"past_due_days": 0, "on_refund": "disable", "devices_at_end": "keep"}
    serving = Serving(open=SERVING["licensespring"].open, url="", requests_per_minute=1, options=Choices, policy=policy)
    monkeypatch.setitem(SERVING, "made-up", serving)


@pytest.mark.usefixtures("made_up")
def test_each_target_has_the_providers_policy_then_its_servers_then_the_files(tmp_path: Path) -> None:
    settings = loaded(tmp_path, TWO)
    assert policies(settings, settings.sources["shop"]) == {
        "licensespring": Policy(devices_at_end="free", on_refund="keep"),
        "other": Policy(past_due_days=0, on_refund="keep"),
    }


@pytest.mark.usefixtures("made_up")
def test_a_license_servers_options_are_read_as_its_own(tmp_path: Path) -> None:
    assert loaded(tmp_path, TWO).targets["other"].options == Choices()
    assert loaded(tmp_path, f"{TWO}[targets.other.options]\nlevel = 2").targets["other"].options == Choices(level=2)
    (mistake,) = findings(tmp_path, f"{TWO}[targets.other.options]\nlevel = 0")
    assert "[targets.other.options] level = 0" in mistake
    assert "Give a number from 1." in mistake
    (mistake,) = findings(tmp_path, f"{TWO}[targets.other.options]\nlevle = 2")
    assert "levle is not a known key. Did you mean level?" in mistake
