"""URLs of a CSMS: what is none is refused before anything is tried, and a query stays where it belongs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.uri import parse_uri

from ocpp.connectivity import NetworkProfile, address
from ocpp.errors import ConfigurationError
from ocpp.versions import OcppVersion

GOOD = [
    "ws://csms",
    "ws://csms/",
    "WSS://csms.example.com:8443/ocpp/",
    "ws://10.0.0.1:80/x",
    "ws://[::1]/",
    "ws://[2001:db8::1]:9000/ocpp",
    "ws://münchen.example/ocpp",
    "ws://h/ä%20b",
    "ws://h./",
    "ws://exa_mple/",
    "ws://h?token=1",
    "wss://h/ocpp?a=1&b=%2F",
]
BAD = [
    ("", "begin with ws"),
    ("csms", "begin with ws"),
    ("http://csms", "begin with ws"),
    ("ws:/csms", "begin with ws"),
    ("ws://", "no host"),
    ("ws:///path", "no host"),
    ("ws://?x=1", "no host"),
    ("ws://:80/", "no host"),
    ("ws://csms/ocpp#a", "fragment"),
    ("ws://csms/ocpp#", "fragment"),
    ("ws://user@csms/", "user"),
    ("ws://user:secret@csms/", "user"),
    ("ws://csms:99999/", "Port"),
    ("ws://csms:-1/", "Port"),
    ("ws://csms:http/", "Port"),
    ("ws://csms:0/", "port"),
    ("ws://csms:/", "port"),
    ("ws://ws://csms/", "port"),
    ("ws://[::1", "IPv6"),
    ("ws://::1]/", "IPv6"),
    ("ws://[zz]/", "address"),
    ("ws://[::1]x/", "brackets"),
    ("ws://a b/", "' '"),
    (" ws://csms", "' '"),
    ("ws://csms\n", "'\\n'"),
    ("ws://csms/\x00", "'\\x00'"),
    ("ws://csms/\x7f", "'\\x7f'"),
    ("ws://csms/a\tb", "'\\t'"),
    ("ws://csms\\x", "which no URL"),
    ("ws://csms/<x>", "'<'"),
    ("ws://csms/\ud800", "which no URL"),
    ("ws://csms/%zz", "%"),
    ("ws://csms/%", "%"),
    ("ws://a..b/", "DNS"),
    ("ws://-a/", "DNS"),
    ("ws://" + "a" * 64 + ".example/", "DNS"),
    ("ws://" + ".".join(["a" * 60] * 5) + "/", "DNS"),
    ("ws://256.1.1.1/", "address"),
    ("ws://1.2.3/", "address"),
    ("ws://csms/" + "x" * 2000, "2000"),
]


@pytest.mark.parametrize("url", GOOD)
def test_a_url_of_a_csms_is_one(url):
    assert address.defect(url) == ""
    parse_uri(address.for_station(url, "CS 001"))


@pytest.mark.req("B09.FR.02")
@pytest.mark.parametrize(("url", "told"), BAD)
def test_what_is_no_url_is_told(url, told):
    assert told in address.defect(url)
    profile = NetworkProfile(slot=1, url=url, version=OcppVersion.V201, security_profile=0)
    with pytest.raises(ConfigurationError, match="network slot 1: url") as refused:
        profile.check()
    assert "secret" not in str(refused.value)


@given(st.text(max_size=60) | st.text(max_size=60).map("ws://".__add__))
def test_what_is_taken_for_a_url_can_be_connected_to(url):
    if address.defect(url) == "":
        parse_uri(address.for_station(url, "CS/001"))
        address.shown(url)


@pytest.mark.req("1.6-J-3.1.1")
@pytest.mark.parametrize(
    ("url", "connection"),
    [
        ("ws://host/ocpp?token=1", "ws://host/ocpp/CS%20001%2F?token=1"),
        ("ws://host/ocpp/?token=1&a=/b/", "ws://host/ocpp/CS%20001%2F?token=1&a=/b/"),
        ("ws://host?token=1", "ws://host/CS%20001%2F?token=1"),
        ("ws://host/", "ws://host/CS%20001%2F"),
        ("ws://host", "ws://host/CS%20001%2F"),
        ("wss://host:1/a/b//", "wss://host:1/a/b/CS%20001%2F"),
    ],
)
def test_the_identity_is_the_last_part_of_the_path_and_a_query_stays_behind_it(url, connection):
    profile = NetworkProfile(slot=1, url=url, version=OcppVersion.V201)
    assert profile.connection_url("CS 001/") == connection


def test_logs_show_no_query():
    profile = NetworkProfile(slot=1, url="ws://host/ocpp?token=secret", version=OcppVersion.V201)
    assert "secret" not in profile.shown_url + repr(profile)
    assert profile.shown_url == "ws://host/ocpp?…"
