"""Who may use the API: bearer tokens, each with a role."""

import hmac
from collections.abc import Collection
from hashlib import sha256
from typing import Any, Literal

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler

from service.secrets import Secret

Role = Literal["viewer", "operator"]

OPERATOR_ONLY = {"role": "operator"}
"""`opt` of a route that changes something or shows personal data."""

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_CHALLENGE = {"www-authenticate": 'Bearer realm="tenure"'}


class Access:
    """Decides which requests may pass; the guard of every API route.

    With `open_to_all` no token is asked for, but only requests addressed to this machine by a loopback name pass,
    and no page from elsewhere in a local browser: it can neither reach the API under a name of its own nor send it
    anything.
    """

    def __init__(self, viewer: Collection[Secret], operator: Collection[Secret], *, open_to_all: bool = False) -> None:
        self._roles: list[tuple[bytes, Role]] = [
            *((_digest(token.reveal()), "viewer") for token in viewer),
            *((_digest(token.reveal()), "operator") for token in operator),
        ]
        self._open_to_all = open_to_all

    def role_of(self, token: str) -> Role | None:
        """The role a token carries; takes the same time whichever token matches."""
        digest, found = _digest(token), None
        for known, role in self._roles:
            if hmac.compare_digest(digest, known):
                found = role
        return found

    def guard(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Raises NotAuthorizedException (401) or PermissionDeniedException (403)."""
        if self._open_to_all:
            _check_local(connection.headers.get("host", ""))
            # Browsers name the page that sends something.
            _check_local(connection.headers.get("origin", "//localhost").partition("//")[2])
            return
        if not self._roles:
            remedy = "Set TENURE_VIEWER_TOKENS and TENURE_OPERATOR_TOKENS, or serve --no-auth."
            raise PermissionDeniedException(f"No API token is configured. {remedy}")
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        role = self.role_of(token.strip()) if scheme.lower() == "bearer" else None
        if role is None:
            raise NotAuthorizedException("Send a valid token: Authorization: Bearer TOKEN.", headers=_CHALLENGE)
        if handler.opt.get("role") == "operator" and role != "operator":
            raise PermissionDeniedException("This takes a token of role operator.")


def _check_local(host: str) -> None:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in _LOOPBACK_HOSTS:
        raise PermissionDeniedException("Without tokens the API answers on loopback names only.")


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
