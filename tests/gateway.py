"""What the NetLicensing Gateway does, done by Tenure: a FastSpring store in front, a NetLicensing sandbox behind."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Literal

import httpx2
import msgspec

from domain.policy import Policy
from domain.providers.fastspring import PROVIDER
from projections.pusher import Account, Pusher
from projections.targets.netlicensing.client import open_netlicensing
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.target import NetLicensingTarget
from service.sandbox.fastspring import GeneratorCall, Store, catalog, deliveries, form, request_hash, sign
from service.sandbox.fastspring.lifecycle import START
from service.sandbox.fastspring.model import Product
from service.sandbox.netlicensing import RunningSandbox, falcon, running_sandbox
from service.secrets import Secret, Secrets
from service.settings import Settings, Source, Target
from service.targets.netlicensing import SERVING
from tests.key_requests import PRIVATE_KEY
from tests.projecting import Projected, projecting
from tests.pushing import AT_ONCE, PLENTY
from tests.serving import Served, served, settings

WEBHOOK_SECRET = "webhook-secret"
ADA, EVE = ("Ada Marlow", "ada@example.com"), ("Eve Other", "eve@example.com")
PRO, PERPETUAL = catalog.PRO, catalog.PERPETUAL
SEATS = catalog.FLOATING
PROJECTS = Product(
    path="falcon-projects",
    display="Falcon, ten projects",
    price=50_00,
    attributes={"product_short_code": "falcon", "license_policy": "falcon-10-projects", "max_activations": "10"},
    generator="quantity",
)
"""Of a model in which nothing but what was bought adds up."""

Held = dict[str, dict[str, str]]


def settings_of(dsn: str, url: str, options: Options, mode: Literal["live", "test"] = "test") -> Settings:
    """One store, which feeds NetLicensing."""
    return msgspec.structs.replace(
        settings(dsn),
        sources={"acme": Source(provider="fastspring", mode=mode, target="ls")},
        targets={"ls": Target(server="netlicensing", url=url, options=options)},
        secrets=Secrets(
            sources={"acme": (Secret(WEBHOOK_SECRET),)},
            generator_keys={"acme": (Secret(PRIVATE_KEY),)},
            targets={"ls": Secret("5a9dbc80-0000-4000-8000-000000000001")},
        ),
    )


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is delivered, projected and pushed but when told to."""

    served: Served
    projected: Projected
    pusher: Pusher
    sandbox: RunningSandbox
    store: Store
    delivered: list[bytes]

    # --- in front -----------------------------------------------------------------------------------------------

    def check_out(
        self,
        product: Product = PRO,
        quantity: int = 1,
        *,
        buyer: tuple[str, str] = ADA,
        tags: dict[str, str] | None = None,
    ) -> str:
        """An order that is placed and not paid yet; its id. The same buyer is the same account."""
        known = {each.contact.email: number for number, each in self.store.book.accounts.items()}
        account = known.get(buyer[1]) or self.store.account(*buyer)
        return self.store.check_out(account, [(product, quantity)], tags=tags)

    async def request(self, call: GeneratorCall | None = None, **more: str) -> httpx2.Response:
        """Asks for the keys of the latest call, with parameters that a vendor set in the fulfillment besides."""
        fields = form(call or self.store.calls[-1], PRIVATE_KEY)
        del fields["security_request_hash"]
        fields |= more
        hashed = {**fields, "security_request_hash": request_hash(fields, PRIVATE_KEY)}
        return await self.served.http.post("/fulfillment/acme", data=hashed, headers={"User-Agent": "FS"})

    async def keys(self, call: GeneratorCall | None = None, **more: str) -> list[str]:
        """The keys that the buyer is shown."""
        answer = await self.request(call, **more)
        assert answer.status_code == 200, answer.text
        return answer.text.split("\n")

    async def tell(self) -> None:
        """Delivers what the store has not told yet."""
        for delivery in deliveries(self.store):
            if delivery.body not in self.delivered:
                await self.deliver(delivery.body)
                self.delivered.append(delivery.body)

    async def deliver(self, body: bytes) -> None:
        headers = {"x-fs-signature": sign(body, WEBHOOK_SECRET)}
        assert (await self.served.http.post("/webhooks/acme", content=body, headers=headers)).status_code == 200

    async def complete(self, order: str) -> None:
        """The order is paid, told of and pushed."""
        self.store.complete(order)
        await self.tell()
        await self.settle()

    async def sell(self, product: Product = PRO, quantity: int = 1, **more: Any) -> list[str]:
        """A whole purchase; the keys that the buyer was shown."""
        parameters = more.pop("parameters", {})
        order = self.check_out(product, quantity, **more)
        given = await self.keys(**parameters)
        await self.complete(order)
        return given

    # --- behind -------------------------------------------------------------------------------------------------

    async def project(self) -> None:
        await self.projected.runner.project_until_idle()

    async def settle(self) -> None:
        """Projects and pushes until nothing is left to do; fails when that does not come to an end."""
        for _ in range(80):
            await self.project()
            self.pusher._paced.clear()
            await self._execute("update projection_1.push set next_at = now(), leased_until = null where due")
            await self.pusher.push_until_idle()
            await self.project()
            if not await self._execute("select from projection_1.push where due or doubt <> '{}'"):
                return
        raise AssertionError("projecting and pushing do not come to an end")

    async def problems(self) -> list[str]:
        return [view.problem for view in await self.projected.queries.streams(problems=True)]

    async def _execute(self, statement: str) -> int:
        async with self.projected.pool.connection() as connection:
            return (await connection.execute(statement.encode())).rowcount

    def licensees(self) -> Held:
        return self.sandbox.control.holdings()["licensees"]

    def licenses(self, licensee: str | None = None) -> Held:
        """All licenses, or those of one licensee."""
        held = self.sandbox.control.holdings()["licenses"]
        return {number: each for number, each in held.items() if licensee in {None, each["licenseeNumber"]}}

    def active(self, licensee: str | None = None) -> Held:
        return {number: each for number, each in self.licenses(licensee).items() if each["active"] == "true"}

    def is_valid(self, licensee: str) -> bool:
        """Whether a program that validates the licensee now may run, by any module."""
        modules = self.sandbox.control.effective()[licensee]["modules"]
        return any(_tells_valid(each) for each in modules.values())


def _tells_valid(told: Any) -> bool:
    if isinstance(told, dict):
        return told.get("valid") is True or any(_tells_valid(each) for each in told.values())
    return isinstance(told, Sequence) and not isinstance(told, str) and any(_tells_valid(each) for each in told)


@asynccontextmanager
async def gateway(dsn: str, **options: Any) -> AsyncIterator[Gateway]:
    """A store whose keys and licenses are NetLicensing's, with these of the target's options."""
    chosen = Options(**options)
    store = Store("gateway", start=START)
    async with (
        running_sandbox(falcon(now=START + timedelta(hours=1), seed=1)) as sandbox,
        gateway_to(dsn, sandbox, chosen, store) as running,
    ):
        yield running


@asynccontextmanager
async def gateway_to(
    dsn: str, sandbox: RunningSandbox, options: Options, store: Store, delivered: Sequence[bytes] = ()
) -> AsyncIterator[Gateway]:
    """A process of Tenure between a store and an account that are there already."""

    async def turn() -> None:
        """The account bears any number of requests."""

    async with (
        open_netlicensing(f"{sandbox.api_url}/", sandbox.api_key, turn) as client,
        served(settings_of(dsn, sandbox.url, options), dsn) as front,
    ):
        target = NetLicensingTarget("ls", client, options)
        feeds = {"ls": msgspec.convert(SERVING.policy, Policy)}
        async with projecting(dsn, provider=PROVIDER, feeds=feeds, targets={"ls": target}) as projected:
            pusher = Pusher(
                log=projected.log,
                pool=projected.pool,
                tables=projected.tables,
                accounts={"ls": Account(target=target, budget=PLENTY, paced=True)},
                owner="pusher-1",
                settings=AT_ONCE,
            )
            yield Gateway(
                served=front,
                projected=projected,
                pusher=pusher,
                sandbox=sandbox,
                store=store,
                delivered=list(delivered),
            )
