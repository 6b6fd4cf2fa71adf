"""Forgetting a person: which values of a body are personal, and what stands in their place."""

from domain.erasure.event import ERASED, Erased, encode_erased, read_erased
from domain.erasure.folding import any_of, fold
from domain.erasure.person import Person
from domain.erasure.redaction import Body, Redaction
from domain.erasure.standins import StandIns, is_stand_in

__all__ = [
    "ERASED",
    "Body",
    "Erased",
    "Person",
    "Redaction",
    "StandIns",
    "any_of",
    "encode_erased",
    "fold",
    "is_stand_in",
    "read_erased",
]
