"""What an operation needs to change the rows: handed to it as one value, so that it stays a function."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from service.sandbox.licensespring.mint import Mint
from service.sandbox.licensespring.records import Record
from service.sandbox.licensespring.rows import Rows
from service.sandbox.licensespring.settings import SandboxSettings


class Change(msgspec.Struct, frozen=True):
    """One change under way, at one instant. What is put is in `rows` at once."""

    settings: SandboxSettings
    rows: Rows
    now: datetime
    mint: Mint
    put: Callable[[Record], None]
    remove: Callable[[Record], None]
