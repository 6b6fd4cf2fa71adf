"""`/sandbox/`: what every license server's sandbox lets people do from behind. It asks for no key: for loopback."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, JSONBody, SkipValidation

from service.sandbox.backdoor import Backdoor, NotThere
from service.sandbox.faults import Fault, PlacedFault

View = dict[str, Any]
TheBackdoor = NamedDependency[SkipValidation[Backdoor]]


class ClockChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sets the time or moves it by seconds; `stopped` holds it there, `real` goes back to the real time."""

    now: datetime | None = None
    advance_seconds: float | None = None
    stopped: bool = False
    real: bool = False


class BackdoorRoutes(Controller):
    path = "/sandbox"

    @get("/clock")
    async def read_clock(self, control: TheBackdoor) -> View:
        return {"now": written(control.now), "stopped": control.simulated.clock.stopped}

    @post("/clock", status_code=200)
    async def change_clock(self, data: JSONBody[ClockChange], control: TheBackdoor) -> View:
        clock = control.simulated.clock
        if data.real:
            clock.follow_real_time()
        if data.now is not None or data.stopped:
            clock.set(data.now or clock.now(), stopped=data.stopped)
        if data.advance_seconds is not None:
            control.advance(seconds=data.advance_seconds)
        return {"now": written(control.now), "stopped": clock.stopped}

    @get("/faults")
    async def list_faults(self, control: TheBackdoor) -> list[PlacedFault]:
        return control.simulated.faults.placed()

    @post("/faults", status_code=201)
    async def place_fault(self, data: JSONBody[Fault], control: TheBackdoor) -> PlacedFault:
        return control.simulated.faults.place(data)

    @delete("/faults", status_code=204)
    async def clear_faults(self, control: TheBackdoor) -> None:
        control.clear_faults()

    @delete("/faults/{fault_id:int}", status_code=204)
    async def remove_fault(self, fault_id: FromPath[int], control: TheBackdoor) -> None:
        if not control.simulated.faults.remove(fault_id):
            raise NotFoundException(f"There is no fault {fault_id}; it may be used up.")

    @get("/calls")
    async def list_calls(self, control: TheBackdoor) -> View:
        return {"total": control.simulated.calls.total, "calls": msgspec.to_builtins(control.calls())}

    @delete("/calls", status_code=204)
    async def clear_calls(self, control: TheBackdoor) -> None:
        control.simulated.calls.clear()

    @post("/reset", status_code=204)
    async def reset(self, control: TheBackdoor) -> None:
        control.reset()


def written(instant: datetime) -> str:
    """As the control API shows an instant: UTC, whole seconds, `Z`."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def not_understood(_request: object, error: HTTPException) -> Response[View]:
    """Says which field of a request to the control API is wrong."""
    extra = error.extra if isinstance(error.extra, list) else []
    told = [f"{entry.get('key', 'body')}: {entry['message']}" for entry in extra if "message" in entry]
    return Response({"detail": "; ".join(told) or error.detail}, status_code=error.status_code)


def lookup_failed(_request: object, error: NotThere) -> Response[View]:
    return Response({"detail": str(error)}, status_code=404)


def cannot_be_done(_request: object, error: ValueError) -> Response[View]:
    return Response({"detail": str(error)}, status_code=400)
