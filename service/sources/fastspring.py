"""FastSpring's signatures (developer.fastspring.com/docs/message-security).

`X-FS-Signature` is the base64 of an HMAC-SHA256 over the raw body, with the webhook's secret as the key. Nothing in it
tells the time, so what is sent twice is told by the events' ids alone. A webhook without a secret sends no signature,
and is refused: anybody could send the same.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime

from service.secrets import Secret
from service.sources import Headers, NotAuthentic, Receiving, Reply

HEADER = "x-fs-signature"
_BYTES = 32


def verify(headers: Headers, body: bytes, secrets: Sequence[Secret], now: datetime) -> None:  # noqa: ARG001
    """Passes when one of the secrets made the signature. Raises NotAuthentic."""
    recheck(headers, body, secrets)


def recheck(headers: Headers, body: bytes, secrets: Sequence[Secret]) -> None:
    """The same for a stored delivery: a signature does not age. Raises NotAuthentic."""
    keys = [secret.reveal().encode() for secret in secrets if secret.reveal()]
    if not keys:
        raise NotAuthentic("no signing secret is set for this source")
    candidate = _read(headers.get(HEADER, ""))
    genuine = False
    for key in keys:
        # No early end: the time taken must not tell which secret came close.
        genuine |= hmac.compare_digest(hmac.digest(key, body, "sha256"), candidate)
    if not genuine:
        raise NotAuthentic("the signature does not fit the body: check the webhook's HMAC secret")


def _read(header: str) -> bytes:
    if not header:
        raise NotAuthentic(f"the {HEADER} header is missing: set an HMAC secret for the webhook")
    try:
        signature = b64decode(header, validate=True)
    except ValueError:
        signature = b""
    # One signature has one text: base64 has others, whose spare bits are not zero.
    if len(signature) != _BYTES or b64encode(signature) != header.encode():
        raise NotAuthentic(f"the {HEADER} header is not the base64 of 32 bytes")
    return signature


def reply(event_ids: Sequence[str]) -> Reply:  # noqa: ARG001 - 200 stands for every event of the delivery
    return Reply()


def partial_reply(event_ids: Sequence[str]) -> Reply:
    """The ids of the events that were taken, one a line; FastSpring sends the others again."""
    return Reply(status=202, body="\n".join(event_ids).encode(), content_type="text/plain; charset=utf-8")


RECEIVING = Receiving(
    name="fastspring",
    verify=verify,
    recheck=recheck,
    kept_headers=frozenset({HEADER}),
    reply=reply,
    partial_reply=partial_reply,
)
