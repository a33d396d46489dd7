"""Where files are neither fetched from nor sent to: a CSMS must not reach through the station what only the machine may.

The local API trusts who reaches it on loopback, and other services of a board do the same.
"""

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def barred(address: str, port: int, *, api_port: int | None, allow_local: bool) -> str:
    """Why an address (in digits) must not be connected to; "" for one that may be. See `ocpp.core.transfer.Barred`.

    The local API, which listens on `api_port`, is barred always; the other ports of this machine's loopback addresses, and
    link-local addresses, unless `allow_local`.
    """
    found = _address(address)
    if port == api_port and _is_of_this_machine(found):
        return f"{address} port {port} is the station's own API"
    if not allow_local and (found.is_loopback or found.is_unspecified or found.is_link_local):
        return f"{address} is an address of this machine or cable; see transfers.allow_local"
    return ""


def _address(text: str) -> Address:
    found = ipaddress.ip_address(text)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _is_of_this_machine(address: Address) -> bool:
    """Only a machine's own addresses can be bound to."""
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            where = socket.getaddrinfo(str(address), 0, family, socket.SOCK_DGRAM)[0][4]
            probe.bind(where)
    except OSError:
        return False
    return True
