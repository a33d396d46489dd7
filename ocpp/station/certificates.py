"""The certificates that the station file names, taken into the store."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ocpp.connectivity import NetworkProfile
from ocpp.errors import ConfigurationError, SecurityError
from ocpp.security import roots
from ocpp.security.certificate_folder import CertificateFolder, Kind

NETWORK_FILE_KEY = "network_file"
"""Where the program keeps what `written` said of the network tables it took last."""

log = logging.getLogger(__name__)


def files(profile: NetworkProfile) -> Iterator[str]:
    """A digest of every file that a network table names: other contents are another configuration."""
    for name in (profile.ca_file, profile.cert_file, profile.key_file):
        if name is not None:
            yield hashlib.sha256(Path(name).read_bytes()).hexdigest()


def written(networks: Sequence[NetworkProfile]) -> str:
    """What the network tables say, contents of their files included: another text is another configuration."""
    digests = [digest for profile in networks for digest in files(profile)]
    return msgspec.json.encode(networks).decode() + ",".join(digests)


def take_tables(folder: CertificateFolder, tables: dict[str, Any]) -> None:
    """What `[certificates]` names, when the state directory is new. Raises ConfigurationError."""
    for kind in (Kind.CSMS_ROOT, Kind.MANUFACTURER_ROOT, Kind.MO_ROOT, Kind.V2G_ROOT):
        for path in tables.get(kind.value) or ():
            _take_roots(folder, kind, path)
    station, v2g = tables.get("station"), tables.get("v2g_chain")
    if station is not None:
        _take_own(folder, Kind.STATION, [station["cert_file"]], station["key_file"], station["key_password"])
    if v2g is not None:
        chain = [v2g["cert_file"], *(v2g["chain_files"] or ())]
        _take_own(folder, Kind.V2G, chain, v2g["key_file"], v2g["key_password"])


def take_profile(folder: CertificateFolder, profile: NetworkProfile) -> NetworkProfile:
    """The profile without its files: they are in the store from now on, where the CSMS may replace them."""
    if profile.ca_file is not None:
        _take_roots(folder, Kind.CSMS_ROOT, profile.ca_file)
    if profile.cert_file is not None and profile.key_file is not None:
        _take_own(folder, Kind.STATION, [profile.cert_file], profile.key_file, profile.key_password)
    return msgspec.structs.replace(profile, ca_file=None, cert_file=None, key_file=None, key_password=None)


def _take_roots(folder: CertificateFolder, kind: Kind, path: str) -> None:
    try:
        for root in roots.read(Path(path).read_bytes()):
            folder.put_root(kind, root)
            log.info("root certificate from %s: %s", path, root.subject or root.fingerprint)
    except (SecurityError, OSError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _take_own(folder: CertificateFolder, kind: Kind, paths: list[str], key_file: str, password: str | None) -> None:
    from ocpp.security import certificates

    try:
        chain = [each for path in paths for each in certificates.read_chain(Path(path).read_bytes())]
        key = certificates.read_key(Path(key_file).read_bytes(), password)
        if certificates.key_name(key) != certificates.key_name(chain[0]):
            raise SecurityError(f"{key_file} is not the private key of {paths[0]}")
        folder.store.add_key(key)
        folder.store.put(kind, chain)
    except (SecurityError, OSError) as error:
        raise ConfigurationError(f"{paths[0]}: {error}") from error
    log.info("certificate from %s: %s", paths[0], chain[0].subject.rfc4514_string())
