"""Which licensee a purchase may join: only one that the buyer has, of the same source, target and product."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from domain.events import stream_of
from domain.receipts import AppliedLicense
from domain.subscription import Customer
from projections.queries import LicenseView
from service.joining import account_to_join
from service.sources import KeyRequest
from tests.expressing import desired

pytestmark = pytest.mark.anyio

KEY, ACCOUNT = "AAAA-BBBB-CCCC-DDDD", "tenure-1"
ASKED = KeyRequest(reference="FAL-2", product="pro-monthly", count=1, test=False, licensee=KEY, email="Ada@Example.com")


def held(*, source: str = "acme", target: str = "nl", key: str | None = KEY, **fields: Any) -> LicenseView:
    """A license that Ada has."""
    account = fields.pop("account", ACCOUNT)
    stream = stream_of(source, "order", "1")
    wanted = {
        "stream": stream,
        "product_code": "PRO",
        "fulfillment": "FAL-1/pro-monthly",
        "customer": Customer(reference="cus_1", email="ada@example.com"),
        **fields,
    }
    return LicenseView(
        id="lic_1",
        stream=stream,
        target=target,
        due=False,
        enabled=True,
        key=key,
        desired=desired(**wanted),
        applied=AppliedLicense(order="o", key=key or "", holder=account) if account is not None else None,
        refusal=None,
    )


async def joined(*views: LicenseView, **asked: Any) -> str:
    async def holders(name: str) -> Sequence[LicenseView]:
        return views if name == KEY or name == "lic_1" else ()

    return await account_to_join(holders, msgspec.structs.replace(ASKED, **asked), source="acme", target="nl")


async def test_the_licensee_of_the_buyer_is_joined_however_the_address_is_written() -> None:
    assert await joined(held()) == ACCOUNT
    assert await joined(held(), email="ADA@EXAMPLE.COM") == ACCOUNT


@pytest.mark.parametrize(
    "view",
    [
        held(source="other"),
        held(target="other"),
        held(customer=Customer(reference="cus_2", email="eve@example.com")),
        held(customer=Customer(reference="cus_1")),
        held(fulfillment="FAL-1/lite-monthly"),
        held(fulfillment=""),
        held(account=""),
        held(account=None),
        held(key=None),
        held(key="EEEE-BBBB-CCCC-DDDD"),
    ],
    ids=["source", "target", "buyer", "no address", "product", "no path", "no account", "not made", "no key", "key"],
)
async def test_no_other_one_is_joined(view: LicenseView) -> None:
    assert await joined(view) == ""
    assert await joined(view, held()) == ACCOUNT


@pytest.mark.parametrize("asked", [{"email": ""}, {"licensee": ""}, {"licensee": "unknown"}, {"licensee": "lic_1"}])
async def test_nothing_is_joined_by_who_names_nothing_or_nobody(asked: dict[str, str]) -> None:
    assert await joined(held(), **asked) == ""
    assert await joined(held(customer=Customer()), **asked) == ""


async def test_where_the_request_names_the_servers_product_that_decides() -> None:
    assert await joined(held(), product="pro-yearly") == ""
    assert await joined(held(), product="pro-yearly", product_code="PRO") == ACCOUNT
    assert await joined(held(), product_code="LITE") == ""
