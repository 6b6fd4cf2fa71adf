"""Who may do what: HTTP Basic with a vendor's login or with `apiKey`, and the roles of keys."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import get_args

from service.sandbox.netlicensing.settings import Role, SandboxSettings

KEY_USER = "apiKey"
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most; each may do what those before it may."""

WRITES: Mapping[str, Role] = {
    "licensee": "ROLE_APIKEY_OPERATION",
    "license": "ROLE_APIKEY_OPERATION",
    "product": "ROLE_APIKEY_MAINTENANCE",
    "productmodule": "ROLE_APIKEY_MAINTENANCE",
    "licensetemplate": "ROLE_APIKEY_MAINTENANCE",
    "bundle": "ROLE_APIKEY_MAINTENANCE",
}
ACTS: Mapping[str, Role] = {
    "validate": "ROLE_APIKEY_LICENSEE",
    "transfer": "ROLE_APIKEY_LICENSEE",
    "obtain": "ROLE_APIKEY_OPERATION",
}


def role_of(settings: SandboxSettings, authorization: str) -> Role | None:
    """The role of who asks (a login has the highest), or None for nobody we know.

    Takes as long for a near miss as for a far one.
    """
    scheme, _, sent = authorization.partition(" ")
    try:
        login = base64.b64decode(sent, validate=True)
    except binascii.Error:
        return None
    if scheme.lower() != "basic":
        return None
    if _is_any(login, [f"{KEY_USER}:{key}" for key in settings.api_keys]):
        return settings.api_key_role
    return "ROLE_APIKEY_ADMIN" if _is_any(login, settings.logins) else None


def _is_any(login: bytes, known: Sequence[str]) -> bool:
    equal = [hmac.compare_digest(one.encode(), login) for one in known]
    return any(equal)


def allows(role: Role, method: str, segments: tuple[str, ...]) -> bool:
    """Whether the role may do this at `segments`, the path below the base URL."""
    if segments[:1] == ("utility",):
        return True
    if len(segments) == 3:
        needed: Role = ACTS.get(segments[2], "ROLE_APIKEY_ADMIN")
    elif method == "GET":
        needed = "ROLE_APIKEY_ANALYTICS"
    else:
        needed = WRITES.get(segments[0] if segments else "", "ROLE_APIKEY_ADMIN")
    return ROLES.index(role) >= ROLES.index(needed)
