"""Questions to the API over HTTP, for tests."""

from typing import Any

import httpx2

from tests.serving import OPERATOR, VIEWER, Served

VIEW = {"authorization": f"Bearer {VIEWER}"}
OPERATE = {"authorization": f"Bearer {OPERATOR}"}
JO = {"author": "jo", "reason": "the product is there"}


async def got(shop: Served, path: str, *, headers: dict[str, str] = VIEW, **params: Any) -> Any:
    answer = await shop.http.get(f"/api/v1{path}", headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def assert_problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    return problem


async def retried(shop: Served, identifier: str, what: str = "dead-letters") -> httpx2.Response:
    """Has it tried again by JO."""
    return await shop.http.post(f"/api/v1/{what}/{identifier}/retry", headers=OPERATE, json=JO)
