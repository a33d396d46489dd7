"""What a station has: certificates and network profiles, as its next start will see them. Nothing is changed."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from ocpp.connectivity import NetworkProfile
from ocpp.connectivity.slots import readable
from ocpp.device_model.definition import members
from ocpp.security.certificate_folder import CertificateFolder
from ocpp.station.certificates import NETWORK_FILE_KEY, take_profile, take_tables, written
from ocpp.station.configuration import Configuration

PRIORITY = ("OCPPCommCtrlr", "NetworkConfigurationPriority", "Actual")


class Installed(msgspec.Struct, frozen=True):
    """Certificates in a copy of their folder, and the network profiles, best first."""

    folder: CertificateFolder
    profiles: tuple[NetworkProfile, ...]


@contextmanager
def installed(configuration: Configuration) -> Iterator[Installed]:
    """Copies the certificates aside for as long as they are looked at; a station may run meanwhile.

    Raises ConfigurationError when a file that the station file names cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="pilotwire-") as name:
        folder = CertificateFolder(Path(name) / "certificates")
        kept = configuration.state_dir / "certificates"
        if kept.is_dir():
            shutil.copytree(kept, folder.path)
        database = configuration.state_dir / "station.db"
        profiles = _stored_profiles(database, written(configuration.networks))
        if not database.is_file():
            take_tables(folder, configuration.certificates)
        if not profiles:
            profiles = [take_profile(folder, profile) for profile in configuration.networks]
        yield Installed(folder, tuple(profiles))


def _stored_profiles(database: Path, in_file: str) -> list[NetworkProfile]:
    """What the CSMS may have changed; none where the network tables of the station file are new to the station."""
    if not database.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            taken = connection.execute("SELECT value FROM state WHERE key = ?", (NETWORK_FILE_KEY,)).fetchone()
            if taken is None or msgspec.json.decode(taken[0]) != in_file:
                return []
            slots = dict(connection.execute("SELECT slot, profile FROM network_slots"))
            rows = connection.execute(
                "SELECT value FROM variables WHERE component = ? AND variable = ? AND attribute = ?", PRIORITY
            ).fetchall()
    except sqlite3.Error:
        return []  # not a database yet, or a damaged one, which the next start repairs
    order = [int(slot) for slot in members(rows[0][0])] if rows else sorted(slots)
    found = readable(slots)
    return [found[slot] for slot in order if slot in found]
