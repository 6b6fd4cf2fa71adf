"""The account's key shows nowhere but in the header that needs it."""

import logging
import traceback

import pytest

from projections.http.client import open_http
from projections.targets.errors import TargetError
from projections.targets.licensespring.client import LicenseSpring, open_licensespring
from projections.targets.licensespring.wire import NewItem, NewLicense, NewOrder
from tests.integration.raw_http import Act, answer, raw_server, reset

pytestmark = pytest.mark.anyio

KEY = "AbCdEfGh.0123456789abcdef0123456789abcdef"
ORDER = NewOrder(id="S", items=(NewItem(product_code="ED", licenses=(NewLicense(key="K1"),)),))


@pytest.mark.parametrize("act", [reset, answer(403, f"Bad key {KEY}".encode()), answer(200, f"{KEY}".encode())])
async def test_the_key_shows_in_no_log_error_or_repr(act: Act, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with raw_server(act) as server, open_licensespring(server.url, KEY) as client:
        with pytest.raises(TargetError) as caught:
            await client.create_order(ORDER)
        error = caught.value
        for text in (caplog.text, str(error), repr(error), repr(client), repr(vars(client))):
            assert KEY not in text


async def shown_with_local_values(client: LicenseSpring) -> str:
    try:
        await client.create_order(ORDER)
    except TargetError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return ""


async def test_the_key_shows_in_no_traceback_not_even_in_one_with_local_values() -> None:
    async with raw_server(reset) as server, open_licensespring(server.url, KEY) as client:
        broken_off = await shown_with_local_values(client)
    async with open_licensespring(server.url, KEY) as client:
        not_reached = await shown_with_local_values(client)
    assert "Unclear" in broken_off
    assert "Unavailable" in not_reached
    assert KEY not in broken_off + not_reached


@pytest.mark.parametrize("key", ["", "with space", "line\nbreak", "ümlaut"])
async def test_a_key_that_fits_in_no_header_is_refused_without_showing_it(key: str) -> None:
    async with open_http("http://127.0.0.1:1/", timeout=1, connections=1) as http:
        with pytest.raises(ValueError, match="check the settings") as caught:
            LicenseSpring(http, key)
        assert not key or key not in str(caught.value)


@pytest.mark.parametrize("address", ["", "license.example", "ftp://license.example/", "https://"])
async def test_what_is_no_address_of_an_api_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="begins with https://"):
        async with open_licensespring(address, KEY):
            pass
