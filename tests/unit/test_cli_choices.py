"""The choices that the command line repeats, so that --help loads nothing, are those of the code."""

from typing import get_args

import pytest
import rich_click as click

from domain.lifecycle import State
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
    assert isinstance(found.type, click.Choice)
    assert set(found.type.choices) == set(choices)
