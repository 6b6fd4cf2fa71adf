"""Speaks to the sandbox as a vendor's back office would: plain HTTP, no client of ours in between."""

from typing import Any

import httpx2

from service.sandbox.netlicensing import Control, RunningSandbox

JSON = {"Accept": "application/json"}


class Vendor:
    """A vendor with a valid API key."""

    def __init__(self, sandbox: RunningSandbox, http: httpx2.AsyncClient) -> None:
        self.url = sandbox.url
        self.api_url = sandbox.api_url
        self.control: Control = sandbox.control
        self.http = http

    async def call(self, method: str, path: str, form: dict[str, str] | None = None, **query: str) -> httpx2.Response:
        return await self.http.request(method, f"{self.api_url}{path}", data=form, params=query or None)

    async def licensee(self, number: str = "ann", product: str = "falcon", **form: str) -> httpx2.Response:
        return await self.call("POST", "/licensee", {"number": number, "productNumber": product, **form})


def infos(answer: httpx2.Response) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = answer.json()["infos"]["info"]
    return told


def numbers(answer: httpx2.Response) -> list[str]:
    """The numbers of the entities in an answer."""
    items = answer.json()["items"]["item"]
    return [value["value"] for item in items for value in item["property"] if value["name"] == "number"]
