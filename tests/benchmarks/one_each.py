"""What most services do with a webhook: check its signature, read it, store it in a transaction of its own, answer.

A process like `tenure serve`, with the same framework, server, event loop and table, and a pool of eight connections.
Run as `python -m tests.benchmarks.one_each DSN`.
"""

import gc
import hmac
import socket
import sys
from datetime import UTC, datetime
from hashlib import sha256
from time import time
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, post
from litestar.params import FromPath
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from tests.serving import SECRET

CONNECTIONS = 8

_INSERT = b"""
insert into event_of_one (partition, stream, event_id, item, type, origin, cause, occurred_at, received_at, headers,
                          content_type, body, digest)
values (%b, %b, %b, '', %b, 'webhook', '', %b, now(), %b::text::jsonb, 'application/json', %b, %b)
on conflict on constraint event_of_one_partition_stream_event_id_key do nothing
"""
TABLE = (
    b"create table event_of_one (like event including all)",
    b"alter table event_of_one alter position add generated always as identity",
)


class _Object(msgspec.Struct):
    id: str


class _Named(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: _Named


_DECODER = msgspec.json.Decoder(_Event)


def create_app(dsn: str) -> Litestar:
    pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
        dsn, min_size=CONNECTIONS, max_size=CONNECTIONS, open=False, kwargs={"prepare_threshold": 0}
    )

    @post("/webhooks/{source:str}")
    async def receive(request: Request[Any, Any, Any], source: FromPath[str]) -> Response[None]:
        body = await request.body()
        signature = request.headers.get("stripe-signature", "")
        if not _authentic(body, signature):
            return Response(None, status_code=401)
        event = _DECODER.decode(body)
        number = event.created % 1000
        headers = msgspec.json.encode({"stripe-signature": signature}).decode()
        stream, at = f"{source}/subscription/{number}", datetime.fromtimestamp(event.created, UTC)
        row = (number % 256, stream, event.id, event.type, at, headers, body, sha256(body).digest())
        async with pool.connection() as connection:
            await connection.execute(_INSERT, row, binary=True)
        return Response(None, status_code=200)

    return Litestar([receive], on_startup=[pool.open], on_shutdown=[pool.close], openapi_config=None)


def _authentic(body: bytes, signature: str) -> bool:
    fields = dict(part.split("=", 1) for part in signature.split(",") if "=" in part)
    seconds = fields.get("t", "0")
    expected = hmac.new(SECRET.encode(), seconds.encode() + b"." + body, "sha256").hexdigest()
    return hmac.compare_digest(expected, fields.get("v1", "")) and abs(time() - int(seconds)) < 300


def main(dsn: str) -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    app = create_app(dsn)
    gc.collect()
    gc.freeze()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, http="httptools", ws="none", log_level="warning", access_log=False)
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main(sys.argv[1])
