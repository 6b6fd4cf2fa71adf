"""What NetLicensing refuses of a license does not hold up the license: a name, a property, a template of yesterday."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from yarl import URL

from projections import http
from projections.http import Headers, Http
from service.sandbox.faults import Answer
from tests.netlicensing import Account, Holding, account, active, desired

pytestmark = pytest.mark.anyio


class Refusing:
    """Answers 400 to forms that have this field, and lets everything else pass."""

    def __init__(self, inner: Http, field: str) -> None:
        self.base = inner.base
        self._inner = inner
        self._field = field.encode()

    async def send(
        self, method: str, url: URL, *, headers: Headers, content: bytes | None, limit: int, deadline: float
    ) -> http.Answer:
        if method == "POST" and self._field in (content or b""):
            said = {"id": "ValidationException", "type": "ERROR", "value": "too long"}
            return http.Answer(status=400, body=msgspec.json.encode({"infos": {"info": [said]}}))
        return await self._inner.send(method, url, headers=headers, content=content, limit=limit, deadline=deadline)


@asynccontextmanager
async def refusing(field: str) -> AsyncIterator[Account]:
    async with account() as at:
        at.http = Refusing(at.http, field)
        at.restart()
        yield at


async def test_a_name_that_is_refused_does_not_keep_a_customer_from_what_was_bought() -> None:
    async with refusing("name=") as at:
        holding = Holding(at)
        await holding.settle(desired())
        assert len(active(at.licenses())) == 1
        (licensee,) = holding.applied.customers
        assert holding.applied.refusals[licensee].call == "change licensee"


async def test_a_property_that_is_refused_does_not_keep_a_customer_from_what_was_bought() -> None:
    async with refusing("Team=") as at:
        holding, wish = Holding(at), desired(custom_fields={"Team": "red", "Seat": "a"})
        await holding.settle(wish)
        assert len(active(at.licenses())) == 1
        assert holding.applied.refusals[wish.id].call == "change license"


async def test_a_template_that_was_replaced_in_the_catalog_is_found_when_the_old_one_is_refused() -> None:
    async with account() as at:
        holding = Holding(at)
        await holding.settle(desired(1))
        (first,) = at.licenses()
        at.control.change("licensetemplate", "app-month", {"active": "false"})
        at.control.create(
            "licensetemplate",
            number="app-month-2",
            productModuleNumber="APP-module",
            licenseType="TIMEVOLUME",
            timeVolume="1",
            timeVolumePeriod="MONTH",
            name="Month",
        )
        at.restart()
        await holding.settle(desired(1), desired(2))
        assert holding.mismatches(desired(1), desired(2)) == []
        templates = {number: each["licenseTemplateNumber"] for number, each in at.licenses().items()}
        # What works by the old one goes on by it.
        assert templates.pop(first) == "app-month"
        assert list(templates.values()) == ["app-month-2"]


async def test_a_creation_that_is_refused_by_the_newest_catalog_stays_refused_in_its_own_words() -> None:
    async with account() as at:
        holding = Holding(at)
        at.control.fault(Answer(status=400), method="POST", path="/license", times=None)
        await holding.settle(desired())
        refusal = holding.applied.refusals[desired().id]
        assert (refusal.call, refusal.status) == ("create license", 400)
        assert "A fault of the sandbox" in refusal.text
        before = len(at.control.calls())
        assert await holding.settle(desired()) == []
        assert len(at.control.calls()) == before


async def test_on_a_slow_account_a_choice_that_is_refused_comes_to_an_end_too() -> None:
    async with account() as at:
        holding = Holding(at)
        await holding.settle(desired(product_code="QUOTA"))
        at.tokens = 0
        await holding.settle(desired(policy_code="typo"))
        assert "has no license template typo" in holding.refused[-1].text
