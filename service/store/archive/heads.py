"""The heads that an archive keeps: what the chain was when it was made."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from service.store.archive import verify as script


class Heads(msgspec.Struct, frozen=True, kw_only=True):
    """The position and the chain's value of every partition, and who signed that."""

    known: Mapping[int, tuple[int, bytes]]
    signed_by: str | None
    """The public key; None where nobody did."""
    proved: bool
    """Whether it is the key that was given: otherwise whoever made the store anew may have made this, too."""


class ArchiveUnfit(Exception):
    """What was given is no archive, or not one that its key signed; the message says what is wrong."""


def heads_of(path: Path, key: str | None = None) -> Heads:
    """The heads of an archive, if what signature there is is right. Raises ArchiveUnfit.

    With `key`, a public key of 64 hexadecimal digits, it has to be that key's signature.
    """
    report = script.Report(key_given=key is not None)
    try:
        key = None if key is None else script.public_key(key)
    except ValueError as error:
        raise ArchiveUnfit(f"This is no key to check {path} with: {error}.") from None
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = script.check_manifest(archive, key, report)
        if manifest is not None and not report.findings:
            known = {
                int(partition): (int(head["position"]), bytes.fromhex(head["chain"]))
                for partition, head in manifest["heads"].items()
            }
            return Heads(known=known, signed_by=report.signed_by, proved=report.proved)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, AttributeError):
        raise ArchiveUnfit(f"{path} is no archive of `tenure export`, or damaged.") from None
    except (RuntimeError, OverflowError, MemoryError):  # encrypted, nested without end, or larger than the memory
        raise ArchiveUnfit(f"{path} is no archive of `tenure export`, or damaged.") from None
    raise ArchiveUnfit(f"{path} cannot be relied on: {'; '.join(report.findings)}.")
