"""Forgetting a person: finds all that the store holds of one, and replaces it in one audited act."""

from service.erasure.act import Erasure
from service.erasure.words import ErasureRefused, Found, Holder, Touched, WordsNamePerson

__all__ = ["Erasure", "ErasureRefused", "Found", "Holder", "Touched", "WordsNamePerson"]
