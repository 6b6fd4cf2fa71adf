"""`/sandbox/`: the control API. It has no counterpart at LicenseSpring, asks for no key and is meant for loopback."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, JSONBody, SkipValidation

from service.sandbox.licensespring.control import Control, NotThere
from service.sandbox.licensespring.durations import written
from service.sandbox.licensespring.faults import Fault, PlacedFault
from service.sandbox.licensespring.settings import ProductSeed

View = dict[str, Any]
TheControl = NamedDependency[SkipValidation[Control]]


class ClockChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sets the time or moves it by seconds; `stopped` holds it there, `real` goes back to the real time."""

    now: datetime | None = None
    advance_seconds: float | None = None
    stopped: bool = False
    real: bool = False


class Activation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    hardware_id: str
    hostname: str = ""


class ControlRoutes(Controller):
    path = "/sandbox"

    @get("/")
    async def overview(self, control: TheControl) -> View:
        return control.overview()

    @get("/clock")
    async def read_clock(self, control: TheControl) -> View:
        return {"now": written(control.now), "stopped": control.company.clock.stopped}

    @post("/clock", status_code=200)
    async def change_clock(self, data: JSONBody[ClockChange], control: TheControl) -> View:
        clock = control.company.clock
        if data.real:
            clock.follow_real_time()
        if data.now is not None or data.stopped:
            clock.set(data.now or clock.now(), stopped=data.stopped)
        if data.advance_seconds is not None:
            control.advance(seconds=data.advance_seconds)
        return {"now": written(control.now), "stopped": clock.stopped}

    @get("/faults")
    async def list_faults(self, control: TheControl) -> list[PlacedFault]:
        return control.company.faults.placed()

    @post("/faults", status_code=201)
    async def place_fault(self, data: JSONBody[Fault], control: TheControl) -> PlacedFault:
        return control.company.faults.place(data)

    @delete("/faults", status_code=204)
    async def clear_faults(self, control: TheControl) -> None:
        control.clear_faults()

    @delete("/faults/{fault_id:int}", status_code=204)
    async def remove_fault(self, fault_id: FromPath[int], control: TheControl) -> None:
        if not control.company.faults.remove(fault_id):
            raise NotFoundException(f"There is no fault {fault_id}; it may be used up.")

    @get("/holdings")
    async def holdings(self, control: TheControl) -> View:
        return control.holdings()

    @get("/calls")
    async def list_calls(self, control: TheControl) -> View:
        return {"total": control.company.calls.total, "calls": msgspec.to_builtins(control.calls())}

    @delete("/calls", status_code=204)
    async def clear_calls(self, control: TheControl) -> None:
        control.company.calls.clear()

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

    @post("/reset", status_code=204)
    async def reset(self, control: TheControl) -> None:
        control.reset()


def not_understood(_request: object, error: HTTPException) -> Response[View]:
    """Says which field of a request to the control API is wrong."""
    extra = error.extra if isinstance(error.extra, list) else []
    told = [f"{entry.get('key', 'body')}: {entry['message']}" for entry in extra if "message" in entry]
    return Response({"detail": "; ".join(told) or error.detail}, status_code=error.status_code)


def lookup_failed(_request: object, error: NotThere) -> Response[View]:
    return Response({"detail": str(error)}, status_code=404)


def cannot_be_done(_request: object, error: ValueError) -> Response[View]:
    return Response({"detail": str(error)}, status_code=400)
