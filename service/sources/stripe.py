"""Stripe's signatures (docs.stripe.com/webhooks#verify-manually).

`Stripe-Signature: t=<Unix seconds>,v1=<hex>[,v1=<hex>][,v0=<hex>]`: one `v1` per secret that is live at Stripe, made
over the seconds, a dot and the raw body with HMAC-SHA256. `v0` marks test deliveries and proves nothing. Every
attempt is signed afresh, so a late retry is not an old one.
"""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from service.secrets import Secret
from service.sources import Headers, NotAuthentic, Receiving, Reply

HEADER = "stripe-signature"
TOLERANCE = 300
"""Seconds a signature may be old. As in Stripe's own libraries, one from the future is not refused."""
LONGEST_HEADER = 4096

_SECONDS = re.compile(r"[0-9]{1,15}")


class Signatures(NamedTuple):
    """What the header holds."""

    seconds: int
    candidates: list[bytes]


def verify(headers: Headers, body: bytes, secrets: Sequence[Secret], now: datetime) -> None:
    """Passes when one of the secrets made one of the `v1` signatures, no longer than TOLERANCE ago.

    Raises NotAuthentic.
    """
    signatures = _check(headers, body, secrets)
    if signatures.seconds < now.timestamp() - TOLERANCE:
        raise NotAuthentic(f"the signature is older than {TOLERANCE} s: check the clock of this machine")


def recheck(headers: Headers, body: bytes, secrets: Sequence[Secret]) -> None:
    """As `verify`, at whatever age. Raises NotAuthentic."""
    _check(headers, body, secrets)


def _check(headers: Headers, body: bytes, secrets: Sequence[Secret]) -> Signatures:
    keys = [secret.reveal().encode() for secret in secrets if secret.reveal()]
    if not keys:
        raise NotAuthentic("no signing secret is set for this source")
    signatures = _read(headers.get(HEADER, ""))
    signed = b"%d.%b" % (signatures.seconds, body)
    genuine = False
    for key in keys:
        expected = hmac.digest(key, signed, "sha256").hex().encode()
        for candidate in signatures.candidates:
            # No early end: the time taken must not tell which secret or signature came close.
            genuine |= hmac.compare_digest(expected, candidate)
    if not genuine:
        raise NotAuthentic("no v1 signature fits the body: check the endpoint's signing secret")
    return signatures


def _read(header: str) -> Signatures:
    """As Stripe's libraries do: cut at every comma and equals sign, the first `t` counts."""
    if not header:
        raise NotAuthentic(f"the {HEADER} header is missing")
    if len(header) > LONGEST_HEADER:
        raise NotAuthentic(f"the {HEADER} header is longer than {LONGEST_HEADER} characters")
    pairs = [part.split("=") for part in header.split(",")]
    times = [pair[1] for pair in pairs if pair[0] == "t" and len(pair) > 1]
    if not times or not _SECONDS.fullmatch(times[0]):
        raise NotAuthentic(f"the {HEADER} header has no time (t=<Unix seconds>)")
    candidates = [pair[1].encode(errors="replace") for pair in pairs if pair[0] == "v1" and len(pair) > 1]
    if not candidates:
        raise NotAuthentic(f"the {HEADER} header has no v1 signature")
    return Signatures(int(times[0]), candidates)


def reply(event_ids: Sequence[str]) -> Reply:  # noqa: ARG001 - Stripe looks at the status alone
    return Reply()


RECEIVING = Receiving(name="stripe", verify=verify, recheck=recheck, kept_headers=frozenset({HEADER}), reply=reply)
