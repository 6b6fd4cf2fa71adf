"""`/sandbox/`: the control API. It has no counterpart at LicenseSpring, asks for no key and is meant for loopback."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from service.sandbox.licensespring.control import Control
from service.sandbox.licensespring.settings import ProductSeed

View = dict[str, Any]
TheControl = NamedDependency[SkipValidation[Control]]


class Activation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    hardware_id: str
    hostname: str = ""


class ControlRoutes(Controller):
    path = "/sandbox"

    @get("/")
    async def overview(self, control: TheControl) -> View:
        return control.overview()

    @get("/holdings")
    async def holdings(self, control: TheControl) -> View:
        return control.holdings()

    @post("/products", status_code=201)
    async def add_product(self, data: JSONBody[ProductSeed], control: TheControl) -> View:
        return {"id": control.add_product(data)}

    @get("/licenses/{name:str}")
    async def show_license(self, name: FromPath[str], control: TheControl) -> View:
        return control.license(name)

    @patch("/licenses/{name:str}")
    async def change_license(self, name: FromPath[str], data: JSONBody[dict[str, Any]], control: TheControl) -> View:
        return control.change_license(name, data)

    @delete("/licenses/{name:str}", status_code=204)
    async def delete_license(self, name: FromPath[str], control: TheControl) -> None:
        control.delete_license(name)

    @post("/licenses/{name:str}/activate", status_code=200)
    async def activate(self, name: FromPath[str], data: JSONBody[Activation], control: TheControl) -> View:
        return control.activate(name, data.hardware_id, data.hostname)

    @delete("/orders/{name:str}", status_code=204)
    async def delete_order(self, name: FromPath[str], control: TheControl) -> None:
        control.delete_order(name)
