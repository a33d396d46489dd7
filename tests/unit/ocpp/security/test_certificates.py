"""X.509 by hand: what is read, hashed, accepted and refused."""

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from support.tls import DAY, NOW, Authority, pem, sign

from ocpp.errors import SecurityError
from ocpp.security import certificates, chains


@pytest.fixture(scope="module")
def root():
    return Authority("root")


@pytest.fixture(scope="module")
def intermediate(root):
    return Authority("intermediate", root)


@pytest.mark.req("A00.FR.507", "1.6-A00.FR.507")
def test_a_chain_is_read_in_its_order(root, intermediate):
    text = "a remark\n" + (intermediate.pem + b"\n" + root.pem).decode()
    assert certificates.read_chain(text) == [intermediate.certificate, root.certificate]


@pytest.mark.parametrize("text", ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(text):
    with pytest.raises(SecurityError):
        certificates.read_chain(text)


def test_a_chain_without_end_is_refused(root):
    with pytest.raises(SecurityError, match="11 PEM certificates"):
        certificates.read_chain(root.pem * 11)


@pytest.mark.req("A00.FR.506", "A00.FR.508", "1.6-A00.FR.506", "1.6-A00.FR.508")
@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_the_hashes_are_those_that_ocsp_computes(root, intermediate, algorithm):
    chosen = {"SHA256": hashes.SHA256, "SHA384": hashes.SHA384, "SHA512": hashes.SHA512}[algorithm]()
    request = ocsp.OCSPRequestBuilder().add_certificate(intermediate.certificate, root.certificate, chosen).build()
    data = certificates.hash_data(intermediate.certificate, root.certificate, algorithm)
    assert data.issuer_name_hash == request.issuer_name_hash.hex()
    assert data.issuer_key_hash == request.issuer_key_hash.hex()
    assert int(data.serial_number, 16) == request.serial_number
    assert not data.serial_number.startswith("0")


def test_the_same_hashes_in_capital_letters_name_the_same_certificate(root):
    data = certificates.hash_data(root.certificate, None)
    loud = certificates.HashData(
        "SHA256", data.issuer_name_hash.upper(), data.issuer_key_hash, "0" + data.serial_number
    )
    assert certificates.same_certificate(data, loud)
    assert not certificates.same_certificate(data, certificates.hash_data(root.certificate, None, "SHA512"))


@pytest.mark.req("A00.FR.307", "A00.FR.411", "1.6-A02.FR.06")
def test_a_chain_leads_to_its_root(root, intermediate):
    leaf = intermediate.issue("0001")
    path = chains.check_chain([leaf, intermediate.certificate], [root.certificate], NOW)
    assert path == [leaf, intermediate.certificate, root.certificate]
    assert chains.check_chain([leaf], [intermediate.certificate], NOW)[-1] == intermediate.certificate


def test_the_order_behind_the_first_does_not_matter(root):
    upper = Authority("upper", root)
    lower = Authority("lower", upper)
    leaf = lower.issue("0001")
    assert len(chains.check_chain([leaf, upper.certificate, lower.certificate], [root.certificate], NOW)) == 4


def weak_key(root):
    return sign(root.subject, rsa.generate_private_key(65537, 1024), root)


def over_sha1(root):
    """No library signs over SHA-1 any more: a certificate of a kind that says so."""

    class Old:
        signature_hash_algorithm = hashes.SHA1()

        def __init__(self, certificate):
            self._certificate = certificate

        def __getattr__(self, name):
            return getattr(self._certificate, name)

    return Old(root.issue("0001"))


@pytest.mark.req("A00.FR.504", "A03.FR.06", "1.6-A00.FR.504")
@pytest.mark.req("A00.FR.501", "A00.FR.502", "1.6-A00.FR.501", "1.6-A00.FR.502", "1.6-A03.FR.06")
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda root: Authority("stranger").issue("0001"), "no installed root"),
        (lambda root: root.issue("0001", start=NOW - 9 * DAY, end=NOW - DAY), "is valid from"),
        (lambda root: root.issue("0001", start=NOW + DAY), "is valid from"),
        (weak_key, "1024 bits"),
        (over_sha1, "sha1"),
    ],
    ids=["stranger", "expired", "not yet valid", "weak key", "weak hash"],
)
def test_a_certificate_that_does_not_hold_is_refused(root, make, told):
    with pytest.raises(SecurityError, match=told):
        chains.check_chain([make(root)], [root.certificate], NOW)


def test_a_certificate_of_tomorrow_may_be_taken_today(root):
    leaf = root.issue("0001", start=NOW + DAY)
    assert chains.check_chain([leaf], [root.certificate], NOW, future=True)


def test_only_an_authority_may_sign(root):
    impostor = Authority("impostor", root)
    impostor.certificate = root.issue("impostor", impostor.key)
    leaf = impostor.issue("0001")
    with pytest.raises(SecurityError, match="may not sign"):
        chains.check_chain([leaf, impostor.certificate], [root.certificate], NOW)


@pytest.mark.req("A00.FR.503", "1.6-A00.FR.503")
def test_a_short_elliptic_key_is_refused(root, monkeypatch):
    monkeypatch.setattr(certificates, "LEAST_EC_BITS", 257)  # libraries make no key as short as 223 bits any more
    with pytest.raises(SecurityError, match="256 bits"):
        chains.check_root(root.certificate, NOW)


def test_a_root_has_to_be_an_authority_in_its_time(root):
    chains.check_root(root.certificate, NOW)
    with pytest.raises(SecurityError, match="authority"):
        chains.check_root(root.issue("0001"), NOW)
    with pytest.raises(SecurityError, match="is valid from"):
        chains.check_root(root.certificate, NOW + datetime.timedelta(days=9999))


@pytest.mark.req("A00.FR.512", "A00.FR.514", "A00.FR.509", "A00.FR.511")
@pytest.mark.req(
    "A02.FR.03", "1.6-A02.FR.03", "1.6-A00.FR.512", "1.6-A00.FR.509", "1.6-A00.FR.511", "1.6-A02.FR.13", "1.6-A03.FR.13"
)
def test_a_signing_request_names_station_and_operator():
    key = certificates.new_key()
    request = x509.load_pem_x509_csr(certificates.signing_request(key, "0001", "Operator").encode())
    assert request.is_signature_valid
    assert request.public_key() == key.public_key()
    subject = {each.oid: each.value for each in request.subject}
    assert subject == {NameOID.COMMON_NAME: "0001", NameOID.ORGANIZATION_NAME: "Operator"}
    assert request.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert [each.oid for each in request.extensions] == [x509.KeyUsage.oid]
    assert request.signature_hash_algorithm.name == "sha256"


@pytest.mark.parametrize("password", [None, "secret"])
def test_a_key_is_read_with_its_password(password):
    key = certificates.new_key()
    protection = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    assert certificates.key_name(certificates.read_key(text, password)) == certificates.key_name(key)
    with pytest.raises(SecurityError):
        certificates.read_key(text, "another" if password else "too much")


DIGEST = hashlib.sha256(b"new firmware").digest()


def rsa_signature(scheme):
    def make(root):
        key = rsa.generate_private_key(65537, 2048)
        return root.issue("firmware", key), key.sign(b"new firmware", scheme, hashes.SHA256())

    return make


def ecdsa_signature(root):
    key = ec.generate_private_key(ec.SECP256R1())
    return root.issue("firmware", key), key.sign(b"new firmware", ec.ECDSA(hashes.SHA256()))


@pytest.mark.req("L01.FR.04", "1.6-L01.FR.04")
@pytest.mark.parametrize(
    "make",
    [
        rsa_signature(padding.PSS(padding.MGF1(hashes.SHA256()), 32)),
        rsa_signature(padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)),
        rsa_signature(padding.PKCS1v15()),
        ecdsa_signature,
    ],
    ids=["RSA-PSS", "RSA-PSS with a long salt", "RSA PKCS 1", "ECDSA"],
)
def test_the_signature_of_a_file_holds_for_that_file_only(root, make):
    certificate, signature = make(root)
    certificates.check_signature(certificate, signature, DIGEST)
    with pytest.raises(SecurityError, match="not that of the certificate"):
        certificates.check_signature(certificate, signature, hashlib.sha256(b"other").digest())


def test_pem_keeps_every_certificate(root, intermediate):
    assert certificates.pem_of([intermediate.certificate, root.certificate]) == pem(
        intermediate.certificate, root.certificate
    )
