"""The token that every request to version 2.0 of the API carries: a JWT over that request alone."""

import hmac
from base64 import b64decode, urlsafe_b64decode
from binascii import Error as NotBase64
from typing import Any, NamedTuple

import msgspec

TOLERANCE = 600
"""How many seconds a token may be old, or ahead. By inference: none is told."""


class Credentials(NamedTuple):
    """An application user's number and authentication key (Base64)."""

    user: int
    key: str

    @classmethod
    def read(cls, text: str) -> "Credentials":
        """From `{user}:{key}`. Raises ValueError."""
        user, _, key = text.partition(":")
        b64decode(key, validate=True)
        return cls(int(user), key)


def refusal(authorization: str, credentials: Credentials, *, path: str, method: str, now: float) -> str | None:
    """Why the header does not admit the request, or None; `path` is as sent, with the query."""
    scheme, _, token = authorization.partition(" ")
    parts = token.split(".")
    if scheme != "Bearer" or len(parts) != 3:
        return "there is no bearer token of three parts"
    try:
        head, claims, signature = _json(parts[0]), _json(parts[1]), _decoded(parts[2])
    except (ValueError, NotBase64):
        return "the token is not readable"
    if (head.get("alg"), head.get("typ"), head.get("ver")) != ("HS256", "JWT", 1):
        return "the token's header is not HS256, JWT and version 1"
    signed = hmac.digest(b64decode(credentials.key), f"{parts[0]}.{parts[1]}".encode(), "sha256")
    if not hmac.compare_digest(signed, signature):
        return "the token's signature is wrong"
    if claims.get("sub") != credentials.user:
        return "there is no such application user"
    if claims.get("requestMethod") != method or claims.get("requestPath") != path:
        return "the token is for another request"
    issued = claims.get("iat")
    if not isinstance(issued, int) or abs(now - issued) > TOLERANCE:
        return "the token is of another time"
    return None


def _json(part: str) -> dict[str, Any]:
    return msgspec.json.decode(_decoded(part), type=dict[str, Any])


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
