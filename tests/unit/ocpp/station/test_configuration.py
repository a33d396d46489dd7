import textwrap

import pytest

from ocpp.errors import ConfigurationError
from ocpp.station.configuration import load
from ocpp.versions import OcppVersion

NETWORK = """
[[network]]
url = "ws://127.0.0.1:9000/ocpp"
version = "2.0.1"
password = "0123456789abcdef"
"""
REST = """
[[evse]]
  [[evse.connector]]
"""
STATION = """
[station]
id = "CS001"
"""


@pytest.fixture
def read(tmp_path):
    def read(text: str = STATION + NETWORK + REST):
        file = tmp_path / "station.toml"
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return load(file)

    return read


@pytest.fixture
def mistakes(read):
    def mistakes(text: str) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            read(text)
        return str(caught.value).splitlines()

    return mistakes


def test_the_smallest_file_gets_every_default(read, tmp_path):
    found = read()
    assert found.state_dir == tmp_path / "state"
    assert found.networks[0].versions == (OcppVersion.V21, OcppVersion.V201)
    assert found.networks[0].slot == 1
    assert found.evses[0].connectors[0].max_current_a == 32
    assert found.local_api["listen"] == "127.0.0.1:8077"
    assert found.station["reset"] == "exit"
    assert found.warnings == ()


def test_every_mistake_is_told_at_once(mistakes):
    found = mistakes(
        """
        [station]
        id = "CS:1"
        modle = "x"
        network_slots = 0
        [[network]]
        url = "http://example.org"
        version = "2.2"
        [[evse]]
          [[evse.connector]]
          phases = 4
        [simulations]
        """
    )
    text = "\n".join(found)
    assert "station.id = 'CS:1': must be a text of 1 to 48 characters without a colon" in found
    assert "station.modle: there is no such key; did you mean model?" in found
    assert "station.network_slots = 0: must be an integer from 1 to 20" in found
    assert "network 1.url = 'http://example.org': must be a URL that begins with ws:// or wss://" in found
    assert 'network 1.version = \'2.2\': must be one of "1.6", "2.0.1", "2.1"' in found
    assert "phases = 4: must be an integer from 1 to 3" in text
    assert "simulations: there is no such key; did you mean simulation?" in found


def test_missing_parts_are_named(mistakes):
    found = mistakes("[station]\n")
    assert any(line.startswith("station.id: is missing") for line in found)
    assert any(line.startswith("[[network]]: there must be 1 to") for line in found)
    assert any(line.startswith("[[evse]]: there must be 1 to") for line in found)


@pytest.mark.parametrize("text", ["[station\n", "a = 1\na = 2\n", "x = '\x00'"])
def test_what_is_not_toml_is_said_with_its_place(mistakes, text):
    assert "is not valid TOML" in mistakes(text)[0]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")


SECRET = "hunter2-hunter2-hunter2"


@pytest.mark.parametrize(
    "text",
    [
        STATION + f'[network]\nurl = "ws://x"\nversion = "1.6"\npassword = "{SECRET}"\n' + REST,
        STATION + NETWORK.replace('"0123456789abcdef"', f'["{SECRET}"]') + REST,
        STATION + NETWORK + REST + f'[local_api]\nlisten = "0.0.0.0:1"\ntoken = ["{SECRET}"]\n',
        f'certificates = "{SECRET}"\n' + STATION + NETWORK + REST,
        STATION + NETWORK + REST + f'[certificates]\nstation = "{SECRET}"\n',
        STATION + NETWORK + REST + f'[keys]\nAuthorizationKey = {{ wrong = "{SECRET}" }}\n',
    ],
)
def test_no_mistake_shows_a_secret(mistakes, text):
    found = mistakes(text)
    assert found
    assert SECRET not in "\n".join(found)


def test_a_configuration_never_shows_its_secrets(read):
    found = read(
        STATION
        + NETWORK.replace("0123456789abcdef", SECRET)
        + REST
        + f'[local_api]\nlisten = "0.0.0.0:0"\ntoken = "{SECRET}"\n[keys]\nAuthorizationKey = "{SECRET}"\n'
    )
    assert SECRET not in repr(found)


def test_a_password_may_stand_in_a_file_of_its_own(read, tmp_path):
    (tmp_path / "password").write_text("0123456789abcdef\n")
    found = read(STATION + NETWORK.replace('password = "0123456789abcdef"', 'password_file = "password"') + REST)
    assert found.networks[0].password == "0123456789abcdef"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"x" * 65])
def test_a_password_file_that_holds_none_is_a_mistake(mistakes, tmp_path, content):
    (tmp_path / "password").write_bytes(content)
    found = mistakes(STATION + NETWORK.replace('password = "0123456789abcdef"', 'password_file = "password"') + REST)
    assert any("password_file" in line for line in found)


def test_a_short_password_works_with_a_warning(read):
    found = read(STATION + NETWORK.replace("0123456789abcdef", "short") + REST)
    assert found.networks[0].password == "short"
    assert "at least 16 characters" in found.warnings[0]


def test_security_profile_0_is_allowed_with_a_warning(read):
    found = read(STATION + NETWORK.replace("password = ", "security_profile = 0\npassword = ") + REST)
    assert "no authentication" in found.warnings[0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('security_profile = 2\npassword = "0123456789abcdef"', "needs a wss:// url"),
        ("security_profile = 1", "needs a password"),
        ('password = "0123456789abcdef"\nca_file = "none.pem"', "must be a file that exists"),
        ('password = "0123456789abcdef"\nslot = 4', "a slot of its own from 1 to 3"),
        ('password = "0123456789abcdef"\noffer = ["2.0.1", "3.0"]', "must be a list of"),
    ],
)
def test_a_network_that_contradicts_itself(mistakes, wrong, told):
    found = mistakes(STATION + NETWORK.replace('password = "0123456789abcdef"', wrong) + REST)
    assert any(told in line for line in found)


def test_two_networks_keep_their_order_and_slots(read):
    found = read(STATION + NETWORK.replace("version", "slot = 3\nversion") + NETWORK + REST)
    assert [profile.slot for profile in found.networks] == [3, 2]


def test_driver_names_that_are_not_installed_are_refused(mistakes):
    found = mistakes(STATION + NETWORK + REST + '  hardware = "warp"\n')
    assert any("hardware = 'warp'" in line for line in found)


def test_listening_beyond_loopback_needs_a_token(mistakes):
    found = mistakes(STATION + NETWORK + REST + '[local_api]\nlisten = "0.0.0.0:8077"\n')
    assert any(line.startswith("local_api.token: is missing") for line in found)


@pytest.mark.parametrize("value", ["1979-05-27", "{ always = true }", "{ value = 1, sometimes = true }", "[[1]]"])
def test_start_values_have_a_form(mistakes, value):
    found = mistakes(STATION + NETWORK + REST + f"[keys]\nHeartbeatInterval = {value}\n")
    assert any(line.startswith("keys.HeartbeatInterval: must be a text, number") for line in found)


def test_start_values_are_taken_as_written(read):
    found = read(
        STATION + NETWORK + REST + '[variables]\n"TxCtrlr/TxStartPoint" = { value = ["Authorized"], always = true }\n'
    )
    assert found.variables == {"TxCtrlr/TxStartPoint": {"value": ["Authorized"], "always": True}}


def test_an_address_that_is_none_is_told(mistakes):
    found = mistakes(STATION + NETWORK + REST + '[variables]\n"TxCtrlr" = "x"\n')
    assert any(line.startswith("variables: ") for line in found)


def test_certificate_files_must_exist_and_their_tables_be_right(mistakes, tmp_path):
    (tmp_path / "root.pem").write_text("x")
    found = mistakes(
        STATION
        + NETWORK
        + REST
        + '[certificates]\ncsms_root = ["root.pem", "none.pem"]\nstation = { cert = "root.pem", key_file = "root.pem" }\n'
    )
    assert "certificates.csms_root = 'none.pem': must be a file that exists" in found
    assert any(line.startswith("certificates.station.cert: there is no such key") for line in found)
    assert any(line.startswith("certificates.station.cert_file: is missing") for line in found)
