"""Where a license server's API is: at the address that a person or a sandbox gives, with its path or without."""

import pytest
from yarl import URL

from projections.http import Answer
from projections.targets import Turn
from projections.targets.errors import TargetError, Unavailable
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.netlicensing.client import NetLicensing
from service.targets import api_at
from service.targets.licensespring import API as LICENSESPRING
from service.targets.netlicensing import API as NETLICENSING

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", [LICENSESPRING, NETLICENSING])
@pytest.mark.parametrize("given", ["http://host:1{path}", "http://host:1{path}/", "http://host:1", "http://host:1/"])
def test_an_address_may_name_the_path_of_the_api(given: str, path: str) -> None:
    assert api_at(given.format(path=path), path) == f"http://host:1{path}/"


def test_a_path_of_a_proxy_before_it_stays() -> None:
    assert api_at("https://proxy/ls/", LICENSESPRING) == "https://proxy/ls/api/v1/"


class NothingThere:
    """A web server that has never heard of the API."""

    base = URL("http://elsewhere/")

    async def send(self, *_: object, **__: object) -> Answer:
        return Answer(status=404, body=b"<h1>Not Found</h1>")


async def at_once() -> None:
    return None


async def test_where_netlicensing_is_not_no_license_is_refused_for_good() -> None:
    turn: Turn = at_once
    with pytest.raises(TargetError) as caught:
        await NetLicensing(NothingThere(), "key", turn).all_of("ProductModule")
    assert isinstance(caught.value, Unavailable)
    assert "check the target's url" in str(caught.value)


async def test_where_licensespring_is_not_no_license_is_refused_for_good() -> None:
    with pytest.raises(TargetError) as caught:
        await LicenseSpring(NothingThere(), "AbCdEfGh.0123456789abcdef0123456789abcdef").catalog.product("falcon")
    assert isinstance(caught.value, Unavailable)
    assert "check the target's url" in str(caught.value)
