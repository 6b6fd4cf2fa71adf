"""Wishes and a LicenseSpring sandbox that they are pushed to, without a database: as the pusher does, call by call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.licensing import License
from domain.licensing.license import LicenseId
from domain.receipts import AnyReceipt, Applied, AppliedLicense, PushRefused, PushRetried, apply_receipt
from domain.subscription import Customer
from projections.http import Http
from projections.queries import LicenseView
from projections.targets import Call, subject_of
from projections.targets.errors import Refused, TargetError, Unclear
from projections.targets.licensespring.client import LicenseSpring
from projections.targets.licensespring.express import express
from projections.targets.licensespring.target import LicenseSpringTarget
from service.demo.matching import Held, differences, licenses_in
from service.sandbox.licensespring import Control, SandboxSettings
from service.sandbox.licensespring.app import sandbox_of
from service.sandbox.licensespring.company import Company
from service.sandbox.licensespring.settings import CustomFieldSeed, FeatureSeed, PolicySeed, ProductSeed
from tests.http_in_process import in_process
from tests.stories import FEBRUARY, JANUARY, STREAM

ADA = Customer(reference="cus_ada", email="ada@example.com", name="Ada Example")
PRODUCTS = (
    ProductSeed(
        short_code="APP",
        terms={"max_activations": 2},
        policies=(PolicySeed(code="gold", terms={"max_activations": 50}),),
        features=(FeatureSeed(code="export"), FeatureSeed(code="reports"), FeatureSeed(code="extra")),
        custom_fields=(CustomFieldSeed(name="Team"), CustomFieldSeed(name="Seat")),
    ),
    ProductSeed(short_code="TOOL"),
    ProductSeed(short_code="PEOPLE", authorization_method="user", terms={"max_license_users": 0}),
    ProductSeed(short_code="SUITE", bundle=("APP", "TOOL")),
    ProductSeed(short_code="BOX", bundle=("TOOL",)),
)
ALONE = SandboxSettings(products=PRODUCTS, plan="unlimited", flood_protection=False, seed=1)


def desired(unit: int = 1, **fields: Any) -> License:
    """One unit of the product APP until February, with these fields instead."""
    known: dict[str, Any] = {
        "stream": STREAM,
        "subscription": "sub_1",
        "line": "si_1",
        "product_code": "APP",
        "license_type": "subscription",
        "enabled": True,
        "expiry": FEBRUARY,
        "margin_hours": 48,
        "customer": ADA,
    }
    told = {**known, **fields}
    return License(id=LicenseId(f"lic_{told['line']}_{told['product_code']}_{unit}"), unit=unit, **told)


def other(license_: License, **fields: Any) -> License:
    """The same license with these fields."""
    return msgspec.structs.replace(license_, **fields)


def held(wish: License, companions: Any = None, **more: Any) -> Applied:
    """What is known after the license was created as desired, with these records beside it."""
    user_based = bool(wish.users)
    one = AppliedLicense(
        order=f"tenure-{wish.id}",
        key="" if user_based else "KEY",
        user_based=user_based,
        remote="1",
        fields={**express(wish, user_based=user_based), "enabled": True, **more},
        companions=companions or {},
    )
    return Applied(licenses={wish.id: one})


def names(*calls: Call) -> list[str]:
    """What the calls do."""
    return [call.name for call in calls]


def refuse(applied: Applied, call: Call) -> Applied:
    """What is known once the call was refused."""
    refused = PushRefused(
        target="ls", subjects=call.subjects, call=call.name, status=400, text="no", digest=call.digest
    )
    return apply_receipt({"ls": applied}, refused, JANUARY)["ls"]


class Account:
    """A target, what it is known to hold, what is in doubt, and the sandbox behind it."""

    def __init__(self, http: Http, control: Control) -> None:
        self.http = http
        self.control = control
        self.start_over()

    def start_over(self) -> None:
        """A new account: nothing is there, nothing is known."""
        self.control.reset()
        self.client = LicenseSpring(self.http, self.control.company.settings.api_keys[0])
        self.target = LicenseSpringTarget("ls", self.client)
        self.applied = Applied()
        self.doubts: list[str] = []
        self.made: list[Call] = []
        self.refused: list[PushRefused] = []

    def take(self, receipt: AnyReceipt) -> None:
        """Folds a receipt into what is known."""
        self.applied = apply_receipt({"ls": self.applied}, receipt, datetime.now(UTC))["ls"]

    async def attempt(self, *wish: License) -> None:
        """Looks at what is in doubt and follows the plan until there is nothing left. Raises TargetError."""
        self.made = []
        while self.doubts:
            await self._look(self.doubts[0])
            self.doubts.pop(0)
        fresh: set[str] = set()
        while calls := self.target.plan(wish, self.applied):
            assert len(self.made) < 200, f"the plan does not come to an end: {calls[0]}"
            await self._make(calls[0], fresh)

    async def settle(self, *wish: License) -> list[str]:
        """Attempts until nothing stands in the way; the calls of the last attempt that did anything."""
        names: list[str] = []
        for _ in range(50):
            try:
                await self.attempt(*wish)
            except TargetError:
                names = [call.name for call in self.made] or names
            else:
                return [call.name for call in self.made] or names
        raise AssertionError("the faults do not come to an end")

    def held(self) -> list[Held]:
        """The licenses the sandbox holds."""
        return licenses_in(self.control.holdings())

    def retry(self, *wish: License) -> None:
        """An operator asks again."""
        self.take(PushRetried(target="ls", subjects=tuple(each.id for each in wish)))

    def mismatches(self, *wish: License) -> list[str]:
        """How what the sandbox holds differs from the wish."""
        return differences([self._view(each) for each in wish], self.held())

    async def _look(self, doubt: str) -> None:
        try:
            receipt = await self.target.look(doubt, self.applied)
        except Refused as error:
            receipt = self._refusal((subject_of(doubt),), "look", "", error)
        if receipt is not None:
            self.take(receipt)

    async def _make(self, call: Call, fresh: set[str]) -> None:
        self.made.append(call)
        try:
            receipt = await self.target.perform(call, fresh=call.order in fresh)
        except Refused as error:
            receipt = self._refusal(call.subjects, call.name, call.digest, error)
        except Unclear:
            self.doubts = list(call.doubts)
            raise
        self.take(receipt)
        if receipt.__struct_config__.tag == "keys_minted":
            fresh.add(call.order)

    def _refusal(self, subjects: tuple[str, ...], call: str, digest: str, error: Refused) -> PushRefused:
        refused = PushRefused(
            target="ls", subjects=subjects, call=call, status=error.status, text=error.text, digest=digest
        )
        self.refused.append(refused)
        return refused

    def _view(self, wish: License) -> LicenseView:
        held = self.applied.licenses.get(wish.id)
        return LicenseView(
            id=wish.id,
            stream=wish.stream,
            target="ls",
            due=False,
            enabled=wish.enabled,
            key=(held or AppliedLicense()).key or None,
            desired=wish,
            applied=held,
            refusal=self.applied.refusals.get(wish.id),
        )


@asynccontextmanager
async def account(settings: SandboxSettings = ALONE) -> AsyncIterator[Account]:
    """An account of its own; requests reach the sandbox without a socket."""
    company = Company(msgspec.structs.replace(settings, now=JANUARY))
    app: Any = sandbox_of(company)
    async with in_process(app, "http://sandbox/api/v1/") as http:
        yield Account(http, Control(company))
