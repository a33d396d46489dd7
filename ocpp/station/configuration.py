"""The station file: read, checked as a whole, and typed. Every mistake is reported at once."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from hal.interfaces import PartDescription
from ocpp.connectivity.profile import NetworkProfile
from ocpp.device_model.address import parse
from ocpp.device_model.hardware import ConnectorDescription, EvseDescription, StationDescription
from ocpp.errors import ConfigurationError, DeviceModelError
from ocpp.station import installation, schema
from ocpp.station.schema import Option
from ocpp.versions import OcppVersion

WIRED = "wired"

MAX_EVSES = 64
MAX_MONITORS = 100
MAX_PARTS = 200
MAX_CONNECTORS = 8
"""Of one EVSE."""


class Configuration(msgspec.Struct, frozen=True):
    """A checked station file, with its defaults filled in and its paths made absolute."""

    path: Path
    station: dict[str, Any]
    networks: tuple[NetworkProfile, ...]
    evses: tuple[EvseDescription, ...]
    simulation: dict[str, Any]
    firmware: dict[str, Any]
    smart_charging: dict[str, Any]
    local_api: dict[str, Any]
    tolerance: dict[str, Any]
    transfers: dict[str, Any] = msgspec.field(default_factory=dict)
    certificates: dict[str, Any] = msgspec.field(default_factory=dict)
    variables: dict[str, Any] = msgspec.field(default_factory=dict)
    keys: dict[str, Any] = msgspec.field(default_factory=dict)
    monitors: tuple[dict[str, Any], ...] = ()
    hardware: dict[str, Any] = msgspec.field(default_factory=dict)
    parts: tuple[PartDescription, ...] = ()
    """The real parts; none where everything is simulated."""
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Configuration({str(self.path)!r})"  # the rest holds passwords

    @property
    def state_dir(self) -> Path:
        """Where everything that must survive is kept."""
        folder: Path = self.path.parent / self.station["state_dir"]
        return folder

    @property
    def description(self) -> StationDescription:
        """The hardware, for the device model."""
        return StationDescription(
            vendor=self.station["vendor"],
            model=self.station["model"],
            serial_number=self.station["serial_number"],
            firmware_version=self.station["firmware_version"],
            evses=tuple(replace(evse, signed_meter=self.simulation["signed_meter"]) for evse in self.evses),
            nominal_voltage_v=float(self.smart_charging["nominal_voltage_v"]),
            identity=self.station["id"],
            network_slots=tuple(range(1, self.station["network_slots"] + 1)),
            display=self.station["display"],
        )


def load(path: Path) -> Configuration:
    """Read a station file; ConfigurationError lists everything that is wrong with it, a line each."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    reader = _Reader(path)
    configuration = reader.read(raw)
    if reader.mistakes:
        raise ConfigurationError("\n".join(reader.mistakes))
    return configuration


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.mistakes: list[str] = []
        self.warnings: list[str] = []
        self._kinds: set[str] = set()

    def read(self, raw: dict[str, Any]) -> Configuration:
        self._unknown(raw, schema.SECTIONS, "")
        station = self._section(self._table(raw, "station"), schema.STATION, "station")
        station["firmware_version"] = station["firmware_version"] or installation.version()
        networks = self._networks(raw, station)
        evses = self._evses(raw)
        hardware = self._section(self._table(raw, "hardware"), schema.HARDWARE, "hardware")
        local_api = self._section(self._table(raw, "local_api"), schema.LOCAL_API, "local_api")
        self._check_local_api(local_api)
        variables = self._start_values(raw, "variables")
        for address in variables:
            self._check_address(address)
        return Configuration(
            path=self._path.resolve(),
            station=station,
            networks=networks,
            evses=evses,
            simulation=self._section(self._table(raw, "simulation"), schema.SIMULATION, "simulation"),
            firmware=self._section(self._table(raw, "firmware"), schema.FIRMWARE, "firmware"),
            smart_charging=self._section(self._table(raw, "smart_charging"), schema.SMART_CHARGING, "smart_charging"),
            local_api=local_api,
            tolerance=self._section(self._table(raw, "tolerance"), schema.TOLERANCE, "tolerance"),
            transfers=self._section(self._table(raw, "transfers"), schema.TRANSFERS, "transfers"),
            certificates=self._certificates(raw),
            variables=variables,
            keys=self._start_values(raw, "keys"),
            monitors=self._monitors(raw),
            hardware=hardware,
            parts=self._parts(raw, hardware["board"]),
            warnings=tuple(self.warnings),
        )

    def _mistake(self, where: str, value: Any, allowed: str) -> None:
        self.mistakes.append(f"{where} = {value!r}: must be {allowed}")

    def _table(self, raw: dict[str, Any], name: str) -> dict[str, Any]:
        value = raw.get(name, {})
        if isinstance(value, dict):
            return value
        self.mistakes.append(f"{name}: must be a table, written [{name}], not {_kind(value)}")
        return {}

    def _start_values(self, raw: dict[str, Any], name: str) -> dict[str, Any]:
        values = self._table(raw, name)
        for key, given in values.items():
            if not schema.start_value(given):
                self.mistakes.append(f"{name}.{key}: must be {schema.START_VALUE}, not {_kind(given)}")
        return values

    def _unknown(self, given: dict[str, Any], known: dict[str, Any], where: str) -> None:
        for key in given:
            if key not in known:
                import difflib

                close = difflib.get_close_matches(key, list(known), 1)
                hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"
                self.mistakes.append(f"{where}{'.' if where else ''}{key}: there is no such key{hint}")

    def _section(self, given: dict[str, Any], options: dict[str, Option], where: str) -> dict[str, Any]:
        self._unknown(given, options, where)
        values: dict[str, Any] = {}
        for key, option in options.items():
            values[key] = option.default
            if key not in given:
                if option.required:
                    self.mistakes.append(f"{where}.{key}: is missing; must be {option.allowed}")
            elif option.check(given[key]):
                values[key] = given[key]
            else:
                self._mistake(f"{where}.{key}", "…" if option.secret else given[key], option.allowed)
        return values

    def _monitors(self, raw: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        if "monitor" not in raw:
            return ()
        tables = self._list(raw, "monitor", "monitor", MAX_MONITORS)
        found = [self._section(given, schema.MONITOR, f"monitor {n}") for n, given in enumerate(tables, 1)]
        for monitor in found:
            self._check_address(monitor["variable"])
        return tuple(found)

    def _list(self, raw: dict[str, Any], name: str, where: str, most: int) -> list[dict[str, Any]]:
        value = raw.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.mistakes.append(f"{where}: must be tables, each written [[{name}]], not {_kind(value)}")
            return []
        if not 1 <= len(value) <= most:
            self.mistakes.append(f"[[{where}]]: there must be 1 to {most}, not {len(value)}")
        return value[:most]

    def _networks(self, raw: dict[str, Any], station: dict[str, Any]) -> tuple[NetworkProfile, ...]:
        found: list[NetworkProfile] = []
        slots = station["network_slots"]
        for index, given in enumerate(self._list(raw, "network", "network", slots), 1):
            where = f"network {index}"
            values = self._section(given, schema.NETWORK, where)
            if values["url"] is None or values["version"] is None:
                continue
            profile = self._profile(values, where, index)
            if profile.slot > slots or any(profile.slot == other.slot for other in found):
                self._mistake(f"{where}.slot", profile.slot, f"a slot of its own from 1 to {slots}")
            found.append(profile)
        return tuple(found)

    def _profile(self, values: dict[str, Any], where: str, index: int) -> NetworkProfile:
        profile = NetworkProfile(
            slot=values["slot"] or index,
            url=values["url"],
            version=OcppVersion(values["version"]),
            offer=tuple(OcppVersion(version) for version in values["offer"]),
            security_profile=values["security_profile"],
            password=self._password(values, where),
            interface=values["interface"],
            message_timeout_s=values["message_timeout_s"],
            identity=values["identity"],
            ca_file=self._file(values["ca_file"], f"{where}.ca_file"),
            cert_file=self._file(values["cert_file"], f"{where}.cert_file"),
            key_file=self._file(values["key_file"], f"{where}.key_file"),
            key_password=values["key_password"],
            verify_hostname=values["verify_hostname"],
        )
        try:
            profile.check()
        except ConfigurationError as error:
            self.mistakes.append(f"{where}: {str(error).partition(': ')[2]}")
        if profile.security_profile == 0:
            self.warnings.append(f"{where}: security profile 0 has no authentication; for tests on one machine only")
        return profile

    def _password(self, values: dict[str, Any], where: str) -> str | None:
        password: str | None = values["password"]
        path = self._file(values["password_file"], f"{where}.password_file")
        if password is None and path is not None:
            password = self._secret_in(path, where)
        if password is not None and len(password) < schema.PASSWORD_LEAST:
            self.warnings.append(f"{where}.password: OCPP asks for at least {schema.PASSWORD_LEAST} characters")
        return password

    def _secret_in(self, path: str, where: str) -> str | None:
        option = schema.NETWORK["password"]
        try:
            secret = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.mistakes.append(f"{where}.password_file = {path!r}: cannot be read: {error}")
            return None
        if not option.check(secret):
            self.mistakes.append(f"{where}.password_file = {path!r}: must hold {option.allowed}")
            return None
        return secret

    def _certificates(self, raw: dict[str, Any]) -> dict[str, Any]:
        """The PEM files, with their paths made absolute."""
        values = self._section(self._table(raw, "certificates"), schema.CERTIFICATES, "certificates")
        for name in schema.ROOTS:
            values[name] = [self._file(each, f"certificates.{name}") for each in values[name]]
        for name, options in schema.CERTIFICATE_TABLES.items():
            if values[name] is None:
                continue
            where = f"certificates.{name}"
            given = self._section(values[name], options, where)
            for key in ("cert_file", "key_file"):
                given[key] = self._file(given[key], f"{where}.{key}")
            if "chain_files" in given:
                given["chain_files"] = [self._file(each, f"{where}.chain_files") for each in given["chain_files"]]
            values[name] = given
        return values

    def _file(self, name: str | None, where: str) -> str | None:
        if name is None:
            return None
        path = self._path.parent / name
        if not path.is_file():
            self._mistake(where, name, "a file that exists")
            return None
        return str(path.resolve())

    def _evses(self, raw: dict[str, Any]) -> tuple[EvseDescription, ...]:
        found: list[EvseDescription] = []
        for index, given in enumerate(self._list(raw, "evse", "evse", MAX_EVSES), 1):
            where = f"evse {index}"
            values = self._section(given, schema.EVSE, where)
            connectors = self._list(given, "connector", f"{where}.connector", MAX_CONNECTORS)
            found.append(
                EvseDescription(
                    tuple(self._connector(each, f"{where}.connector {n}") for n, each in enumerate(connectors, 1)),
                    values["bay_sensor"],
                    values["display"],
                    values["iso15118"],
                )
            )
        return tuple(found)

    def _connector(self, given: dict[str, Any], where: str) -> ConnectorDescription:
        values = self._section(given, schema.CONNECTOR, where)
        self._kinds.add(values["hardware"])
        return ConnectorDescription(
            values["type"],
            float(values["max_current_a"] or 32),
            values["phases"] or 3,
            values["lock"],
            values["phase_rotation"] or "",
        )

    def _parts(self, raw: dict[str, Any], board_name: str) -> tuple[PartDescription, ...]:
        """The real parts, their drivers' options checked; nothing is opened."""
        wired = WIRED in self._kinds
        if not wired and "part" not in raw:
            return ()
        if self._kinds != {WIRED}:
            self.mistakes.append('evse.connector.hardware: [[part]] tables need every connector to be "wired"')
            return ()
        if "part" not in raw:
            self.mistakes.append("part: wired connectors need [[part]] tables, at least a contactor and a pilot")
            return ()
        from ocpp.station.parts import describe

        found = []
        for number, given in enumerate(self._list(raw, "part", "part", MAX_PARTS), 1):
            where = f"part {number}"
            own = {key: value for key, value in given.items() if key in schema.PART}
            rest = {key: value for key, value in given.items() if key not in schema.PART}
            values = self._section(own, schema.PART, where)
            if values["driver"] is not None:
                described, mistake = describe(number, values, rest, board_name)
                found.append(described)
                self.mistakes += [f"{where}: {mistake}"] if mistake else []
        return tuple(found)

    def _check_local_api(self, local_api: dict[str, Any]) -> None:
        host = str(local_api["listen"]).rpartition(":")[0]
        if local_api["listen"] != "off" and host not in ("127.0.0.1", "localhost", "[::1]") and not local_api["token"]:
            self.mistakes.append(
                f"local_api.token: is missing; listening on {host} needs one, others could steer the station"
            )

    def _check_address(self, address: str) -> None:
        try:
            parse(address)
        except DeviceModelError as error:
            self.mistakes.append(f"variables: {error}")


def _kind(value: Any) -> str:
    """What somebody wrote, without showing it: it may hold a secret."""
    return {dict: "a table", list: "a list", str: "a text", bool: "true or false"}.get(type(value), "a plain value")
