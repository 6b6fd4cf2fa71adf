"""The demonstration's license servers: how each is reached, what it holds, and whether that is what is desired."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from projections.queries import LicenseView
from service.demo import matching, matching_netlicensing
from service.demo.people import LICENSESPRING, NETLICENSING
from service.demo.selling import products
from service.sandbox import licensespring, netlicensing


class LicenseServer(Protocol):
    """A sandbox. `target` is its name in Tenure's settings, `server` what kind it is."""

    target: str
    server: str
    url: str
    key: str
    requests_per_minute: int

    def held(self) -> int:
        """How many licenses it holds."""
        ...

    def differences(self, desired: Sequence[LicenseView]) -> list[str]:
        """How it differs from what is desired of it; empty when it is right."""
        ...

    def standing(self, licenses: Sequence[LicenseView]) -> str:
        """How a buyer's licenses, of which some are enabled, stand there, in a few words."""
        ...


class LicenseSpring:
    target, server = LICENSESPRING, "licensespring"
    # Stays below the sandbox's 200 calls in 10 seconds, which no plan lifts.
    requests_per_minute = 1_100

    def __init__(self, sandbox: licensespring.RunningSandbox) -> None:
        self.url, self.key = sandbox.url, sandbox.api_key
        self._control = sandbox.control

    def held(self) -> int:
        return len(self._licenses())

    def differences(self, desired: Sequence[LicenseView]) -> list[str]:
        return matching.differences(desired, self._licenses())

    def standing(self, licenses: Sequence[LicenseView]) -> str:
        there = {each["license_key"]: each for each in self._licenses()}
        works = [each for each in licenses if each.desired.enabled and each.key in there and there[each.key]["enabled"]]
        first = there[works[0].key] if works else {}
        if first.get("is_floating_cloud"):
            return f"{first['floating_users']} users at once"
        if first.get("license_type") == "consumption":
            return f"{first['total_consumptions']} of {first['max_consumptions']} used"
        return f"{len(works)} work{'s' if len(works) == 1 else ''}"

    def use(self, key: str, times: int) -> None:
        """A program uses up some of what a license grants."""
        self._control.change_license(key, {"total_consumptions": times})

    def _licenses(self) -> list[dict[str, Any]]:
        return matching.licenses_in(self._control.holdings())


class NetLicensing:
    target, server = NETLICENSING, "netlicensing"
    # Of a large plan: at the one request a minute of the smallest, nobody would wait for the end.
    requests_per_minute = 1_200

    def __init__(self, sandbox: netlicensing.RunningSandbox) -> None:
        self.url, self.key = sandbox.url, sandbox.api_key
        self._control = sandbox.control

    def held(self) -> int:
        return len(self._control.holdings()["licenses"])

    def differences(self, desired: Sequence[LicenseView]) -> list[str]:
        holdings = self._control.holdings()
        return matching_netlicensing.differences(desired, holdings, self._control.effective())

    def standing(self, licenses: Sequence[LicenseView]) -> str:
        effective = self._control.effective()
        holders = {each.applied.holder for each in licenses if each.applied}
        modules = [one for holder in holders & set(effective) for one in effective[holder]["modules"].values()]
        return ", ".join(filter(None, map(_told, modules)))


def _told(module: dict[str, Any]) -> str:
    """What a program is told of a module, empty for one that nothing was ever bought of."""
    if "expires" in module:
        return f"{'valid until' if module['valid'] else 'ended'} {module['expires']:%Y-%m-%d}"
    return f"{module['sessions']} sessions at once" if "sessions" in module else ""


@asynccontextmanager
async def running_servers() -> AsyncIterator[tuple[LicenseSpring, NetLicensing]]:
    """Both sandboxes on free ports, until the block ends."""
    spring = licensespring.SandboxSettings(products=products(), plan="enterprise")
    limited = netlicensing.falcon(requests_per_minute=NetLicensing.requests_per_minute)
    async with licensespring.running_sandbox(spring) as first, netlicensing.running_sandbox(limited) as second:
        yield LicenseSpring(first), NetLicensing(second)
