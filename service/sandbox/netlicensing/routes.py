"""`/sandbox/`: the control API. It has no counterpart at NetLicensing, asks for no key and is meant for loopback."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, JSONBody, SkipValidation

from service.sandbox.netlicensing.control import Control, NotThere
from service.sandbox.netlicensing.errors import Refused
from service.sandbox.netlicensing.faults import Fault, PlacedFault
from service.sandbox.netlicensing.seeds import ProductSeed
from service.sandbox.netlicensing.store import Snapshot
from service.sandbox.netlicensing.values import written

View = dict[str, Any]
TheControl = NamedDependency[SkipValidation[Control]]


class ClockChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sets the time or moves it by seconds; `stopped` holds it there, `real` goes back to the real time."""

    now: datetime | None = None
    advance_seconds: float | None = None
    stopped: bool = False
    real: bool = False


class ControlRoutes(Controller):
    path = "/sandbox"

    @get("/")
    async def overview(self, control: TheControl) -> View:
        return control.overview()

    @get("/clock")
    async def read_clock(self, control: TheControl) -> View:
        return {"now": written(control.now), "stopped": control.account.clock.stopped}

    @post("/clock", status_code=200)
    async def change_clock(self, data: JSONBody[ClockChange], control: TheControl) -> View:
        clock = control.account.clock
        if data.real:
            clock.follow_real_time()
        if data.now is not None or data.stopped:
            clock.set(data.now or clock.now(), stopped=data.stopped)
        if data.advance_seconds is not None:
            control.advance(seconds=data.advance_seconds)
        return {"now": written(control.now), "stopped": clock.stopped}

    @get("/faults")
    async def list_faults(self, control: TheControl) -> list[PlacedFault]:
        return control.account.faults.placed()

    @post("/faults", status_code=201)
    async def place_fault(self, data: JSONBody[Fault], control: TheControl) -> PlacedFault:
        return control.account.faults.place(data)

    @delete("/faults", status_code=204)
    async def clear_faults(self, control: TheControl) -> None:
        control.clear_faults()

    @delete("/faults/{fault_id:int}", status_code=204)
    async def remove_fault(self, fault_id: FromPath[int], control: TheControl) -> None:
        if not control.account.faults.remove(fault_id):
            raise NotFoundException(f"There is no fault {fault_id}; it may be used up.")

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

    @get("/calls")
    async def list_calls(self, control: TheControl) -> View:
        return {"total": control.account.calls.total, "calls": msgspec.to_builtins(control.calls())}

    @delete("/calls", status_code=204)
    async def clear_calls(self, control: TheControl) -> None:
        control.account.calls.clear()

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


def refused(_request: object, error: Refused) -> Response[View]:
    return Response({"detail": error.text}, status_code=400)
