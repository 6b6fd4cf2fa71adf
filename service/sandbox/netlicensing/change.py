"""What an operation needs: handed to it as one value, so that it stays a function."""

from __future__ import annotations

import random
from datetime import datetime

import msgspec

from service.sandbox.netlicensing import errors
from service.sandbox.netlicensing.records import Kind, Record
from service.sandbox.netlicensing.settings import SandboxSettings
from service.sandbox.netlicensing.store import Store

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Change(msgspec.Struct, frozen=True):
    """One operation under way, at one instant. What is put is in the store at once."""

    settings: SandboxSettings
    store: Store
    now: datetime
    chance: random.Random

    def found(self, kind: Kind, number: str) -> Record:
        """Raises Refused 404."""
        record = self.store.get(kind, number)
        if record is None:
            raise errors.not_found(kind.words)
        return record

    def new_number(self, kind: Kind) -> str:
        """A number for an entity that came without one, unused so far."""
        while True:
            number = kind.value[0] + "".join(self.chance.choice(ALPHABET) for _ in range(8))
            if self.store.get(kind, number) is None:
                return number
