"""Wishes and a NetLicensing sandbox that they are pushed to, without a database: as the pusher does, call by call."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec

from domain.licensing import License
from domain.receipts import AnyReceipt, Applied, PushRefused, PushRetried, apply_receipt
from projections.http import Http
from projections.targets import Call
from projections.targets.errors import Paced, Refused, TargetError, Unclear
from projections.targets.netlicensing.client import NetLicensing
from projections.targets.netlicensing.express import express_licensee
from projections.targets.netlicensing.options import Options
from projections.targets.netlicensing.parts import Part, Wish, wish_of
from projections.targets.netlicensing.target import NetLicensingTarget
from projections.targets.netlicensing.wire import form, is_reserved
from service.sandbox.netlicensing import (
    BundleSeed,
    Control,
    ModuleSeed,
    ProductSeed,
    SandboxSettings,
    TemplateSeed,
)
from service.sandbox.netlicensing.account import Account as Books
from service.sandbox.netlicensing.app import sandbox_of
from tests.expressing import desired as license_of
from tests.http_in_process import in_process
from tests.stories import JANUARY

Held = dict[str, str]


def _template(number: str, kind: Any, **properties: str) -> TemplateSeed:
    return TemplateSeed(number=number, license_type=kind, properties=properties)


def product(number: str, model: Any, *templates: TemplateSeed) -> ProductSeed:
    """A product with one module of that model."""
    return ProductSeed(
        number=number, modules=(ModuleSeed(number=f"{number}-module", licensing_model=model, templates=templates),)
    )


MONTH = {"timeVolume": "1", "timeVolumePeriod": "MONTH"}
PRODUCTS = (
    product("APP", "Subscription", _template("app-month", "TIMEVOLUME", **MONTH)),
    product("FLOAT", "Floating", _template("float-seats", "FLOATING", maxSessions="1")),
    product("RENDER", "PayPerUse", _template("render-frames", "QUANTITY", quantity="100")),
    product("QUOTA", "Quota", _template("quota-projects", "QUANTITY", quantity="10")),
    product("NODES", "NodeLocked", _template("node", "QUANTITY", quantity="1")),
    product("PARTS", "MultiFeature", _template("export", "FEATURE"), _template("reports", "FEATURE")),
    product(
        "TRY",
        "TryAndBuy",
        _template("try-trial", "TIMEVOLUME", timeVolume="14", timeVolumePeriod="DAY", automatic="true", hidden="true"),
        _template("try-bought", "FEATURE"),
    ),
    product("RENT", "Rental", _template("rent-thing", "FEATURE"), _template("rent-day", "TIMEVOLUME", **MONTH)),
    ProductSeed(
        number="STUDIO",
        modules=(
            ModuleSeed(
                number="studio-time",
                licensing_model="Subscription",
                templates=(_template("studio-month", "TIMEVOLUME", **MONTH),),
            ),
            ModuleSeed(
                number="studio-seats",
                licensing_model="Floating",
                templates=(_template("studio-seats", "FLOATING", maxSessions="1"),),
            ),
            ModuleSeed(
                number="studio-parts",
                licensing_model="MultiFeature",
                templates=(_template("studio-export", "FEATURE"),),
            ),
        ),
    ),
)
BUNDLES = (
    BundleSeed(number="SUITE", templates=("studio-month", "studio-export")),
    BundleSeed(number="MIXED", templates=("studio-month", "app-month")),
)
ALONE = SandboxSettings(products=PRODUCTS, bundles=BUNDLES, seed=1)


def desired(unit: int = 1, **fields: Any) -> License:
    """One unit of the product APP from January until February, with these fields instead."""
    return license_of(unit, **{"begins": JANUARY, **fields})


def desired_of(stream: str, unit: int = 1, **fields: Any) -> License:
    """The same in another subscription."""
    one = desired(unit, stream=stream, **fields)
    return msgspec.structs.replace(one, id=type(one.id)(f"{one.id}_{stream.replace('/', '_')}"))


class Account:
    """A target and the sandbox behind it; what is known and in doubt of one subscription (`Holding`) after another."""

    def __init__(self, http: Http, control: Control, options: Options) -> None:
        self.control = control
        self.options = options
        self.tokens: int | None = None
        """So many requests may be made before the next turn is asked for in vain; None: any number."""
        self.http = http
        self.restart()

    def restart(self) -> None:
        """As another process would find it: nothing is remembered but what was recorded."""
        self.client = NetLicensing(self.http, self.control.account.settings.api_keys[0], self._turn)
        self.target = NetLicensingTarget("nl", self.client, self.options)

    async def _turn(self) -> None:
        if self.tokens is None:
            return
        if self.tokens == 0:
            raise Paced("turn", retry_after=60.0)
        self.tokens -= 1

    def licensees(self) -> dict[str, Held]:
        return self.control.holdings()["licensees"]

    def licenses(self) -> dict[str, Held]:
        return self.control.holdings()["licenses"]


class Holding:
    """What one subscription is known to hold, and what is in doubt."""

    def __init__(self, at: Account) -> None:
        self.at = at
        self.applied = Applied()
        self.doubts: list[str] = []
        self.made: list[Call] = []
        self.refused: list[PushRefused] = []
        self.received: list[AnyReceipt] = []

    def take(self, receipt: AnyReceipt) -> None:
        """Folds a receipt into what is known, as it is read back from the store."""
        again = msgspec.json.decode(msgspec.json.encode(receipt), type=AnyReceipt)
        self.applied = apply_receipt({"nl": self.applied}, again, JANUARY)["nl"]
        self.received.append(again)

    async def attempt(self, *wish: License) -> None:
        """Looks at what is in doubt and follows the plan until there is nothing left. Raises TargetError."""
        self.made = []
        while self.doubts:
            receipt = await self.at.target.look(self.doubts[0], self.applied)
            if receipt is not None:
                self.take(receipt)
            self.doubts.pop(0)
        while calls := self.at.target.plan(wish, self.applied):
            assert len(self.made) < 200, f"the plan does not come to an end: {calls[0]}"
            await self._make(calls[0])

    async def settle(self, *wish: License) -> list[str]:
        """Attempts until nothing stands in the way; what was done."""
        names: list[str] = []
        for _ in range(60):
            try:
                await self.attempt(*wish)
            except TargetError:
                if self.at.tokens == 0:
                    self.at.tokens = 1
            else:
                return names + [call.name for call in self.made]
            names += [call.name for call in self.made]
        raise AssertionError("it does not come to an end")

    def retry(self, *wish: License) -> None:
        """An operator asks again."""
        self.take(PushRetried(target="nl", subjects=tuple(each.id for each in wish)))

    async def _make(self, call: Call) -> None:
        self.made.append(call)
        try:
            receipt: AnyReceipt = await self.at.target.perform(call, fresh=False)
        except Refused as error:
            receipt = PushRefused(
                target="nl",
                subjects=call.subjects,
                call=call.name,
                status=error.status,
                text=error.text,
                digest=call.digest,
            )
            self.refused.append(receipt)
        except Unclear:
            self.doubts = list(call.doubts)
            raise
        self.take(receipt)

    def mismatches(self, *wish: License) -> list[str]:
        """How what the sandbox holds differs from the wish; of what is known only the numbers are believed."""
        return [wrong for each in wish for wrong in self._wrong(wish_of(each, self.applied, self.at.options))]

    def _wrong(self, wish: Wish) -> Iterator[str]:
        licenses = self.at.licenses()
        wanted = {part.number: part for part in wish.parts if wish.desired.enabled}
        for number, part in wanted.items():
            if number not in licenses:
                yield f"{number} is missing"
            else:
                yield from _differences(part, licenses[number])
        for number in wish.held.parts:
            if number not in wanted and licenses.get(number, {}).get("active") == "true":
                yield f"{number} is active and nothing wants it"
        if wish.desired.enabled and wish.holds:
            there = self.at.licensees()[wish.held.holder]
            for name, value in express_licensee(wish.desired.customer, self.at.options).items():
                if there.get(name) != value:
                    yield f"{wish.held.holder}: {name} is not {value!r}"


_SPELLED = {"consumption_counted", "parentfeature", "quota"}
"""What the sandbox shows under another name, or not at all."""


def _differences(part: Part, there: Held) -> Iterator[str]:
    for name, value in part.wanted.items():
        if name in _SPELLED or (name.startswith("custom_field:") and is_reserved(name.partition(":")[2])):
            continue
        for told, text in form({name: value}).items():
            if there.get(told, "").replace(".000Z", "Z") != text:
                yield f"{part.number}: {told} is {there.get(told)!r}, desired {text!r}"


@asynccontextmanager
async def account(settings: SandboxSettings = ALONE, options: Options | None = None) -> AsyncIterator[Account]:
    """An account of its own; requests reach the sandbox without a socket."""
    books = Books(msgspec.structs.replace(settings, now=settings.now or JANUARY))
    app: Any = sandbox_of(books)
    async with in_process(app, "http://sandbox/core/v2/rest/") as http:
        yield Account(http, Control(books), options or Options())


def days(license_: Held) -> timedelta:
    """For how long a license works there."""
    assert license_["timeVolumePeriod"] == "DAY"
    return timedelta(days=int(license_["timeVolume"]))


def active(licenses: dict[str, Held]) -> Sequence[Held]:
    return [each for each in licenses.values() if each["active"] == "true"]
