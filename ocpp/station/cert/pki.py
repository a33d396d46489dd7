"""`pilotwire cert pki`: a public key infrastructure for tests, in a folder of PEM files. Never for real stations."""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ocpp.errors import ConfigurationError
from ocpp.security import certificates

ORGANIZATION = "pilotwire test"
ROOT_YEARS = 10
PRIVATE_FILE = 0o600

NO_USE = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)

USAGE = """
In the station file (security profile 3; profile 2 without cert_file and key_file, with a password):

  [[network]]
  url = "wss://{host}:9000/ocpp"
  security_profile = 3
  ca_file = "{folder}/root.pem"
  cert_file = "{folder}/station.pem"
  key_file = "{folder}/station.key"

A CSMS that goes with it:

  pilotwire csms --listen {host}:9000 --tls {folder}/csms.pem {folder}/csms.key --clients {folder}/root.pem
"""


class PrivateAuthority:
    """A root that signs with its own key."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.key = certificates.new_key()
        self.name = _name("pilotwire test root")
        end = now + timedelta(days=365 * ROOT_YEARS)
        self.certificate = self._sign(self.name, self.key, end, authority=True)

    def issue(self, common_name: str, key: ec.EllipticCurvePrivateKey, days: int, host: str = "") -> x509.Certificate:
        """A certificate for a CSMS (with its host) or a station."""
        return self._sign(_name(common_name), key, self.now + timedelta(days=days), host=host)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        end: datetime,
        *,
        authority: bool = False,
        host: str = "",
    ) -> x509.Certificate:
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(minutes=5))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=authority, crl_sign=authority, **usage),
                critical=True,
            )
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host_name(host)]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def make_test_pki(folder: Path, host: str, station: str, days: int) -> int:
    """Write root, CSMS and station with their keys, and say how to use them. ConfigurationError when files are there."""
    authority = PrivateAuthority(datetime.now(UTC))
    csms_key, station_key = certificates.new_key(), certificates.new_key()
    made = {
        "root": (authority.certificate, authority.key),
        "csms": (authority.issue(host, csms_key, days, host), csms_key),
        "station": (authority.issue(station, station_key, days), station_key),
    }
    there = sorted(path.name for name in made for path in folder.glob(f"{name}.*"))
    if there:
        raise ConfigurationError(f"{folder} holds {', '.join(there)} already; name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (certificate, key) in made.items():
            _write(folder / f"{name}.pem", certificates.pem_of([certificate]))
            _write(folder / f"{name}.key", certificates.key_pem(key))
            end = certificate.not_valid_after_utc
            print(f"{folder / name}.pem: {certificate.subject.rfc4514_string()}, until {end:%Y-%m-%d}")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}") from error
    print(USAGE.format(folder=folder, host=host).rstrip())
    return 0


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
        file.write(data)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
        ]
    )


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
