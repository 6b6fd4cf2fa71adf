"""The table of FastSpring's events in the documentation has them all, and the policies that it names."""

import re
from pathlib import Path

import msgspec

from domain.policy import Policy
from domain.providers.fastspring import PROVIDER
from domain.providers.fastspring.translate import TRANSLATED_TYPES

ROOT = Path(__file__).parents[3]
TABLE = (ROOT / "domain" / "README.md").read_text(encoding="utf-8").split("## What FastSpring's events do")[1]
ROWS = [line.strip("|").split(" | ") for line in TABLE.split("\n## ")[0].splitlines() if line.startswith("| ")][2:]


def test_every_event_that_means_something_has_one_row() -> None:
    named = [name for event, _ in ROWS for name in re.findall(r"`([a-z]+\.[a-z.]+)`", event)]
    assert sorted(named) == sorted(TRANSLATED_TYPES)


def test_every_default_that_it_names_is_the_one_of_a_fastspring_source() -> None:
    policy = msgspec.convert(PROVIDER.policy, Policy)
    told = [pair for _, effect in ROWS for pair in re.findall(r"`([a-z_]+)` (?:says )?\((\w+)[:)]", effect)]
    assert {name for name, _ in told} == set(Policy.__struct_fields__) - {
        "products",
        "renewal_margin_hours",
        "at_expiry",
    }
    for name, default in told:
        assert getattr(policy, name) == default, name


def test_the_setup_names_every_event_that_a_webhook_has_to_send() -> None:
    setup = (ROOT / "service" / "README.md").read_text(encoding="utf-8").split("## FastSpring, step by step")[1]
    for type_ in TRANSLATED_TYPES:
        family, _, name = type_.partition(".")
        assert f"`{type_}`" in setup or f"`{name}`" in setup or f"all of\n     `{family}`" in setup, type_
