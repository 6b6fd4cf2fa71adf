"""A FastSpring store in front of Tenure, and a LicenseSpring sandbox behind it, over real HTTP, for tests."""

import hmac
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import msgspec

from domain.events import Stream
from domain.providers.fastspring import PROVIDER
from domain.receipts import KeysGenerated, read_receipt
from service.sandbox.licensespring import SandboxSettings, running_sandbox
from service.sandbox.licensespring.settings import ProductSeed
from service.secrets import Secret, Secrets
from service.settings import Settings, Source
from tests.key_requests import PRIVATE_KEY, form
from tests.key_requests import ask as ask_for_keys
from tests.payloads.fastspring import BOUGHT, ORDER, PRO, REFERENCE, Json, batch, event, item, order, subscription
from tests.pushing import Pushed, pushing_to
from tests.serving import Served, served, settings

WEBHOOK_SECRET = "webhook-secret"
SANDBOX = SandboxSettings(
    products=tuple(ProductSeed(short_code=f"falcon-{name}") for name in ("pro", "lite", "team", "floating")),
    plan="unlimited",
    flood_protection=False,
    seed=1,
)
LITE = {"product_short_code": "falcon-lite"}
FULFILLMENT = Stream(f"acme/fulfillment/{REFERENCE}")


class Selling(msgspec.Struct, frozen=True, kw_only=True):
    """A store, its Tenure, and the LicenseSpring behind it; nothing is projected and pushed but when told to."""

    served: Served
    pushed: Pushed

    async def keys(self, quantity: int = 2, product: str = PRO, reference: str = REFERENCE, **more: str) -> list[str]:
        """What the checkout is answered."""
        asked = form(quantity, product, reference, test="1", **more)
        answer = await ask_for_keys(self.served.http, "acme", asked)
        assert answer.status_code == 200, answer.text
        return answer.text.split("\n")

    async def tell(self, *events: Json) -> None:
        """Delivers a batch."""
        assert (await deliver(self.served.http, *events)).status_code == 200

    async def settle(self) -> None:
        await self.pushed.settle()
        assert await self.pushed.mismatches() == []

    def held(self, product: str = "falcon-pro") -> list[str]:
        """The keys of the enabled licenses at LicenseSpring."""
        return [each["license_key"] for each in self.pushed.held() if each["enabled"] and each["product"] == product]

    async def recorded(self, stream: Stream = FULFILLMENT) -> list[KeysGenerated]:
        """Every record of generated keys there."""
        events = await self.pushed.projected.log.read_stream(stream)
        receipts = [read_receipt(event) for event in events if event.type == "tenure.keys_generated"]
        return [receipt for receipt in receipts if isinstance(receipt, KeysGenerated)]


async def deliver(http: httpx2.AsyncClient, *events: Json) -> httpx2.Response:
    content = msgspec.json.encode(batch(*events))
    signature = b64encode(hmac.digest(WEBHOOK_SECRET.encode(), content, "sha256")).decode()
    return await http.post("/webhooks/acme", content=content, headers={"x-fs-signature": signature})


def store(dsn: str, target_url: str = "http://127.0.0.1:9", api_key: str = "ABCDEFGH.0123456789") -> Settings:
    return msgspec.structs.replace(
        settings(dsn, target_url=target_url),
        sources={"acme": Source(provider="fastspring", mode="test", target="ls")},
        secrets=Secrets(
            sources={"acme": (Secret(WEBHOOK_SECRET),)},
            generator_keys={"acme": (Secret(PRIVATE_KEY),)},
            targets={"ls": Secret(api_key)},
        ),
    )


@asynccontextmanager
async def selling_to(dsn: str) -> AsyncIterator[Selling]:
    async with (
        running_sandbox(SANDBOX) as sandbox,
        served(store(dsn), dsn) as front,
        pushing_to(dsn, sandbox, provider=PROVIDER) as pushed,
    ):
        yield Selling(served=front, pushed=pushed)


def completed(quantity: int = 2, reference: str = REFERENCE, number: str = "", **more: object) -> Json:
    """An order of one one-time product."""
    bought = [item(quantity=quantity, subtotal=29.0 * quantity)]
    identifier = f"{ORDER}{number}"
    told = order(items=bought, reference=reference, order=identifier, id=identifier, **more)
    return event("order.completed", told, id_=f"EVORDER{number}")


SUBSCRIBED = (
    event("subscription.activated", subscription(), id_="EVACTIVATED"),
    event("order.completed", order(), id_="EVORDER", created=BOUGHT + 1),
)
