"""The tables that the settings choose from know the same names."""

from pathlib import Path

from domain.policy import Decisions
from domain.providers.table import PROVIDERS
from service.settings import load
from service.sources.table import GENERATORS, RECEIVING
from service.targets.table import SERVING


def test_every_provider_has_both_its_halves() -> None:
    assert PROVIDERS.keys() == RECEIVING.keys()
    assert all(provider.name == name for name, provider in PROVIDERS.items())
    assert all(receiving.name == name for name, receiving in RECEIVING.items())


def test_a_license_generator_is_a_known_providers() -> None:
    assert GENERATORS.keys() <= PROVIDERS.keys()
    assert all(generating.name == name for name, generating in GENERATORS.items())


def test_every_default_policy_is_one() -> None:
    for defaults in (*(each.policy for each in PROVIDERS.values()), *(each.policy for each in SERVING.values())):
        assert Decisions().over(defaults) == Decisions(**defaults).over()  # type: ignore[arg-type]


def test_every_license_server_needs_no_options(tmp_path: Path) -> None:
    for name, serving in SERVING.items():
        path = tmp_path / f"{name}.toml"
        path.write_text(f'[targets.a]\nserver = "{name}"\n', encoding="utf-8")
        assert load(path, {}).targets["a"].options == serving.options()


def test_every_header_that_a_provider_signs_is_asked_for_in_lower_case() -> None:
    assert all(name == name.lower() for receiving in RECEIVING.values() for name in receiving.kept_headers)
