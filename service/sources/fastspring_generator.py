"""FastSpring's license generator, the "remote server request" of a product's fulfillment.

A form (`application/x-www-form-urlencoded`, UTF-8) that FastSpring posts during the checkout. Its
`security_request_hash` is the MD5, in hex, of all other values, joined in ordinal order of their names, and the private
key of the fulfillment behind them (gist.github.com/Jolg42, github.com/Labs64/NetLicensing-Gateway, FastSpring.java).
MD5 is FastSpring's choice; the private key at the end keeps a forger from finding a hash, but nothing separates the
values, so only TLS keeps a request from being read and bent.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from hashlib import md5
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from domain.licensing.fields import LONGEST_NAME
from service.secrets import Secret
from service.sources import Generating, KeyRequest, NotAuthentic, Reply, Unusable

MEDIA_TYPE = "application/x-www-form-urlencoded"
HASH = "security_request_hash"
MOST_FIELDS = 200
MOST_KEYS = 1000
"""FastSpring ends a call that takes long, and a checkout with it."""

_TRUE = frozenset({"1", "true", "yes"})
_REFERENCE = re.compile(r"[^\s\x00-\x1f\x7f]{1,120}")
_REBILL = re.compile(r"[0-9]B$")
"""How the reference of an order ends that renews a subscription."""
_SUBSCRIPTION = re.compile(r"S[0-9]*$")
"""What a subscription's reference adds to that of the order it began with."""
_PRODUCT = re.compile(r"[^\x00-\x1f\x7f]{1,120}")
_QUANTITY = re.compile(r"[0-9]{1,9}")
_LICENSEE = re.compile(r"[^\s\x00-\x1f\x7f]{1,120}")
LICENSEE = "licenseeNumber"
"""The parameter, or the tag of the order, by which a purchase names the licensee of an earlier one."""
_CODES = ("productNumber", "product_short_code")
"""Parameters that tell the license server's name of the product: the NetLicensing Gateway's, and LicenseSpring's."""


def read(content_type: str, body: bytes, keys: Sequence[Secret]) -> KeyRequest:
    """What FastSpring asks for, if one of the private keys made its hash. Raises NotAuthentic and Unusable."""
    form = parse(content_type, body)
    verify(form, keys)
    return asked(form)


def parse(content_type: str, body: bytes) -> dict[str, str]:
    """The form's fields; blank ones are kept, since the hash covers them. Raises Unusable."""
    if content_type and content_type.split(";", 1)[0].strip().lower() != MEDIA_TYPE:
        raise Unusable(415, f"Send a form of the type {MEDIA_TYPE}: choose HTTP POST in the fulfillment.")
    try:
        text = body.decode()
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise Unusable(400, "The form is not UTF-8: choose UTF-8 as the encoding in the fulfillment.") from None
    except ValueError:
        raise Unusable(400, f"The form has more than {MOST_FIELDS} fields: remove parameters.") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise Unusable(400, "The form holds a name twice: give each parameter in the fulfillment a name of its own.")
    return form


def verify(form: Mapping[str, str], keys: Sequence[Secret]) -> None:
    """Passes when one of the private keys made the hash. Raises NotAuthentic."""
    live = [key.reveal() for key in keys if key.reveal()]
    if not live:
        raise NotAuthentic("no private key of the license generator is set for this source")
    given = form.get(HASH, "").lower().encode()
    if not given:
        raise NotAuthentic(f"{HASH} is missing")
    joined = "".join(form[name] for name in sorted(form) if name != HASH)
    genuine = False
    # PHP of old escaped what a form held, so some senders hash the text without its backslashes.
    for signed in (joined, joined.replace("\\", "")):
        for key in live:
            expected = md5(f"{signed}{key}".encode(), usedforsecurity=False).hexdigest().encode()
            # No early end: the time taken must not tell which key came close.
            genuine |= hmac.compare_digest(expected, given)
    if not genuine:
        raise NotAuthentic(f"{HASH} does not fit: check the private key and that the URL has no parameters")


def asked(form: Mapping[str, str]) -> KeyRequest:
    """What the fields say, those set in the fulfillment among them. Raises Unusable."""
    reference = _first_order(form)
    if not _REFERENCE.fullmatch(reference):
        raise Unusable(422, "The form has no reference of 1 to 120 characters without blanks.")
    # The vendor's own word counts: FastSpring's may be a name for people, and orders name the path.
    product = (form.get("product", "").strip() or form.get("internalProductName", "")).strip()
    if not _PRODUCT.fullmatch(product):
        raise Unusable(
            422,
            "The form has neither product nor internalProductName of 1 to 120 characters: give the fulfillment the "
            "parameter product = the product's path.",
        )
    for name, value in (("reference", reference), ("product", product)):
        if len(value.encode()) > LONGEST_NAME:
            raise Unusable(422, f"The {name} has more than {LONGEST_NAME} bytes of UTF-8: shorten it.")
    return KeyRequest(
        reference=reference,
        product=product,
        count=_count(form),
        test=_is_true(form, "test"),
        target=form.get("target", "").strip(),
        licensee=_licensee(form),
        email=form.get("email", "").strip(),
        product_code=next(filter(None, (form.get(name, "").strip() for name in _CODES)), ""),
    )


def _licensee(form: Mapping[str, str]) -> str:
    """What the vendor's parameter says, else the tag of the order; a buyer's nonsense must not fail a checkout."""
    told = form.get(LICENSEE, "").strip()
    if not told:
        try:
            tags = msgspec.json.decode(form.get("tags", ""), type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            return ""
        told = str(tags.get(LICENSEE) or "").strip()
    return told if _LICENSEE.fullmatch(told) else ""


def _first_order(form: Mapping[str, str]) -> str:
    """The order's own reference; that of a renewal is derived from its subscription's, as only that leads back."""
    own, subscription = form.get("reference", "").strip(), form.get("subscriptionReference", "").strip()
    if own and not _REBILL.search(own):
        return own
    return _SUBSCRIPTION.sub("", subscription) or own


def _count(form: Mapping[str, str]) -> int:
    quantity = form.get("quantity", "").strip()
    if not _QUANTITY.fullmatch(quantity) or int(quantity) < 1:
        raise Unusable(422, "The form has no quantity from 1.")
    count = 1 if _is_single(form) else int(quantity)
    if count > MOST_KEYS:
        raise Unusable(422, f"No more than {MOST_KEYS} keys are made at once: limit the product's quantity to that.")
    return count


def _is_single(form: Mapping[str, str]) -> bool:
    """Whether one license covers the whole quantity, as the product's attribute of that name says for the order."""
    single = any(_is_true(form, name) for name in ("single_license", "is_single_license"))
    return single or form.get("format", "").strip().lower() == "single"


def _is_true(form: Mapping[str, str], name: str) -> bool:
    return form.get(name, "").strip().lower() in _TRUE


def reply(keys: Sequence[str]) -> Reply:
    """One key a line, as each of FastSpring's output formats takes them."""
    return Reply(body="\n".join(keys).encode(), content_type="text/plain; charset=utf-8")


GENERATING = Generating(name="fastspring", read=read, reply=reply)
