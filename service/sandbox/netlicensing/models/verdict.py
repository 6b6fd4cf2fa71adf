"""What a validation is about, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from service.sandbox.netlicensing.records import Record
from service.sandbox.netlicensing.settings import SandboxSettings


class Licensed(msgspec.Struct, frozen=True):
    """One licensee at one product module.

    `licenses` are the active ones, each with its template, oldest first; `templates` the active ones of the module.
    `sent` are the parameters for this module, without their suffix.
    """

    settings: SandboxSettings
    now: datetime
    licensee: Record
    module: Record
    templates: tuple[Record, ...]
    licenses: tuple[tuple[Record, Record], ...]
    sent: Mapping[str, str]

    def of_type(self, kind: str) -> list[Record]:
        """The licenses whose template is of this type."""
        return [license_ for license_, template in self.licenses if template.text("licenseType") == kind]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the program is told: properties of the module's item and named groups of them.

    `effective` says the same for people and tests, as values. `listed` is false for a module that the answer leaves
    out. `changes` are stored unless it is a dry run; `begins` is the template of a trial that begins with it.
    """

    told: Mapping[str, str] = {}
    lists: Mapping[str, Mapping[str, str]] = {}
    effective: Mapping[str, Any] = {}
    listed: bool = True
    changes: tuple[Record, ...] = ()
    begins: Record | None = None


def yes(truth: bool) -> str:
    return "true" if truth else "false"
