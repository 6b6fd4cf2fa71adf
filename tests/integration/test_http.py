"""Requests over kept connections, against servers that behave as badly as a test wants."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from projections.http import Answer, Headers, Lost, NotSent, Params, url_of
from projections.http.client import Client, open_http
from tests.integration.raw_http import listening

pytestmark = pytest.mark.anyio

Act = Callable[[asyncio.StreamWriter], Awaitable[None]]
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LIMIT = 1000


class Server:
    """Answers in turn, over whatever connections come, and says over which each request came."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}/api"
        self.connections: list[int] = []
        self.heads: list[bytes] = []


@asynccontextmanager
async def server(*answers: bytes | Act) -> AsyncIterator[Server]:
    """Answers each request with the next of these; an empty one ends the connection."""
    numbers, left = count(1), list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(numbers)
        while left:
            head = await reader.readuntil(b"\r\n\r\n")
            served.heads.append(head)
            served.connections.append(number)
            answer = left.pop(0)
            if not isinstance(answer, bytes):
                await answer(writer)
                continue
            if not answer:
                return
            writer.write(answer)

    async with listening(serve) as port:
        served = Server(port)
        yield served


@asynccontextmanager
async def client(base: str, *, timeout: float = 5.0, connections: int = 5) -> AsyncIterator[Client]:
    async with open_http(base, timeout=timeout, connections=connections) as http:
        yield http


async def asked(
    http: Client, method: str = "GET", path: str = "x", params: Params = (), headers: dict[str, str] | None = None
) -> Answer:
    url = url_of(http, path, params)
    return await http.send(method, url, headers=Headers(headers or {}), content=None, limit=LIMIT, deadline=10)


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with server(WHOLE, WHOLE, WHOLE) as at, client(at.base) as http:
        for _ in range(3):
            assert await asked(http) == Answer(status=200, body=b"ok")
        assert at.connections == [1, 1, 1]


async def test_header_names_keep_their_case_and_the_path_its_escapes() -> None:
    async with server(WHOLE) as at, client(at.base) as http:
        await asked(http, path="/a%2Fb c", params=[("q", "1 2&é")], headers={"X-Signed-By": "me"})
        assert at.heads[0].startswith(b"GET /api/a%2Fb%20c?q=1+2%26%C3%A9 HTTP/1.1\r\nHost: 127.0.0.1:")
        assert b"\r\nX-Signed-By: me\r\n" in at.heads[0]
        assert b"\r\nUser-Agent: Tenure\r\n" in at.heads[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        WHOLE + b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_a_connection_that_ended_or_is_not_to_be_kept_is_not_used_again(answer: bytes) -> None:
    async with server(answer, WHOLE) as at, client(at.base) as http:
        assert (await asked(http)).body == b"ok"
        assert (await asked(http, "POST")).body == b"ok"
        assert at.connections == [1, 2]


async def test_an_answer_that_nobody_asked_for_is_not_that_to_the_next_request() -> None:
    kept: list[asyncio.StreamWriter] = []

    async def keep(writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE)
        kept.append(writer)

    async with server(keep, WHOLE) as at, client(at.base) as http:
        await asked(http)
        kept[0].write(b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nbad")
        await kept[0].drain()
        for _ in range(20):  # turns of the loop, in which the other end takes it
            await asyncio.sleep(0)
        assert await asked(http, "POST") == Answer(status=200, body=b"ok")
        assert at.connections == [1, 2]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", b"ok"),
        (b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + WHOLE, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", b""),
    ],
)
async def test_every_form_of_an_answer_is_read_to_its_end_and_the_connection_kept(answer: bytes, body: bytes) -> None:
    async with server(answer, WHOLE) as at, client(at.base) as http:
        assert (await asked(http)).body == body
        assert (await asked(http)).body == b"ok"
        assert at.connections == [1, 1]


async def test_an_answer_without_length_ends_with_the_connection() -> None:
    async def until_closed(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\no")
        await writer.drain()
        writer.write(b"k")
        writer.close()

    async with server(until_closed, WHOLE) as at, client(at.base) as http:
        assert await asked(http) == Answer(status=200, body=b"ok")
        assert (await asked(http)).body == b"ok"
        assert at.connections == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64 * 1024,
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n",
        b"220 mail.example.org ESMTP\r\n",
    ],
)
async def test_an_answer_that_cannot_be_understood_is_lost_and_frees_the_connection(answer: bytes) -> None:
    async with server(answer, WHOLE) as at, client(at.base, timeout=0.2, connections=1) as http:
        with pytest.raises(Lost) as lost:
            await asked(http, "POST", params=[("email", "ann@example.com")])
        assert "ann" not in str(lost.value)
        assert (await asked(http)).body == b"ok"
        assert at.connections == [1, 2]


@pytest.mark.parametrize(("end", "why"), [(b"5\r\nk", "SocketTimeoutError"), (b"", "SocketTimeoutError")])
async def test_of_an_answer_that_breaks_off_there_is_what_came(end: bytes, why: str) -> None:
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n"
    async with server(begun + end, WHOLE) as at, client(at.base, timeout=0.2, connections=1) as http:
        answer = await asked(http)
        assert (answer.status, answer.body[:1], answer.is_cut, answer.broken) == (200, b"o", False, why)
        assert (await asked(http)).body == b"ok"


async def test_of_an_answer_that_is_too_long_no_more_is_read_than_was_asked_for() -> None:
    async def much(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                await writer.drain()

    async with server(much, WHOLE) as at, client(at.base, connections=1) as http:
        answer = await asked(http)
        assert (answer.body, answer.is_cut) == (b"x" * LIMIT, True)
        assert (await asked(http)).body == b"ok"
        assert at.connections == [1, 2]


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"])
async def test_who_gives_up_waiting_leaves_the_connection_to_nobody_and_its_place_to_the_next(begun: bytes) -> None:
    came = asyncio.Event()

    async def stay_silent(writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        came.set()

    async with server(stay_silent, WHOLE) as at, client(at.base, connections=1) as http:
        waiting = asyncio.create_task(asked(http))
        await came.wait()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        assert (await asked(http)).body == b"ok"
        assert at.connections == [1, 2]


async def test_a_whole_exchange_is_bounded_however_often_something_comes() -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"X: 1\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)

    async with server(trickle) as at, client(at.base) as http:
        with pytest.raises(Lost, match="TimeoutError"):
            await http.send("GET", url_of(http, "x"), headers=Headers(), content=None, limit=1, deadline=0.1)


async def test_a_header_with_a_line_break_is_not_sent() -> None:
    async with server() as at, client(at.base) as http:
        with pytest.raises(NotSent):
            await asked(http, "POST", headers={"Authorization": "key\r\nX-Other: 1"})
        assert at.heads == []


async def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        async with client(f"http://127.0.0.1:{held.getsockname()[1]}/") as http:
            with pytest.raises(NotSent, match="ClientConnectorError"):
                await asked(http, "POST")


async def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(WHOLE) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base)
        monkeypatch.setenv("no_proxy", "")
        async with client("http://shop.invalid/") as http:
            assert (await asked(http)).body == b"ok"
        assert proxy.heads[0].startswith(b"GET http://shop.invalid/x HTTP/1.1\r\n")


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """The file of a certificate for 127.0.0.1, and a server's context with it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return file, context


async def test_tls_is_spoken_with_servers_whose_certificate_is_trusted_and_names_them_and_with_no_others(
    tls: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(WHOLE)

    file, context = tls
    async with listening(serve, tls=context) as port:
        async with client(f"https://127.0.0.1:{port}/") as http:
            with pytest.raises(NotSent, match="certificate verify failed"):
                await asked(http)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        async with client(f"https://localhost:{port}/") as http:
            with pytest.raises(NotSent, match="not valid for 'localhost'"):
                await asked(http)
        async with client(f"https://127.0.0.1:{port}/") as http:
            for _ in range(2):
                assert (await asked(http, "POST")).body == b"ok"
