"""`pilotwire cert`: what is said of certificates and TLS connections, over real TLS."""

import ssl
from datetime import UTC, datetime

import pytest
from support.tls import DAY, NOW, Authority, pem, server_context, tls_server

from ocpp.errors import ConfigurationError
from ocpp.security import certificates
from ocpp.station.cert.doctor import Level, check_clock, examine, print_findings
from ocpp.station.cert.listing import print_list
from ocpp.station.cert.pki import make_test_pki
from ocpp.station.configuration import load


@pytest.fixture(scope="module")
def root():
    return Authority("CSMS root")


@pytest.fixture
def station(tmp_path, root):
    """A station file on a CSMS at a port, with a root, and for profile 3 a certificate of its own."""
    (tmp_path / "root.pem").write_bytes(root.pem)

    def make(port: int, *, security_profile=2, own=None, host="localhost", scheme="wss", more=""):
        network = f'security_profile = {security_profile}\npassword = "0123456789abcdef"\nca_file = "root.pem"\n{more}'
        if own is not None:
            certificate, key = own
            (tmp_path / "own.pem").write_bytes(pem(certificate))
            (tmp_path / "own.key").write_bytes(certificates.key_pem(key))
            network += '\ncert_file = "own.pem"\nkey_file = "own.key"'
        file = tmp_path / "station.toml"
        file.write_text(
            f'[station]\nid = "CS001"\n[[network]]\nurl = "{scheme}://{host}:{port}/ocpp"\nversion = "2.0.1"\n{network}\n'
            "[[evse]]\n[[evse.connector]]\n"
        )
        return load(file)

    return make


def own(issuer, name="CS001", **validity):
    key = certificates.new_key()
    return issuer.issue(name, key, **validity), key


def findings(configuration):
    return [finding for _, found in examine(configuration, datetime.now(UTC)) for finding in found]


def problems(configuration):
    return [finding.text for finding in findings(configuration) if finding.level is Level.PROBLEM]


def texts(configuration, level=None):
    return "\n".join(each.text for each in findings(configuration) if level in (None, each.level))


def test_a_good_connection_is_told_with_version_suite_and_root(station, root, tmp_path):
    with tls_server(server_context(tmp_path, root)) as port:
        told = findings(station(port))
    assert [each for each in told if each.level is Level.PROBLEM] == []
    text = "\n".join(each.text for each in told)
    assert "the handshake succeeds: TLSv1.3" in text
    assert "it leads to the root CN=CSMS root" in text


@pytest.mark.parametrize(
    ("make", "told", "shown"),
    [
        (lambda folder, root: server_context(folder, Authority("stranger")), "", "signed by CN=stranger"),
        (lambda folder, root: server_context(folder, root, start=NOW - 9 * DAY, end=NOW - DAY), "has expired", "valid"),
        (lambda folder, root: server_context(folder, root, host="other.example"), "another host", "other.example"),
        (lambda folder, root: server_context(folder, None), "self-signed", "signed by itself"),
    ],
    ids=["another root", "expired", "another host", "self-signed"],
)
def test_why_the_csms_is_not_trusted_and_what_it_shows(station, root, tmp_path, make, told, shown):
    context = make(tmp_path, root)
    with tls_server(context, times=2) as port:
        found = findings(station(port))
    (problem,) = [each for each in found if each.level is Level.PROBLEM]
    assert told in problem.text
    assert problem.hint
    (seen,) = [each.text for each in found if each.text.startswith("the CSMS shows")]
    assert shown in seen


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_old_tls_version_is_named(station, root, tmp_path):
    context = server_context(tmp_path, root)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with tls_server(context, times=2) as port:
        assert "TLS versions" in texts(station(port), Level.PROBLEM)


def test_a_csms_that_asks_for_a_certificate_it_does_not_trust_the_station_hears_of(station, root, tmp_path):
    context = server_context(tmp_path, root)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=root.pem.decode())
    with tls_server(context, times=2) as port:
        stranger = station(port, security_profile=3, own=own(Authority("not known to the CSMS")))
        (problem,) = problems(stranger)
    assert "does not trust the station's certificate" in problem
    with tls_server(context) as port:
        assert problems(station(port, security_profile=3, own=own(root))) == []


def test_profile_3_without_a_certificate_valid_now(station, root):
    expired = station(9, security_profile=3, own=own(root, start=NOW - 9 * DAY, end=NOW - DAY))
    found = problems(expired)
    assert any("expired on" in each for each in found)
    assert any("needs a certificate of the station that is valid now" in each for each in found)


def test_a_name_that_is_not_the_stations_is_a_warning(station, root):
    assert "that of 'CS002', the station is 'CS001'" in texts(
        station(9, security_profile=3, own=own(root, "CS002")), Level.WARNING
    )


def test_an_end_that_is_near_is_a_warning(station, root, tmp_path):
    context = server_context(tmp_path, root, end=NOW + 9 * DAY)
    with tls_server(context) as port:
        told = texts(station(port, security_profile=3, own=own(root, end=NOW + 9 * DAY)), Level.WARNING)
    assert "station, to the CSMS: CN=CS001: ends on" in told
    assert "the CSMS's certificate CN=localhost" in told


def test_without_tls_the_port_is_tried_and_the_risk_told(station):
    configuration = station(9, security_profile=1, scheme="ws")
    assert "clear text" in texts(configuration, Level.WARNING)
    assert "connection refused" in texts(configuration, Level.PROBLEM)


def test_a_clock_that_was_never_set_explains_itself():
    finding = check_clock(datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    assert finding.level is Level.PROBLEM
    assert "never set" in finding.text


def test_the_exit_status_says_whether_there_is_a_problem(station, root, tmp_path, capsys):
    with tls_server(server_context(tmp_path, root)) as port:
        assert print_findings(station(port)) == 0
    assert "No problem found." in capsys.readouterr().out
    assert print_findings(station(9)) == 1
    assert "1 problem(s) found." in capsys.readouterr().out


def test_looking_changes_nothing(station, root, tmp_path):
    before = sorted(path.name for path in tmp_path.rglob("*"))
    configuration = station(9, security_profile=3, own=own(root))
    findings(configuration)
    print_list(configuration)
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted([*before, "own.pem", "own.key", "station.toml"])


def test_the_list_names_every_certificate_with_its_end(station, root, capsys):
    assert print_list(station(9, security_profile=3, own=own(root, end=NOW + 9 * DAY))) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[1].startswith("root of the CSMS")
    assert told[2].startswith("station, to the CSMS")
    assert "9 days left" in told[2] or "8 days left" in told[2]


def test_a_test_pki_makes_a_connection(tmp_path, station, capsys):
    assert make_test_pki(tmp_path / "pki", "localhost", "CS001", 100) == 0
    assert "cert_file" in capsys.readouterr().out
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pki/csms.pem", tmp_path / "pki/csms.key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tmp_path / "pki/root.pem")
    for name, target in (("root.pem", "root.pem"), ("station.pem", "own.pem"), ("station.key", "own.key")):
        (tmp_path / target).write_bytes((tmp_path / "pki" / name).read_bytes())
    with tls_server(context) as port:
        configuration = station(port, security_profile=3, more='cert_file = "own.pem"\nkey_file = "own.key"')
        assert problems(configuration) == []
    assert (tmp_path / "pki/station.key").stat().st_mode & 0o077 == 0


def test_a_test_pki_overwrites_nothing(tmp_path):
    make_test_pki(tmp_path, "localhost", "CS001", 100)
    with pytest.raises(ConfigurationError, match=r"root\.key"):
        make_test_pki(tmp_path, "localhost", "CS001", 100)
