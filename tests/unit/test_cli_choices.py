"""The choices that the command line repeats, so that --help loads nothing, are those of the code."""

from typing import get_args

import pytest
import rich_click as click

from domain.lifecycle import State
from domain.providers.table import PROVIDERS
from service.attention import Need
from service.cli import tenure
from service.settings import PARTS


@pytest.mark.parametrize(
    ("command", "option", "choices"),
    [
        ("serve", "only", PARTS),
        ("subscriptions", "state", tuple(State)),
        ("streams", "status", get_args(Need)),
    ],
)
def test_an_option_offers_what_there_is(command: str, option: str, choices: tuple[str, ...]) -> None:
    (found,) = [each for each in tenure.commands[command].params if each.name == option]
    assert offered(found) == set(choices)


def test_terms_are_checked_for_every_provider() -> None:
    group = tenure.commands["terms"]
    assert isinstance(group, click.Group)
    (found,) = [each for each in group.commands["check"].params if each.name == "provider"]
    assert offered(found) == set(PROVIDERS)


def offered(option: click.Parameter) -> set[str]:
    assert isinstance(option.type, click.Choice)
    return set(option.type.choices)
