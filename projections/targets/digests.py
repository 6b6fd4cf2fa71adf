"""What a call is about, in short: so that a refused one is not made again until something else is desired. Pure."""

import hashlib

import msgspec

from domain.receipts import Applied
from projections.targets import Call


def hashed(value: object) -> str:
    """A short digest of a value."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]


def is_refused(call: Call, applied: Applied) -> bool:
    """Whether the same was refused before, and nothing else is desired since."""
    standing = (applied.refusals[subject] for subject in call.subjects if subject in applied.refusals)
    return any(refusal.covers(call.digest) for refusal in standing)
