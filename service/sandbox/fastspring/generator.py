"""Asks the vendor's server for keys while the buyer waits: FastSpring's "Remote Server Request".

The request is a form of UTF-8 text. `security_request_hash` is the MD5, in hex, of all other values joined in the
ordinal order of their names, followed by the private key.
"""

from hashlib import md5

import httpx2
import msgspec

from service.sandbox.fastspring.model import GeneratorCall

PATIENCE = 10.0
"""Seconds that a buyer is kept waiting; FastSpring publishes none."""


class GeneratorFailed(Exception):
    """The vendor's server gave no keys: the purchase shows an error, though the buyer may be charged already."""


def form(call: GeneratorCall, private_key: str, *, live: bool = False) -> dict[str, str]:
    """The fields of the request, the product's attributes among them, as a vendor adds them in the dialog."""
    who = call.contact
    fields = {
        "name": f"{who.first} {who.last}".strip(),
        "email": who.email,
        "company": who.company or "",
        "quantity": str(call.quantity),
        "reference": call.reference,
        "subscriptionReference": call.subscription_reference or "",
        "internalProductName": call.product.path,
        "referrer": "",
        "tags": msgspec.json.encode(call.tags).decode(),
        "test": "" if live else "1",
        **call.product.attributes,
    }
    return {**fields, "security_request_hash": request_hash(fields, private_key)}


def request_hash(fields: dict[str, str], private_key: str) -> str:
    joined = "".join(fields[name] for name in sorted(fields) if name != "security_request_hash")
    return md5((joined + private_key).encode(), usedforsecurity=False).hexdigest()


async def ask_for_keys(
    http: httpx2.AsyncClient,
    url: str,
    private_key: str,
    call: GeneratorCall,
    *,
    live: bool = False,
    patience: float = PATIENCE,
) -> list[str]:
    """Makes the call once and gives the keys: as many as the quantity, or a single one, as the product is set up.

    Raises GeneratorFailed for anything but 200, for an empty or late answer, and for too few or too many keys.
    """
    try:
        answer = await http.post(
            url, data=form(call, private_key, live=live), headers={"User-Agent": "FS"}, timeout=patience
        )
    except httpx2.TransportError as error:
        raise GeneratorFailed(f"{type(error).__name__}: no answer within {patience:g} seconds") from error
    if answer.status_code != 200:
        raise GeneratorFailed(f"status {answer.status_code}")
    keys = [line.strip() for line in answer.text.splitlines() if line.strip()]
    wanted = 1 if call.product.generator == "single" else call.quantity
    if len(keys) != wanted:
        raise GeneratorFailed(f"{len(keys)} keys, {wanted} were wanted")
    return keys
