"""`tenure sandbox wallee` lives a life before a receiver, and serves the API that its webhooks point to."""

import json
import socket
from functools import partial

import pytest
from anyio import to_thread

from service.commands.failures import CommandFailed
from service.commands.sandbox import send_wallee_life
from service.sandbox.serving import serving
from service.sandbox.wallee import DEFAULT_KEY

pytestmark = pytest.mark.anyio

live = partial(send_wallee_life, port=0, key=DEFAULT_KEY, space_id=405, once=True, patience=0.01)


class Receiver:
    """Takes every webhook and notes its states."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.signed = 0

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        fields = json.loads((await receive())["body"])
        self.told.append((fields["listenerEntityTechnicalName"], fields["state"]))
        self.signed += any(name == b"x-signature" for name, _ in scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def test_a_life_is_sent_signed_and_ends_about_now(capsys: pytest.CaptureFixture[str]) -> None:
    receiver = Receiver()
    async with serving(receiver) as url:
        await to_thread.run_sync(live, "never_began", f"{url}/webhooks/acme")
    listens, accepted, subscription = capsys.readouterr().out.splitlines()
    assert "/api/v2.0, space 405" in listens
    assert accepted == f"{len(receiver.told)} deliveries accepted"
    assert subscription.isdecimal()
    assert receiver.signed == len(receiver.told)
    assert receiver.told[-1] == ("Subscription", "FAILED")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"life": "no-such-life"}, "suspended_until_paid"), ({"key": "a key"}, "USER:KEY"), ({"key": "1:?"}, "USER:KEY")],
)
async def test_what_is_wrong_is_answered_with_what_is_right(wrong: dict[str, str], told: str) -> None:
    life = wrong.pop("life", "renewed")
    with pytest.raises(CommandFailed, match=told):
        live(life, "http://127.0.0.1:9/webhooks/x", **wrong)  # type: ignore[arg-type]


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandFailed, match=f"cannot listen on port {port}"):
            live("renewed", "http://127.0.0.1:9/webhooks/x", port=port)
