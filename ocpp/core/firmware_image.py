"""The signature of a firmware image (L01.FR.04, L01.FR.12)."""

import base64
import binascii
import hashlib
from pathlib import Path

from ocpp.errors import SecurityError


def check(path: Path, certificate: str, signature: str) -> None:
    """SecurityError unless `signature` (base64) is that of the signing certificate (PEM) over the whole file.

    Blocking, and slow for a large file: run it in a thread.
    """
    from ocpp.security import certificates

    try:
        raw = base64.b64decode("".join(signature.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SecurityError("the signature is not base64") from error
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise SecurityError(f"the firmware cannot be read: {error}") from error
    certificates.check_signature(certificates.read_chain(certificate)[0], raw, digest)
