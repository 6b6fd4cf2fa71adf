"""Speaks to the sandbox as a vendor's back office would: plain HTTP, no client of ours in between."""

from typing import Any

import httpx2
import msgspec

from service.sandbox.licensespring import Control, RunningSandbox, SandboxSettings

Json = dict[str, Any]

UNHURRIED = SandboxSettings(plan="unlimited", flood_protection=False)


def settings(**named: Any) -> SandboxSettings:
    """The default settings without rate limits, with these instead of the default ones."""
    return msgspec.structs.replace(UNHURRIED, **named)


class Vendor:
    """A vendor with a valid key."""

    def __init__(self, sandbox: RunningSandbox, http: httpx2.AsyncClient) -> None:
        self.url = sandbox.url
        self.control: Control = sandbox.control
        self.http = http

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx2.Response:
        return await self.http.request(method, f"/api/v1{path}", json=body, params=query or None)

    async def get(self, path: str, **query: Any) -> Any:
        """The body of an answer that must be 200."""
        return good(await self.call("GET", path, **query)).json()

    async def post(self, path: str, body: Any = None) -> Any:
        return good(await self.call("POST", path, body)).json()

    async def patch(self, path: str, body: Any) -> Any:
        return good(await self.call("PATCH", path, body)).json()

    async def refusal(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        answer = await self.call(method, path, body, **query)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()

    async def order(self, store_id: str, *licenses: Json, product: str = "demo", **more: Any) -> Json:
        """Creates an order with one item; `subscription_id` goes to the item, all else to the order."""
        created: Json = await self.post(
            "/orders/create_order/", order_body(store_id, *licenses, product=product, **more)
        )
        return created

    async def license(self, store_id: str = "order-1", product: str = "demo", **fields: Any) -> Json:
        """Creates an order with one license and returns the license as it is listed."""
        await self.order(store_id, fields, product=product)
        page = await self.get("/licenses/", order__store_id=store_id)
        found: Json = page["results"][0]
        return found


def order_body(store_id: str, *licenses: Json, product: str = "demo", **more: Any) -> Json:
    item = {"product_code": product, "licenses": list(licenses) or [{}]}
    if "subscription_id" in more:
        item["subscription_id"] = more.pop("subscription_id")
    return {"id": store_id, "items": [item], **more}


def good(answer: httpx2.Response) -> httpx2.Response:
    assert answer.status_code == 200, answer.text
    return answer
