"""The standard catalog: what the imaginary vendor Falcon Software sells, as `falcon.json` beside this file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from service.sandbox.netlicensing.settings import SandboxSettings

FALCON = Path(__file__).parent / "falcon.json"


def falcon(**settings: Any) -> SandboxSettings:
    """Settings that sell the standard catalog, with these instead of the default ones."""
    return msgspec.structs.replace(msgspec.json.decode(FALCON.read_bytes(), type=SandboxSettings), **settings)
