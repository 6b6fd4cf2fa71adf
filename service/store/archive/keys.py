"""The key that signs archives: Ed25519, in a file of its own."""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

LARGEST_FILE = 64 * 1024


class KeyUnfit(Exception):
    """The key file cannot be made or used; the message says what to do."""


def new_key(path: Path) -> Ed25519PrivateKey:
    """Makes a key in a file that only its owner may read. Raises KeyUnfit, also where the file exists."""
    key = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise KeyUnfit(f"{path} exists already: name another file, so that no key is lost.") from None
    except OSError as error:
        raise KeyUnfit(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def load_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file. Raises KeyUnfit, also where others than the owner may read it."""
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyUnfit(f"{path} may be read by others than its owner: run `chmod 600 {path}`, or make a new key.")
        with path.open("rb") as file:
            key = load_pem_private_key(file.read(LARGEST_FILE), None)
    except OSError as error:
        raise KeyUnfit(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnfit(f"{path} holds no unencrypted private key: make one with `tenure export --new-key`.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnfit(f"{path} holds a key of another kind than Ed25519: make one with `tenure export --new-key`.")
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public key as auditors compare it: 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()
