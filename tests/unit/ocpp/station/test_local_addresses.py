"""Where a CSMS must not reach through the station."""

import socket

import pytest

from ocpp.station.local_addresses import barred

API = 8077


def own_address():
    """One of this machine that is not its loopback; None on a machine without."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


OWN = ["127.0.0.1", "127.8.9.10", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"]
NEAR = ["169.254.169.254", "fe80::1", "fe80::1%lo", "::ffff:169.254.1.1"]
FAR = ["192.0.2.7", "10.0.0.1", "2001:db8::1"]


@pytest.mark.parametrize("address", OWN)
@pytest.mark.parametrize("allow_local", [True, False])
def test_the_stations_own_api_is_barred_whatever_its_address_and_whatever_is_allowed(address, allow_local):
    assert "own API" in barred(address, API, api_port=API, allow_local=allow_local)


def test_the_stations_own_api_is_barred_at_the_addresses_of_its_network_too():
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but its loopback's")
    assert "own API" in barred(address, API, api_port=API, allow_local=True)
    assert barred(address, API + 1, api_port=API, allow_local=True) == ""


@pytest.mark.parametrize("address", OWN + NEAR)
def test_machine_and_cable_are_barred_unless_they_are_allowed(address):
    assert "allow_local" in barred(address, 21, api_port=API, allow_local=False)
    assert barred(address, 21, api_port=API, allow_local=True) == ""


@pytest.mark.parametrize("address", FAR)
@pytest.mark.parametrize("port", [21, API])
def test_other_machines_are_not_barred(address, port):
    assert barred(address, port, api_port=API, allow_local=False) == ""
