"""Calls over kept connections, against servers that behave as badly as a test wants."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from projections.http import open_http
from projections.http.connection import LONGEST_HEAD, MOST_BUFFERED
from projections.http.reaching import first_of
from tests.integration.raw_http import listening

pytestmark = pytest.mark.anyio

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers in turn, over whatever connections come, and says over which each request came."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}/api/"
        self.connections: list[int] = []
        self.heads: list[bytes] = []


@asynccontextmanager
async def server(*answers: bytes | Answer) -> AsyncIterator[Server]:
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
async def client(base: str, *, timeout: float = 5.0, connections: int = 5) -> AsyncIterator[httpx2.AsyncClient]:
    async with open_http(base, timeout=timeout, connections=connections) as http:
        yield http


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with server(WHOLE, WHOLE, WHOLE) as at, client(at.base) as http:
        for _ in range(3):
            assert (await http.get("x")).text == "ok"
        assert at.connections == [1, 1, 1]


async def test_header_names_keep_their_case_and_the_path_its_escapes() -> None:
    async with server(WHOLE) as at, client(at.base) as http:
        await http.get("a%2Fb", params={"q": "1 2"}, headers={"X-Signed-By": "me"})
        assert at.heads[0].startswith(b"GET /api/a%2Fb?q=1+2 HTTP/1.1\r\nHost: 127.0.0.1:")
        assert b"\r\nX-Signed-By: me\r\n" in at.heads[0]


async def closing(writer: asyncio.StreamWriter) -> None:
    writer.write(WHOLE)
    writer.close()
    await writer.wait_closed()


async def saying_more(writer: asyncio.StreamWriter) -> None:
    writer.write(WHOLE + b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        closing,
        saying_more,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_that_ended_or_is_not_to_be_kept_is_not_used_again(answer: bytes | Answer) -> None:
    async with server(answer, WHOLE) as at, client(at.base) as http:
        assert (await http.get("x")).text == "ok"
        assert (await http.post("x")).text == "ok"
        assert at.connections == [1, 2]


async def test_a_connection_is_not_used_again_though_the_loop_had_no_time_to_hear_that_it_ended() -> None:
    def answer_twice() -> None:
        for _ in range(2):
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(65536)
                accepted.sendall(WHOLE)
                answered.wait()
            ended.set()

    answered, ended = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer_twice)
        answering.start()
        async with client(f"http://127.0.0.1:{listener.getsockname()[1]}/") as http:
            assert (await http.get("x")).text == "ok"
            answered.set()
            ended.wait()
            assert (await http.post("x")).text == "ok"
        answering.join()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", "ok"),
        (b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + WHOLE, "ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", ""),
    ],
)
async def test_every_form_of_an_answer_is_read_to_its_end_and_the_connection_kept(answer: bytes, body: str) -> None:
    async with server(answer, WHOLE) as at, client(at.base) as http:
        first = await http.get("x")
        assert (first.text, "X" in first.headers) == (body, False)
        assert (await http.get("x")).text == "ok"
        assert at.connections == [1, 1]


async def test_an_answer_without_length_ends_with_the_connection() -> None:
    async def until_closed(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\no")
        await writer.drain()
        writer.write(b"k")
        writer.close()

    async with server(until_closed, WHOLE) as at, client(at.base) as http:
        assert (await http.get("x")).text == "ok"
        assert (await http.get("x")).text == "ok"
        assert at.connections == [1, 2]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx2.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", httpx2.ReadTimeout),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n", httpx2.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", httpx2.RemoteProtocolError),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            httpx2.RemoteProtocolError,
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * LONGEST_HEAD, httpx2.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\n", httpx2.ReadTimeout),
    ],
)
async def test_an_answer_that_cannot_be_understood_fails_after_it_was_sent_and_frees_the_connection(
    answer: bytes, error: type[Exception]
) -> None:
    async with server(answer, WHOLE) as at, client(at.base, timeout=0.2, connections=1) as http:
        with pytest.raises(error):
            await http.post("x", content=b"")
        assert (await http.get("x")).text == "ok"
        assert at.connections == [1, 2]


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"])
async def test_who_gives_up_waiting_leaves_the_connection_to_nobody_and_its_place_to_the_next(begun: bytes) -> None:
    asked = asyncio.Event()

    async def stay_silent(writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        asked.set()

    async with server(stay_silent, WHOLE) as at, client(at.base, connections=1) as http:
        waiting = asyncio.create_task(http.get("x"))
        await asked.wait()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        assert (await http.get("x")).text == "ok"
        assert at.connections == [1, 2]


async def test_a_server_has_to_wait_for_who_does_not_read() -> None:
    size, flowing = 64 * MOST_BUFFERED, asyncio.Event()

    async def much(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(64):
            writer.write(b"x" * MOST_BUFFERED)
            await writer.drain()
        flowing.set()

    async with server(much) as at, client(at.base) as http, http.stream("GET", "x") as answer:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(flowing.wait(), 0.3)
        read = 0
        async for chunk in answer.aiter_raw():
            assert len(chunk) < 4 * MOST_BUFFERED
            read += len(chunk)
        assert read == size


async def pieces() -> AsyncIterator[bytes]:
    yield b"x"


@pytest.mark.parametrize(
    ("url", "more", "error"),
    [
        ("x", {"content": pieces()}, httpx2.LocalProtocolError),
        ("x", {"headers": {"Authorization": "key\r\nX-Other: 1"}}, httpx2.LocalProtocolError),
        ("ftp://127.0.0.1/x", {}, httpx2.UnsupportedProtocol),
    ],
)
async def test_what_cannot_be_sent_safely_in_one_piece_is_not_sent(
    url: str, more: dict[str, Any], error: type[Exception]
) -> None:
    async with server() as at, client(at.base) as http:
        with pytest.raises(error):
            await http.post(url, **more)
        assert at.heads == []


async def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(WHOLE) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base)
        monkeypatch.setenv("no_proxy", "")
        async with client("http://shop.invalid/") as http:
            assert (await http.get("x")).text == "ok"
        assert proxy.heads[0].startswith(b"GET http://shop.invalid/x HTTP/1.1\r\n")


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_an_address_that_refuses_leaves_the_turn_to_the_next_and_the_last_one_says_why(closed_port: int) -> None:
    def address(port: int) -> tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]:
        return socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)

    async with server() as at:
        port = httpx2.URL(at.base).port or 0
        reached = await first_of([address(closed_port), address(port)])
        with reached:
            assert reached.getpeername()[1] == port
    with pytest.raises(ConnectionRefusedError):
        await first_of([address(closed_port), address(closed_port)])


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
            with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
                await http.get("x")
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        async with client(f"https://localhost:{port}/") as http:
            with pytest.raises(httpx2.ConnectError, match="not valid for 'localhost'"):
                await http.get("x")
        async with client(f"https://127.0.0.1:{port}/") as http:
            for _ in range(2):
                assert (await http.post("x", content=b"")).text == "ok"
