"""What is taken for gone at NetLicensing: only what it says itself is, and never what somebody else answers."""

from typing import Any

import pytest

from projections.targets.errors import Throttled, Unavailable, Unclear
from service.sandbox.faults import Answer, Drop, Effect, ErrorInOk, HtmlPage
from tests.netlicensing import Account, Holding, account, active, desired

pytestmark = pytest.mark.anyio

OFF = {"enabled": False}
MODULE = {"type": "ProductModule", "property": [{"name": "number", "value": "M"}]}
OTHER = {"type": "License", "property": [{"name": "number", "value": "somebody-elses"}]}
NOT_FOUND = ErrorInOk(id="NotFoundException", text="transaction not found")
BLANK: list[Effect] = [
    HtmlPage(status=404),
    HtmlPage(status=302),
    Answer(status=200, body={"items": None, "infos": None}),
    Answer(status=200, body={"items": {"item": [MODULE]}}),
    Answer(status=200, body={"items": {"item": [OTHER]}}),
    Answer(status=404, body={"items": None}),
    NOT_FOUND,
]


async def sold(at: Account) -> Holding:
    holding = Holding(at)
    await holding.settle(desired())
    return holding


@pytest.mark.parametrize(
    "effect", [HtmlPage(status=404), HtmlPage(status=307), Answer(status=404, body={}), Answer(status=404), NOT_FOUND]
)
async def test_a_license_is_disabled_though_somebody_else_said_that_it_is_not_there(effect: Effect) -> None:
    async with account() as at:
        holding = await sold(at)
        at.control.fault(effect, method="POST", path="/license/*")
        await holding.settle(desired(**OFF))
        holding.retry(desired())
        await holding.settle(desired(**OFF))
        assert active(at.licenses()) == []
        assert all(each["there"] for each in holding.applied.license(desired().id).parts.values())


@pytest.mark.parametrize("effect", [HtmlPage(status=404), HtmlPage(status=302)])
@pytest.mark.parametrize("path", ["/licensee", "/license"])
async def test_a_page_of_a_proxy_in_place_of_a_creation_is_no_dead_letter(effect: Effect, path: str) -> None:
    async with account() as at:
        holding = Holding(at)
        at.control.fault(effect, method="POST", path=path)
        await holding.settle(desired())
        assert holding.refused == []
        assert holding.mismatches(desired()) == []


@pytest.mark.parametrize("effect", BLANK)
@pytest.mark.parametrize("lost", ["disable", "creation"])
async def test_a_look_that_tells_nothing_finds_nothing_missing(effect: Effect, lost: str) -> None:
    async with account() as at:
        holding = Holding(at)
        if lost == "disable":
            await holding.settle(desired())
        at.control.fault(Drop(when="after"), method="POST", path="/license/*" if lost == "disable" else "/license")
        with pytest.raises(Unclear):
            await holding.attempt(desired(**OFF) if lost == "disable" else desired())
        at.control.fault(effect, method="GET", path="/license/*")
        with pytest.raises(Unavailable):
            await holding.attempt(desired(**OFF))
        await holding.settle(desired(**OFF))
        assert holding.refused == []
        assert active(at.licenses()) == []


@pytest.mark.parametrize("path", ["/licensetemplate", "/productmodule"])
async def test_a_catalog_that_is_told_by_a_blank_page_is_read_again_and_no_dead_letter(path: str) -> None:
    async with account() as at:
        holding = Holding(at)
        at.control.fault(Answer(status=200, body=""), method="GET", path=path)
        with pytest.raises(Unavailable):
            await holding.attempt(desired())
        await holding.settle(desired())
        assert holding.refused == []
        assert holding.mismatches(desired()) == []


async def test_what_a_success_with_an_error_says_is_not_there_is_gone_when_a_look_finds_nothing() -> None:
    async with account() as at:
        holding = await sold(at)
        (number,) = at.licenses()
        at.control.delete("license", number)
        at.control.fault(NOT_FOUND, method="POST")
        await holding.settle(desired(**OFF))
        assert holding.refused == []
        assert await holding.settle(desired(**OFF)) == []


@pytest.mark.parametrize("status", [200, 400])
async def test_a_rate_limit_is_known_by_its_words_whatever_its_status(status: int) -> None:
    said: dict[str, Any] = {"id": "x", "type": "ERROR", "value": "Too many requests, slow down"}
    async with account() as at:
        holding = Holding(at)
        at.control.fault(Answer(status=status, body={"infos": {"info": [said]}}), method="POST", path="/license")
        with pytest.raises(Throttled):
            await holding.attempt(desired())
        await holding.settle(desired())
        assert holding.refused == []
        assert holding.mismatches(desired()) == []
