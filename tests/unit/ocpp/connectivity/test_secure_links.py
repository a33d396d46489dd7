"""Connections with the certificates of the store, over real TLS."""

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager

import pytest
from support.tls import DAY, NOW, Authority, server_context, tls_server
from websockets.asyncio.server import serve

from ocpp.clock import SystemClock
from ocpp.connectivity import NetworkProfile
from ocpp.connectivity.secure_links import SecureLinks
from ocpp.errors import ConnectError, TlsFailure
from ocpp.security import certificates
from ocpp.security.certificate_folder import CertificateFolder, Kind
from ocpp.versions import OcppVersion

V201 = OcppVersion.V201
NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL: a CSMS that takes certificates that have run out."""


@pytest.fixture(scope="module")
def root():
    return Authority("root")


@pytest.fixture
def folder(tmp_path):
    return CertificateFolder(tmp_path / "certificates")


@pytest.fixture
def heard():
    return []


@pytest.fixture
def links(folder, heard):
    return SecureLinks(
        folder,
        SystemClock(),
        refused=lambda event, text: heard.append(event),
        proved=lambda: heard.append("proved"),
    )


@asynccontextmanager
async def csms(context, shown=None):
    """A CSMS that notes which client certificate it was shown."""

    async def look(connection):
        if shown is not None:
            der = connection.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            shown.append(der)
        await connection.wait_closed()

    async with serve(look, "127.0.0.1", 0, ssl=context, subprotocols=["ocpp2.0.1"]) as running:
        yield next(iter(running.sockets)).getsockname()[1]


def asking(context: ssl.SSLContext, root: Authority) -> ssl.SSLContext:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=root.pem.decode())
    return context


async def connect(links, port, security_profile=2, host="localhost", version=V201):
    profile = NetworkProfile(
        slot=1, url=f"wss://{host}:{port}", version=version, security_profile=security_profile, password="x" * 16
    )
    link = await links(profile, "CS001", (V201,))
    await link.close()


def own(folder, root, **validity):
    key = certificates.new_key()
    folder.store.add_key(key)
    return folder.store.put(Kind.STATION, [root.issue("CS001", key, **validity)]).certificate


@pytest.mark.req(
    "A00.FR.308", "A00.FR.312", "A00.FR.411", "1.6-A00.FR.307", "1.6-A00.FR.411", "1.6-A00.FR.415", "1.6-A00.FR.312"
)
async def test_the_installed_root_proves_the_csms_and_is_remembered(links, folder, root, tmp_path, heard):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    async with csms(server_context(tmp_path, Authority("intermediate", root))) as port:
        await connect(links, port)
    assert links.root_in_use == certificates.fingerprint(root.certificate)
    assert heard == ["proved"]


@pytest.mark.req(
    "A00.FR.308",
    "A00.FR.310",
    "A00.FR.311",
    "A00.FR.411",
    "1.6-A00.FR.309",
    "1.6-A00.FR.310",
    "1.6-A00.FR.413",
    "1.6-A00.FR.414",
)
@pytest.mark.req("1.6-A00.FR.308", "1.6-A00.FR.412")
@pytest.mark.parametrize("host", ["localhost", "other"])
async def test_a_csms_that_cannot_prove_itself_is_an_event(links, folder, root, tmp_path, heard, host):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    issuer = root if host == "other" else Authority("stranger")
    async with csms(server_context(tmp_path, issuer, host=host)) as port:
        with pytest.raises(TlsFailure):
            await connect(links, port)
    assert heard == ["InvalidCsmsCertificate"]


@pytest.mark.req("A00.FR.401", "A00.FR.402", "A00.FR.427", "1.6-A00.FR.401", "1.6-A00.FR.402", "1.6-A00.FR.427")
async def test_profile_3_shows_the_newest_certificate(links, folder, root, tmp_path):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    own(folder, root, start=NOW - 9 * DAY)
    newest = own(folder, root, start=NOW - DAY)
    shown = []
    async with csms(asking(server_context(tmp_path, root), root), shown) as port:
        await connect(links, port, 3)
    assert [certificates.x509.load_der_x509_certificate(der) for der in shown] == [newest]


@pytest.fixture
def two_certificates(folder, root):
    """The one before, which the CSMS knows, and the newest, which it does not."""
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    before = own(folder, root, start=NOW - 9 * DAY)
    own(folder, Authority("not known to the CSMS"), start=NOW - DAY)
    return before


@pytest.mark.req("1.6-A02.FR.10")
async def test_when_the_newest_is_refused_the_one_before_is_shown_at_once_in_1_6(
    links, two_certificates, root, tmp_path
):
    shown = []
    async with csms(asking(server_context(tmp_path, root), root), shown) as port:
        await connect(links, port, 3, version=OcppVersion.V16)
    assert [certificates.x509.load_der_x509_certificate(der) for der in shown] == [two_certificates]


@pytest.mark.req("A02.FR.28", "A03.FR.24")
async def test_in_2x_the_one_before_is_shown_when_every_profile_failed(links, two_certificates, root, tmp_path):
    shown = []
    async with csms(asking(server_context(tmp_path, root), root), shown) as port:
        for _ in range(2):
            with pytest.raises(ConnectError):
                await connect(links, port, 3)
        links.exhausted()
        await connect(links, port, 3)
        assert [certificates.x509.load_der_x509_certificate(der) for der in shown] == [two_certificates]
        assert links.own_in_use == certificates.fingerprint(two_certificates)
        with pytest.raises(ConnectError):
            await connect(links, port, 3)


@pytest.mark.req("A00.FR.430")
async def test_a_certificate_that_has_run_out_is_shown_where_there_is_no_other(links, folder, root, tmp_path):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    own(folder, root, start=NOW - 9 * DAY, end=NOW - 5 * DAY)
    last = own(folder, root, start=NOW - 9 * DAY, end=NOW - DAY)
    context = asking(server_context(tmp_path, root), root)
    context.verify_flags |= NO_CHECK_TIME
    shown = []
    async with csms(context, shown) as port:
        await connect(links, port, 3)
    assert [certificates.x509.load_der_x509_certificate(der) for der in shown] == [last]


@pytest.mark.req("1.6-A00.FR.402")
async def test_profile_3_without_a_certificate_says_so(links, folder, root):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    with pytest.raises(ConnectError, match="needs a certificate of the station"):
        await connect(links, 9, 3)


async def test_roots_that_are_damaged_are_not_replaced_by_those_of_the_operating_system(links, folder, root, caplog):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    (damaged,) = (folder.path / Kind.CSMS_ROOT).glob("*.pem")
    damaged.write_bytes(damaged.read_bytes()[:200])
    with pytest.raises(ConnectError, match="none of the root certificates"):
        await connect(links, 9)
    assert f"the root certificate {damaged} is left out" in caplog.text


@pytest.mark.req("M05.FR.13", "M05.FR.14", "1.6-M05.FR.12", "1.6-M05.FR.13")
async def test_the_former_root_serves_until_the_csms_shows_the_new_one(links, folder, root, tmp_path, heard):
    successor = Authority("successor", root)
    folder.store.put(Kind.CSMS_ROOT, [successor.certificate])
    folder.store.put(Kind.CSMS_FALLBACK, [root.certificate])
    async with csms(server_context(tmp_path, root)) as port:
        await connect(links, port)
    assert links.root_in_use == certificates.fingerprint(root.certificate)
    assert heard == []
    async with csms(server_context(tmp_path, successor, chain=False)) as port:
        await connect(links, port)
    assert links.root_in_use == certificates.fingerprint(successor.certificate)
    assert heard == ["proved"]


@pytest.mark.req("A00.FR.314", "A00.FR.316", "1.6-A00.FR.315", "1.6-A00.FR.313", "1.6-A00.FR.417", "1.6-A00.FR.419")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_an_old_tls_version_is_an_event(links, folder, root, tmp_path, heard):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    context = server_context(tmp_path, root)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with tls_server(context) as port, pytest.raises(TlsFailure):
        await connect(links, port)
    assert heard == ["InvalidTLSVersion"]


@pytest.mark.req(
    "A00.FR.320",
    "A00.FR.323",
    "A00.FR.423",
    "A00.FR.426",
    "1.6-A00.FR.318",
    "1.6-A00.FR.319",
    "1.6-A00.FR.322",
    "1.6-A00.FR.422",
)
@pytest.mark.req("1.6-A00.FR.423", "1.6-A00.FR.426")
async def test_weak_ciphers_are_an_event(links, folder, root, tmp_path, heard):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    context = server_context(tmp_path, root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    with tls_server(context) as port, pytest.raises(TlsFailure):
        await connect(links, port)
    assert heard == ["InvalidTLSCipherSuite"]


@pytest.mark.req(
    "A00.FR.317",
    "A00.FR.321",
    "A00.FR.420",
    "A00.FR.424",
    "1.6-A00.FR.320",
    "1.6-A00.FR.424",
    "1.6-A00.FR.316",
    "1.6-A00.FR.420",
    "1.6-A00.FR.416",
)
async def test_tls_never_compresses(root):
    from ocpp.security import tls

    context = tls.client_context(ca_data=root.pem.decode())
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_a_plain_connection_has_no_root_in_use(links):
    async with serve(lambda c: asyncio.sleep(0), "127.0.0.1", 0, subprotocols=["ocpp2.0.1"]) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        profile = NetworkProfile(slot=1, url=f"ws://localhost:{port}", version=V201, security_profile=0)
        await (await links(profile, "CS001", (V201,))).close()
    assert links.root_in_use is None


@pytest.mark.req("M05.FR.15")
async def test_the_former_root_does_not_count_for_another_csms(folder, root, tmp_path):
    links = SecureLinks(folder, SystemClock(), migrating=lambda profile: True)
    folder.store.put(Kind.CSMS_ROOT, [Authority("successor", root).certificate])
    folder.store.put(Kind.CSMS_FALLBACK, [root.certificate])
    async with csms(server_context(tmp_path, root)) as port:
        with pytest.raises(TlsFailure):
            await connect(links, port)


@pytest.fixture
def every_name_is_here(monkeypatch):
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: resolve("127.0.0.1", *rest, **more))


@pytest.mark.req("A00.FR.309", "A00.FR.310", "A00.FR.311", "A00.FR.412")
@pytest.mark.usefixtures("every_name_is_here")
async def test_a_wildcard_certificate_does_not_prove_a_csms(links, folder, root, tmp_path, heard):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    async with csms(server_context(tmp_path, root, host="*.example.com")) as port:
        with pytest.raises(TlsFailure, match="wildcard"):
            await connect(links, port, host="csms.example.com")
        assert heard == ["InvalidCsmsCertificate"]
        await connect(links, port, host="csms.example.com", version=OcppVersion.V16)
        links = SecureLinks(folder, SystemClock(), wildcards=lambda: True)
        await connect(links, port, host="csms.example.com")


@pytest.mark.usefixtures("every_name_is_here")
async def test_the_full_name_is_enough(links, folder, root, tmp_path, heard):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    async with csms(server_context(tmp_path, root, host="csms.example.com")) as port:
        await connect(links, port, host="CSMS.example.com")
    assert heard == ["proved"]
