"""Archives of a sealed store, and the same as a forger would leave them, for tests of the script that checks them."""

import json
import zipfile
from io import BytesIO
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.store.archive import verify as alone
from service.store.archive.keys import public_hex
from service.store.archive.writing import SIGNED
from tests.sealed import PARTITION

LAST = 12
KEY, FORGERS = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
FILE = f"events/{PARTITION:03}.ndjson"
Line = dict[str, Any]
Files = dict[str, bytes]


def report_of(files: Files, key: Ed25519PrivateKey | None = None) -> alone.Report:
    return alone.verify(packed(files), public_hex(key) if key else None)  # type: ignore[arg-type]


def packed(files: Files, compression: int = zipfile.ZIP_STORED) -> BytesIO:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


def signed(files: Files, manifest: Line) -> Files:
    text = json.dumps({**manifest, "public_key": public_hex(FORGERS)}).encode()
    return {**files, "manifest.json": text, "manifest.sig": FORGERS.sign(SIGNED + text).hex().encode()}
