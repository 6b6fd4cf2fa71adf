"""The tables that the settings choose from know the same names."""

from typing import get_args, get_type_hints

from domain.providers.table import PROVIDERS
from service.bootstrap import TARGETS
from service.settings import Target
from service.sources.table import GENERATORS, RECEIVING


def test_every_provider_has_both_its_halves() -> None:
    assert PROVIDERS.keys() == RECEIVING.keys()
    assert all(provider.name == name for name, provider in PROVIDERS.items())
    assert all(receiving.name == name for name, receiving in RECEIVING.items())


def test_a_license_generator_is_a_known_providers() -> None:
    assert GENERATORS.keys() <= PROVIDERS.keys()
    assert all(generating.name == name for name, generating in GENERATORS.items())


def test_every_license_server_that_settings_may_name_can_be_wired() -> None:
    assert set(get_args(get_type_hints(Target)["server"])) == TARGETS.keys()


def test_every_header_that_a_provider_signs_is_asked_for_in_lower_case() -> None:
    assert all(name == name.lower() for receiving in RECEIVING.values() for name in receiving.kept_headers)
