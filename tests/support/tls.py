"""A public key infrastructure for tests: roots, intermediates and servers with every fault a certificate can have."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)

USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""Of KeyUsage, as `cryptography` names them."""


class Authority:
    """A certificate authority; `under` makes it an intermediate."""

    def __init__(self, name: str, under: "Authority | None" = None, **more) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.issuer = under
        self.issued: dict[int, x509.Certificate] = {}
        """What `issue` made, by serial number."""
        self.certificate = sign(self.subject, self.key, under or self, authority=True, **more)

    @property
    def pem(self) -> bytes:
        return pem(self.certificate)

    def issue(self, name: str, key=None, **more) -> x509.Certificate:
        """A certificate for a station; `key` is its private or public key, made when none is given."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = sign(subject, key, self, **more)
        self.issued[certificate.serial_number] = certificate
        return certificate

    def answer(self, request: str, **more) -> x509.Certificate:
        """The certificate that a signing request (PEM) asks for."""
        csr = x509.load_pem_x509_csr(request.encode())
        assert csr.is_signature_valid
        return sign(csr.subject, csr.public_key(), self, **more)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def sign(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: Authority,
    *,
    authority: bool = False,
    host: str = "localhost",
    start: datetime.datetime = NOW - DAY,
    end: datetime.datetime = NOW + 365 * DAY,
    ocsp: str = "",
    path_length: int | None = None,
    usage: tuple[str, ...] | None = None,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> x509.Certificate:
    public = key.public_key() if hasattr(key, "public_key") else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if ocsp:
        responder = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        builder = builder.add_extension(x509.AuthorityInformationAccess([responder]), critical=False)
    if not authority:
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    elif usage is None:
        usage = ("digital_signature", "key_cert_sign", "crl_sign")
    if usage is not None:
        builder = builder.add_extension(x509.KeyUsage(**{name: name in usage for name in USAGES}), critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer.key, hashes.SHA256())


def server_context(
    folder: Path,
    issuer: Authority | None,
    *,
    host: str = "localhost",
    chain: bool = True,
    **validity: datetime.datetime,
) -> ssl.SSLContext:
    """A server's TLS context; without an issuer its certificate is self-signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    if issuer is None:
        own = Authority.__new__(Authority)
        own.key, own.subject, own.issuer = key, subject, None
        issuer = own
        chain = False
    certificate = sign(subject, key, issuer, host=host, **validity)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    if chain and issuer.issuer is not None:
        pem += issuer.pem
    file = folder / "server.pem"
    file.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@contextmanager
def tls_server(context: ssl.SSLContext, times: int = 1):
    """A TLS server in a thread, which sends its alerts before it closes, as real ones do; serves `times` clients."""

    def serve() -> None:
        for _ in range(times):
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
    thread.join(5)
