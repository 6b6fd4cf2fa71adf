"""The heads that an archive keeps: what the chain was when it was made."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from service.store.archive import verify as script


class ArchiveUnfit(Exception):
    """What was given is no archive, or not one that its key signed; the message says what is wrong."""


def heads_of(path: Path, key: str | None = None) -> Mapping[int, tuple[int, bytes]]:
    """The position and the chain's value of every partition, if the signature is right. Raises ArchiveUnfit.

    With `key`, a public key in hexadecimal digits, it has to be that key's signature.
    """
    report = script.Report(key_given=key is not None)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = script.check_manifest(archive, key, report)
        if manifest is not None and not report.findings:
            return {
                int(partition): (int(head["position"]), bytes.fromhex(head["chain"]))
                for partition, head in manifest["heads"].items()
            }
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, AttributeError):
        raise ArchiveUnfit(f"{path} is no archive of `tenure export`, or damaged.") from None
    raise ArchiveUnfit(f"{path} cannot be relied on: {'; '.join(report.findings)}.")
