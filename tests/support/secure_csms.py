"""A CSMS behind TLS, and stations that connect to it with security profiles 2 and 3."""

import ssl

from ocpp.security import certificates
from support.conformance import ConformanceCsms, Setup
from support.processes import StationProcess
from support.tls import Authority, pem, server_context

PASSWORD = "0123456789abcdef"
BASIC = f'security_profile = 1\npassword = "{PASSWORD}"'


def asking(context: ssl.SSLContext, root: Authority) -> ssl.SSLContext:
    """The context, asking the station for its certificate."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=root.pem.decode())
    return context


def over_tls(setup: Setup, context: ssl.SSLContext) -> ConformanceCsms:
    """The CSMS speaks TLS from now on, on the same port."""
    port = setup.csms.port
    setup.csms.stop()
    setup.csms = ConformanceCsms(setup.version, context=context, port=port)
    return setup.csms


def start_with_tls(
    setup: Setup,
    root: Authority,
    *,
    profile: int = 2,
    own: Authority | None = None,
    context: ssl.SSLContext | None = None,
    **options,
) -> StationProcess:
    """A station with a root, and for profile 3 a certificate, from its station file."""
    over_tls(setup, context or server_context(setup.folder, root))
    (setup.folder / "root.pem").write_bytes(root.pem)
    network = f'security_profile = {profile}\npassword = "{PASSWORD}"\nca_file = "root.pem"'
    if own is not None:
        key = certificates.new_key()
        (setup.folder / "own.pem").write_bytes(pem(own.issue("CS001", key)))
        (setup.folder / "own.key").write_bytes(certificates.key_pem(key))
        network += '\ncert_file = "own.pem"\nkey_file = "own.key"'
    return setup.start(network=network, scheme="wss", host="localhost", **options)
