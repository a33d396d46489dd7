"""Chains that must not hold although every signature in them does, and those that must."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from support.tls import DAY, NOW, Authority, sign

from ocpp.errors import SecurityError
from ocpp.security.chains import Purpose, check_authority, check_chain, check_root

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
SIGNING, ANY = ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
NAMES = x509.NameConstraints([x509.DNSName("example.com")], None)


@pytest.fixture(scope="module")
def root():
    return Authority("root")


def chain_of(root, *, middle=(), leaf=None):
    """A leaf and its intermediates, upwards; `middle`: the options of each, downwards."""
    above = root
    found = []
    for number, options in enumerate(middle):
        above = Authority(f"intermediate {number}", under=above, **options)
        found.insert(0, above.certificate)
    return [above.issue("leaf", **(leaf or {})), *found]


BAD = {
    "a path longer than the root allows": (
        lambda: Authority("r", path_length=0), {"middle": [{}]}, "may have 0 authorities below it, not 1"
    ),
    "a path longer than an intermediate allows": (None, {"middle": [{"path_length": 0}, {}]}, "may have 0"),
    "a path longer than the upper of three allows": (None, {"middle": [{"path_length": 1}, {}, {}]}, "not 2"),
    "an intermediate that signs no certificates": (
        None, {"middle": [{"usage": ("digital_signature", "crl_sign")}]}, "may not sign certificates"
    ),
    "a root that signs no certificates": (
        lambda: Authority("r", usage=("digital_signature",)), {}, "may not sign certificates"
    ),
    "a leaf whose key is not for signatures": (None, {"leaf": {"usage": ("key_encipherment",)}}, "not for signatures"),
    "a leaf for something else": (None, {"leaf": {"purposes": (SERVER,)}}, "not for this purpose"),
    "an intermediate for something else": (None, {"middle": [{"purposes": (SERVER,)}]}, "not for this purpose"),
    "a root for something else": (lambda: Authority("r", purposes=(SERVER,)), {}, "not for this purpose"),
    "a leaf that demands what is not known": (None, {"leaf": {"extensions": ((UNKNOWN, True),)}}, "not known here"),
    "an intermediate that demands what is not known": (
        None, {"middle": [{"extensions": ((UNKNOWN, True),)}]}, "not known here"
    ),
    "a root that demands what is not known": (
        lambda: Authority("r", extensions=((UNKNOWN, True),)), {}, "not known here"
    ),
    "an intermediate that binds names": (None, {"middle": [{"extensions": ((NAMES, True),)}]}, "not known here"),
    "an intermediate that ran out": (None, {"middle": [{"end": NOW - DAY / 2}]}, "is valid from"),
    "a root that ran out": (lambda: Authority("r", end=NOW - DAY / 2), {}, "is valid from"),
    "a leaf that begins later": (None, {"leaf": {"start": NOW + DAY}}, "is valid from"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("purpose", [Purpose.FIRMWARE, Purpose.CLIENT])
def test_a_chain_that_must_not_hold(root, kind, purpose):
    make_root, made, told = BAD[kind]
    top = make_root() if make_root else root
    with pytest.raises(SecurityError, match=told):
        check_chain(chain_of(top, **made), [top.certificate], NOW, purpose=purpose)


def test_a_leaf_is_no_authority(root):
    station = Authority("station", under=root)
    leaf = root.issue("station", station.key)
    station.certificate = leaf
    evil = station.issue("evil")
    with pytest.raises(SecurityError, match="may not sign certificates"):
        check_chain([evil, leaf], [root.certificate], NOW)


def test_what_no_root_has_signed_is_none_of_ours(root):
    other = Authority("root")
    with pytest.raises(SecurityError, match="no installed root"):
        check_chain(chain_of(other, middle=[{}]), [root.certificate], NOW)


GOOD = {
    "nothing said": {},
    "as many as are allowed": {"middle": [{"path_length": 1}, {"path_length": 0}]},
    "for it": {"leaf": {"purposes": (SIGNING, CLIENT), "usage": ("digital_signature",)}},
    "for anything": {"middle": [{"purposes": (ANY,)}], "leaf": {"purposes": (ANY,)}},
    "what is not known and not demanded": {"middle": [{"extensions": ((UNKNOWN, False),)}]},
}


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("purpose", Purpose)
def test_a_chain_that_holds(root, kind, purpose):
    if purpose is Purpose.SERVER and kind == "for it":
        return
    chain = chain_of(root, **GOOD[kind])
    assert check_chain(chain, [root.certificate], NOW, purpose=purpose) == [*chain, root.certificate]
    assert check_chain([chain[0], *reversed(chain[1:])], [root.certificate], NOW, purpose=purpose)[0] == chain[0]


def test_one_way_that_holds_is_enough(root):
    """Two certificates of one intermediate, as when it was signed anew; the old one ran out."""
    middle = Authority("intermediate", under=root)
    old = sign(middle.subject, middle.key, root, authority=True, end=NOW - DAY / 2)
    leaf = middle.issue("leaf")
    for order in ([leaf, old, middle.certificate], [leaf, middle.certificate, old]):
        assert check_chain(order, [root.certificate], NOW) == [leaf, middle.certificate, root.certificate]


def test_authorities_that_signed_one_another_come_to_an_end(root):
    """Nine names for one key lead nowhere, in a great many ways."""
    one = Authority("one")
    circle = [sign(one.subject, one.key, one, authority=True) for _ in range(9)]
    with pytest.raises(SecurityError, match="no installed root"):
        check_chain([one.issue("leaf"), *circle], [root.certificate], NOW)


def test_an_intermediate_is_no_root(root):
    middle = Authority("intermediate", under=root)
    with pytest.raises(SecurityError, match="another one signed it"):
        check_root(middle.certificate, NOW)
    check_authority(middle.certificate, NOW)


@pytest.mark.parametrize(
    "options", [{"usage": ("digital_signature",)}, {"extensions": ((UNKNOWN, True),)}, {"end": NOW - DAY / 2}]
)
def test_what_no_chain_could_end_at_is_no_root(options):
    with pytest.raises(SecurityError):
        check_root(Authority("r", **options).certificate, NOW)


def test_extensions_that_cannot_be_read_are_refused_in_words(root):
    broken = x509.UnrecognizedExtension(x509.BasicConstraints.oid, b"\x04\x01\x00")
    key = Authority("k").key
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(root.subject).public_key(key.public_key())
        .serial_number(7).not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
        .add_extension(broken, critical=False)
        .sign(root.key, root.certificate.signature_hash_algorithm)
    )  # fmt: skip
    with pytest.raises(SecurityError, match="cannot be read"):
        check_chain([certificate], [root.certificate], NOW)
