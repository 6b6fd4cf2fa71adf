"""wallee's side, for tests: a key pair of our own making, and a small API over real HTTP that checks who asks."""

import asyncio
import hmac
import time
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.integration.raw_http import Request, listening

SPACE = "405"
USER = "512"
AUTHENTICATION_KEY = b64encode(b"an authentication key of 32 byte").decode()
API_KEY = f"{USER}:{AUTHENTICATION_KEY}"
KEY_ID = "0b5d1c1e-7f5a-4c0e-9d53-2f0f6a1f6c11"
PATH = "/api/v2.0"


class Signer:
    """A pair of keys on a curve, P-256 where no other is named."""

    def __init__(self, curve: ec.EllipticCurve | None = None) -> None:
        self._private = ec.generate_private_key(curve or ec.SECP256R1())
        der = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public = b64encode(der).decode()

    def sign(self, body: bytes) -> str:
        return b64encode(self._private.sign(body, ec.ECDSA(SHA256()))).decode()

    def headers(self, body: bytes, key_id: str = KEY_ID) -> dict[str, str]:
        """As wallee sends them with that body."""
        signature = f"algorithm=SHA256withECDSA, keyId={key_id}, signature={self.sign(body)}"
        return {"content-type": "application/json", "x-signature": signature}


def webhook(event_id: int = 35, *, space: int = int(SPACE), **more: Any) -> bytes:
    """What wallee posts when a subscription becomes active."""
    body = {
        "entityId": 7,
        "eventId": event_id,
        "listenerEntityId": 1,
        "listenerEntityTechnicalName": "Subscription",
        "spaceId": space,
        "state": "ACTIVE",
        "timestamp": "2026-02-02T10:00:00+0000",
        "webhookListenerId": 2,
    }
    return msgspec.json.encode({**body, **more})


class Platform:
    """Answers what it was given to answer; while it is `failing`, everything with that status, body and headers.

    In the body, `{authorization}` is what the request was sent with.

    `answers` are by path and query behind `/api/v2.0/`, as read by a person. A list that was not given is empty, and
    anything else is not found. While `gate` is closed nothing is answered. `requests` holds what was asked.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, bytes] = {}
        self.failing: tuple[int, bytes, str] | None = None
        self.requests: list[Request] = []
        self.gate, self.reached = asyncio.Event(), asyncio.Event()
        self.gate.set()

    def has(self, path: str, answer: object) -> None:
        self.answers[path] = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)

    def has_key(self, signer: Signer, key_id: str = KEY_ID) -> None:
        self.has(f"webhooks/encryption-keys/{key_id}", signer.public.encode())

    @property
    def asked(self) -> list[str]:
        """What was asked, as the names of `answers`."""
        return [_name(_target(request)) for request in self.requests]

    async def respond(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.requests.append(request)
        self.reached.set()
        await self.gate.wait()
        status, body, headers = self._answer(request)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    def _answer(self, request: Request) -> tuple[int, bytes, str]:
        if self.failing is not None:
            status, body, headers = self.failing
            return status, body.replace(b"{authorization}", request.headers["authorization"].encode()), headers
        if why := refused(request):
            return 401, failure("unauthorized", why), ""
        name = _name(_target(request))
        if name in self.answers:
            return 200, self.answers[name], ""
        if "/search?" in name:
            return 200, msgspec.json.encode({"data": [], "hasMore": False, "limit": 100, "offset": 0}), ""
        return 404, failure("not_found", "The entity does not exist."), ""


def failure(code: str, message: str) -> bytes:
    """An error as wallee's API tells it."""
    return msgspec.json.encode({"id": "e-1", "code": code, "message": message, "date": "2026-02-02T10:00:00Z"})


def refused(request: Request) -> str:
    """Why that request does not prove who asks; empty when it does. Shares no code with the client."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    signed, _, signature = token.rpartition(".")
    if scheme != "Bearer" or hmac.digest(b64decode(AUTHENTICATION_KEY), signed.encode(), "sha256") != _bytes(signature):
        return "The token is not signed with the authentication key."
    head, claims = (msgspec.json.decode(_bytes(part)) for part in signed.split("."))
    method, target, _ = request.line.split(" ")
    expected = {"sub": int(USER), "requestPath": target, "requestMethod": method, "iat": claims["iat"]}
    if head != {"alg": "HS256", "typ": "JWT", "ver": 1} or claims != expected:
        return "The token is of another request."
    return "" if abs(time.time() - claims["iat"]) < 60 else "The token is old."


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """The API on a free port."""
    served = Platform()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *headers = head.strip().split("\r\n")
        fields = {name.lower(): value for name, value in (header.split(": ", 1) for header in headers)}
        await served.respond(Request(line, fields, b""), writer)

    async with listening(serve) as port:
        served.url = f"http://127.0.0.1:{port}"
        try:
            yield served
        finally:
            served.gate.set()


def _target(request: Request) -> str:
    return request.line.split(" ")[1]


def _name(target: str) -> str:
    return unquote(target.removeprefix(f"{PATH}/"))


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def token_of(claims: dict[str, Any], secret: bytes) -> str:
    """A token by the standard (RFC 7515, 7519), made without any library of tokens."""
    parts = [msgspec.json.encode(each) for each in ({"alg": "HS256", "typ": "JWT", "ver": 1}, claims)]
    signed = b".".join(urlsafe_b64encode(each).rstrip(b"=") for each in parts)
    return (signed + b"." + urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")).decode()
