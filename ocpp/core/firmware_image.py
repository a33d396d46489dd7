"""What is installed is what was verified: the hash of a firmware image, and the signature over it (L01.FR.04, L01.FR.12)."""

import base64
import binascii
from pathlib import Path

from ocpp.core.file_transfer import digest_of
from ocpp.core.transfer import Transfer
from ocpp.errors import SecurityError


def check(path: Path, transfer: Transfer, certificate: str | None = None, signature: str | None = None) -> None:
    """SecurityError unless the file is that whose SHA-256 it bears as its name, and, where they are given, `signature`
    (base64) is that of the signing certificate (PEM) over it.

    Blocking, and slow for a large file: run it in a transfer's thread.
    """
    from ocpp.security import certificates

    try:
        digest = digest_of(path, transfer)
    except OSError as error:
        raise SecurityError(f"the firmware cannot be read: {error}") from error
    if digest != path.stem:
        raise SecurityError("the firmware is not what was downloaded")
    if certificate is None or signature is None:
        return
    try:
        raw = base64.b64decode("".join(signature.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SecurityError("the signature is not base64") from error
    certificates.check_signature(certificates.read_chain(certificate)[0], raw, bytes.fromhex(digest))
