"""The signature of webhooks: ECDSA on P-256 with SHA-256, over the exact bytes of the body."""

from base64 import b64encode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.sandbox.wallee.identifiers import Identifiers


class SigningKey:
    """The key of a webhook identity, on P-256; the same seed gives the same key and the same signatures."""

    def __init__(self, seed: str) -> None:
        identifiers = Identifiers(seed)
        self.id = identifiers.key_id()
        # One below the order of the curve, so that every secret makes a key.
        self._key = ec.derive_private_key(int.from_bytes(identifiers.secret()) % (2**255) + 1, ec.SECP256R1())

    @property
    def public(self) -> str:
        """As the API gives it: Base64 of the DER `SubjectPublicKeyInfo`."""
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return b64encode(self._key.public_key().public_bytes(encoding, form)).decode()

    def sign(self, body: bytes) -> str:
        """The value of the `x-signature` header."""
        signed = self._key.sign(body, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return f"algorithm=SHA256withECDSA, keyId={self.id}, signature={b64encode(signed).decode()}"
