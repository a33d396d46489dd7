"""Root certificates as Python's own TLS reads them, against `cryptography`."""

import datetime
import ssl

import pytest
from support.tls import NOW, Authority

from ocpp.errors import SecurityError
from ocpp.security import certificates, roots
from ocpp.security.certificate_folder import CertificateFolder, Kind


@pytest.fixture(scope="module")
def root():
    return Authority("root")


@pytest.fixture(scope="module")
def intermediate(root):
    return Authority("intermediate", root)


def test_the_certificates_of_a_text_in_their_order(root, intermediate):
    text = "a remark\n" + (intermediate.pem + b"\n" + root.pem).decode()
    found = roots.read(text)
    assert [each.subject for each in found] == ["commonName=intermediate", "commonName=root"]
    assert [each.fingerprint for each in found] == [
        certificates.fingerprint(each) for each in certificates.read_chain(text)
    ]
    assert [each.end for each in found] == [each.certificate.not_valid_after_utc for each in (intermediate, root)]
    assert [each.pem.encode() for each in found] == [intermediate.pem, root.pem]


def test_what_is_no_authority_has_neither_name_nor_end(root):
    certificate = root.issue("0001")
    (found,) = roots.read(certificates.pem_of([certificate]))
    assert (found.subject, found.end) == ("", None)
    assert found.fingerprint == certificates.fingerprint(certificate)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing of the kind",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE----------END CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_is_refused(text):
    with pytest.raises(SecurityError):
        roots.read(text)


def test_a_certificate_cut_short_is_refused(root):
    (whole,) = roots.read(root.pem)
    cut = roots.Root(whole.der[:-1], "", "").pem
    with pytest.raises(SecurityError):
        roots.read(cut)


def test_a_text_without_end_is_refused(root):
    with pytest.raises(SecurityError, match=f"1 to {roots.MAX_CHAIN}"):
        roots.read(root.pem * (roots.MAX_CHAIN + 1))


def test_a_root_put_is_the_same_file_as_one_that_the_store_keeps(tmp_path, root):
    light, heavy = CertificateFolder(tmp_path / "light"), CertificateFolder(tmp_path / "heavy")
    light.put_root(Kind.CSMS_ROOT, roots.read(root.pem)[0])
    heavy.store.put(Kind.CSMS_ROOT, [root.certificate])
    (one,), (other,) = ((each.path / Kind.CSMS_ROOT).iterdir() for each in (light, heavy))
    assert (one.name, one.read_bytes(), one.stat().st_mode) == (other.name, other.read_bytes(), other.stat().st_mode)


def test_damaged_roots_are_left_out(tmp_path, root):
    folder = CertificateFolder(tmp_path)
    folder.put_root(Kind.CSMS_ROOT, roots.read(root.pem)[0])
    (tmp_path / Kind.CSMS_ROOT / "0000.pem").write_bytes(root.pem[: len(root.pem) // 2])
    assert [each.subject for each in folder.roots(Kind.CSMS_ROOT)] == ["commonName=root"]
    assert NOW < folder.roots(Kind.CSMS_ROOT)[0].end < NOW + datetime.timedelta(days=36500)


@pytest.mark.parametrize("month", range(1, 13))
def test_ends_in_every_month_are_read_as_they_are(month):
    end = datetime.datetime(2031, month, month, 23, 59, month, tzinfo=datetime.UTC)
    root = roots.Root(b"", "", f"{end:%b} {end.day:2} {end:%H:%M:%S %Y} GMT")
    assert root.end == end
    assert root.end.timestamp() == ssl.cert_time_to_seconds(root.not_after)
