"""Asks the sandbox of NetLicensing without a socket: requests in, properties out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from service.sandbox.netlicensing import Control, SandboxSettings, falcon
from service.sandbox.netlicensing.account import Account
from service.sandbox.netlicensing.api import Asked, answer
from service.sandbox.netlicensing.envelope import Answer

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
Properties = dict[str, str]


def settings(**named: Any) -> SandboxSettings:
    """The standard catalog and the default settings, with these instead."""
    return falcon(now=NOON, seed=7, **named)


class Vendor:
    """A vendor whose clock stands at noon of 2030-01-31 until it is moved."""

    def __init__(self, chosen: SandboxSettings | None = None) -> None:
        self.account = Account(chosen or settings())
        self.control = Control(self.account)
        self.control.set_time(NOON, stopped=True)

    def call(self, method: str, path: str, form: Mapping[str, str] | None = None, **query: str) -> Answer:
        return answer(self.account, Asked(method, tuple(path.strip("/").split("/")), query, form or {}))

    def post(self, path: str, **form: str) -> Properties:
        """The properties of the one item of an answer that must be good."""
        return properties(item(self.call("POST", path, form)))

    def get(self, path: str) -> Properties:
        return properties(item(self.call("GET", path)))

    def refusal(self, method: str, path: str, **form: str) -> tuple[int, str]:
        """Status and name of a refusal."""
        refused = self.call(method, path, form)
        assert refused.body is not None
        assert refused.body["items"] is None
        (info,) = refused.body["infos"]["info"]
        assert info["type"] == "ERROR"
        assert info["value"]
        return refused.status, info["id"]

    def licensee(self, number: str = "ann", product: str = "falcon", **form: str) -> Properties:
        return self.post("/licensee", number=number, productNumber=product, **form)

    def license(self, number: str, template: str, licensee: str = "ann", **form: str) -> Properties:
        return self.post("/license", number=number, licenseeNumber=licensee, licenseTemplateNumber=template, **form)

    def validated(self, licensee: str = "ann", **form: str) -> dict[str, dict[str, Any]]:
        """By module: its properties and its lists."""
        told = self.call("POST", f"/licensee/{licensee}/validate", form)
        assert told.status == 200, told.body
        assert told.body is not None
        shown = [(properties(one), lists(one)) for one in told.body["items"]["item"]]
        return {own["productModuleNumber"]: {**own, **groups} for own, groups in shown}

    def told(self, module: str, licensee: str = "ann", **form: str) -> dict[str, Any]:
        """What one module's item says beside its number, name and model."""
        about = ("productModuleNumber", "productModuleName", "licensingModel")
        found = self.validated(licensee, **form)[module]
        return {name: value for name, value in found.items() if name not in about}

    def asked(self, module: str, licensee: str = "ann", **sent: str) -> dict[str, Any]:
        """The same, with parameters for this module."""
        form = {"productModuleNumber0": module, **{f"{name}0": value for name, value in sent.items()}}
        return self.told(module, licensee, **form)


def item(good: Answer) -> Any:
    assert good.status == 200, good.body
    assert good.body is not None
    (only,) = good.body["items"]["item"]
    return only


def properties(shown: Any) -> Properties:
    return {one["name"]: one["value"] for one in shown["property"]}


def lists(shown: Any) -> dict[str, Properties]:
    return {one["name"]: properties(one) for one in shown["list"]}
