"""wallee's signatures, which are the same for PostFinance Checkout, VR Payment and the platform's other names.

`X-Signature: algorithm=SHA256withECDSA, keyId=<id>, signature=<base64>` (the form that wallee's own SDK 6.4.0 checks,
`webhook_encryption_keys_service.py`): the base64 is of an ECDSA signature in DER, made over the raw body with SHA-256.
Its public key, on the curve P-256, is found under `keyId`. Nothing in it tells the time, so what is sent twice is told
by the events' ids alone. A listener without signatures sends no header, and is refused: anybody could send the same.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from service.secrets import Secret
from service.sources import PUBLIC_KEY, Headers, NotAuthentic, Receiving, Reply

HEADER = "x-signature"
ALGORITHM = "SHA256withECDSA"
LONGEST_KEY = 1000
"""Characters of a public key's text; one on P-256 has 124."""

_FORM = re.compile(r"algorithm=([A-Za-z0-9]{1,64}), keyId=([a-z0-9-]{1,64}), signature=([A-Za-z0-9+/=]{1,200})")
_NO_FORM = (
    f"the {HEADER} header is not of the form algorithm=…, keyId=…, signature=…: switch on the payload signature of "
    "the webhook listener"
)


class Signature(NamedTuple):
    """What the header holds."""

    key_id: str
    signature: bytes


class _Body(Struct, frozen=True, rename="camel"):
    space_id: int


_BODY = msgspec.json.Decoder(_Body)


def key_id(headers: Headers) -> str:
    """The id of the public key that the header names: at most 64 letters, digits, hyphens. Raises NotAuthentic."""
    return _read(headers.get(HEADER, "")).key_id


def account_of(body: bytes) -> str:
    """The id of the space in which it happened. Raises NotAuthentic."""
    try:
        return str(_BODY.decode(body).space_id)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotAuthentic("the body does not say of which space it is") from None


def verify(headers: Headers, body: bytes, secrets: Sequence[Secret], now: datetime) -> None:  # noqa: ARG001
    """Passes when one of the public keys fits the signature. Raises NotAuthentic."""
    _check(headers, body, secrets)


def recheck(headers: Headers, body: bytes, secrets: Sequence[Secret]) -> None:
    """The same for a stored delivery, with the public key that is kept beside it where none is given.

    Raises NotAuthentic.
    """
    kept = headers.get(PUBLIC_KEY, "")
    _check(headers, body, secrets or ([Secret(kept)] if kept else []))


def public_key(text: str) -> EllipticCurvePublicKey:
    """The key of that text: base64 of DER, SubjectPublicKeyInfo. Raises ValueError for anything not on P-256."""
    if len(text) > LONGEST_KEY:
        raise ValueError("the public key is too long")
    try:
        key = load_der_public_key(b64decode(text, validate=True))
    # What is encoded may be a key of a kind that is not supported, which is no ValueError.
    except Exception:  # noqa: BLE001 - whatever it is, it is not such a key
        raise ValueError("the public key is not the base64 of one in DER") from None
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError("the public key is not one on the curve P-256")


def _check(headers: Headers, body: bytes, keys: Sequence[Secret]) -> None:
    signature = _read(headers.get(HEADER, "")).signature
    if not keys:
        raise NotAuthentic("there is no public key to check the signature with")
    if not any(_fits(key.reveal(), signature, body) for key in keys):
        raise NotAuthentic("the signature does not fit the body and its public key")


def _fits(key: str, signature: bytes, body: bytes) -> bool:
    try:
        public_key(key).verify(signature, body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(header: str) -> Signature:
    if not header:
        raise NotAuthentic(f"the {HEADER} header is missing: switch on the payload signature of the webhook listener")
    found = _FORM.fullmatch(header)
    if found is None:
        raise NotAuthentic(_NO_FORM)
    algorithm, named, text = found.groups()
    if algorithm != ALGORITHM:
        raise NotAuthentic(f"the {HEADER} header names another algorithm than {ALGORITHM}")
    try:
        signature = b64decode(text, validate=True)
    except ValueError:
        signature = b""
    # One signature has one text: base64 has others, whose spare bits are not zero.
    if b64encode(signature) != text.encode():
        raise NotAuthentic(f"the signature in the {HEADER} header is not base64")
    return Signature(named, signature)


def reply(event_ids: Sequence[str]) -> Reply:  # noqa: ARG001 - wallee looks at the status alone
    return Reply()


RECEIVING = Receiving(
    name="wallee",
    verify=verify,
    recheck=recheck,
    kept_headers=frozenset({HEADER}),
    reply=reply,
    key_id=key_id,
    account_of=account_of,
)
