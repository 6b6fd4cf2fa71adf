"""Until when a license works, as the list of licenses says it."""

from typing import Any

import pytest

from domain.licensing import License
from service.commands.lists import until
from tests.stories import JANUARY, PURCHASE, bought, given, happened, line, paying


def once(**attributes: str) -> License:
    sold = line(recurring=False, attributes={"short_code": "APP", **attributes})
    return given(happened(JANUARY, *bought(sold), stream=PURCHASE)).license()


@pytest.mark.parametrize(
    ("granted", "said"),
    [
        (once(license_type="time-limited", valid_duration="30d"), "30d from activation"),
        (once(license_type="subscription", valid_duration="1y"), "1y from activation"),
        (once(), "for ever"),
        (paying().license(), "2026-02-03"),
    ],
)
def test_it_saysuntil_when_a_license_works(granted: License, said: Any) -> None:
    assert until(granted).plain == said
