"""`/sandbox/`: the control API. It has no counterpart at NetLicensing, asks for no key and is meant for loopback."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from service.sandbox.netlicensing.control import Control
from service.sandbox.netlicensing.errors import Refused
from service.sandbox.netlicensing.seeds import ProductSeed
from service.sandbox.netlicensing.store import Snapshot

View = dict[str, Any]
TheControl = NamedDependency[SkipValidation[Control]]


class ControlRoutes(Controller):
    path = "/sandbox"

    @get("/")
    async def overview(self, control: TheControl) -> View:
        return control.overview()

    @get("/holdings")
    async def holdings(self, control: TheControl) -> View:
        return dict(control.holdings())

    @get("/effective")
    async def effective(self, control: TheControl) -> View:
        return control.effective()

    @get("/snapshot")
    async def dump(self, control: TheControl) -> Snapshot:
        return control.dump()

    @post("/snapshot", status_code=204)
    async def restore(self, data: JSONBody[Snapshot], control: TheControl) -> None:
        control.restore(data)

    @post("/products", status_code=204)
    async def sell(self, data: JSONBody[ProductSeed], control: TheControl) -> None:
        control.sell(data)

    @get("/entities/{kind:str}/{number:str}")
    async def show(self, kind: FromPath[str], number: FromPath[str], control: TheControl) -> View:
        return dict(control.show(kind, number))

    @patch("/entities/{kind:str}/{number:str}")
    async def change(
        self, kind: FromPath[str], number: FromPath[str], data: JSONBody[dict[str, str]], control: TheControl
    ) -> View:
        return dict(control.change(kind, number, data))

    @delete("/entities/{kind:str}/{number:str}", status_code=204)
    async def remove(self, kind: FromPath[str], number: FromPath[str], control: TheControl) -> None:
        control.delete(kind, number)


def refused(_request: object, error: Refused) -> Response[View]:
    return Response({"detail": error.text}, status_code=400)
