"""What may stand in a station file: sections, keys, types and limits, as a table that the reader and the docs share."""

from collections.abc import Callable
from typing import Any

import msgspec

from ocpp.device_model.hardware import PHASE_ROTATIONS

VERSIONS = ("1.6", "2.0.1", "2.1")
INTERFACES = ("Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3", "Any")


class Option(msgspec.Struct, frozen=True):
    """One key: `allowed` says in words what `check` tests, `meaning` what it does; a `required` one has no default."""

    check: Callable[[Any], bool]
    allowed: str
    default: Any = None
    required: bool = False
    secret: bool = False
    meaning: str = ""


def text(low: int = 0, high: int = 255, **more: Any) -> Option:
    """A text of that length."""
    allowed = f"a text of {low} to {high} characters" if low else f"a text of at most {high} characters"
    return Option(lambda value: isinstance(value, str) and low <= len(value) <= high, allowed, **more)


def number(low: float, high: float, **more: Any) -> Option:
    """A number within limits."""
    return Option(
        lambda value: not isinstance(value, bool) and isinstance(value, int | float) and low <= value <= high,
        f"a number from {low:g} to {high:g}",
        **more,
    )


def integer(low: int, high: int, **more: Any) -> Option:
    """An integer within limits."""
    return Option(
        lambda value: not isinstance(value, bool) and isinstance(value, int) and low <= value <= high,
        f"an integer from {low} to {high}",
        **more,
    )


def boolean(default: bool, **more: Any) -> Option:
    """True or false."""
    return Option(lambda value: isinstance(value, bool), "true or false", default, **more)


def choice(*values: str, **more: Any) -> Option:
    """One of some texts."""
    return Option(lambda value: value in values, "one of " + ", ".join(f'"{value}"' for value in values), **more)


def texts(*values: str, **more: Any) -> Option:
    """A list of texts, of the given ones if there are any."""
    allowed = "a list of " + (", ".join(f'"{value}"' for value in values) if values else "texts")
    return Option(
        lambda value: (
            isinstance(value, list) and all(isinstance(each, str) and (not values or each in values) for each in value)
        ),
        allowed,
        [],
        **more,
    )


def path(**more: Any) -> Option:
    """A file, relative to the station file."""
    return Option(lambda value: isinstance(value, str) and bool(value), "the path of a file", **more)


def _identity(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 48 and ":" not in value


PASSWORD_LEAST = 16
"""Characters that OCPP asks of a password at least; shorter ones work, with a warning (A00.FR.205)."""

START_VALUE = "a text, number, true or false, or a list of them, or { value = …, always = true }"


def start_value(value: Any) -> bool:
    """Whether it can be the start value of a variable or key."""
    if isinstance(value, dict):
        long_form = "value" in value and not set(value) - {"value", "always"}
        return long_form and isinstance(value.get("always", False), bool) and _plain(value["value"])
    return _plain(value)


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str | int | float) for each in value)
    return isinstance(value, str | int | float)


KEY_PAIR = {
    "cert_file": path(meaning="client certificate of security profile 3, with the chain behind it"),
    "key_file": path(meaning="its private key"),
    "key_password": text(secret=True, meaning="password of the private key"),
}

STATION = {
    "id": Option(
        _identity,
        "a text of 1 to 48 characters without a colon",
        required=True,
        meaning="identity of the station: last part of the connection URL, user name of basic authentication",
    ),
    "vendor": text(
        1, 50, default="pilotwire", meaning="maker, as BootNotification tells it (1.6: the first 20 characters)"
    ),
    "model": text(1, 20, default="Virtual", meaning="model, as BootNotification tells it"),
    "serial_number": text(0, 25, default="", meaning="serial number of the station"),
    "charge_box_serial_number": text(0, 25, default="", meaning="1.6 only; default: `serial_number`"),
    "firmware_version": text(0, 50, meaning="default: the installed version of pilotwire"),
    "iccid": text(0, 20, meaning="ICCID of the modem's SIM card"),
    "imsi": text(0, 20, meaning="IMSI of the modem's SIM card"),
    "state_dir": text(
        1, 4096, default="state", meaning="folder of everything that must survive, relative to the station file"
    ),
    "reset": choice(
        "exit",
        "in-process",
        default="exit",
        meaning="what an OCPP reset does: end the program with status 75 for the supervisor, or start over in the same process",
    ),
    "display": boolean(True, meaning="whether the station has a display for drivers"),
    "main_meter": boolean(False, meaning="whether a meter measures the whole station (EVSE 0)"),
    "master_pass_choice": boolean(
        False,
        meaning="whether the holder of a master pass chooses which transactions end, by the local API; else all do",
    ),
    "network_slots": integer(
        1, 20, default=3, meaning="configuration slots for network connection profiles, empty ones included"
    ),
    "message_log": boolean(
        True, meaning="whether every OCPP frame is written to `messages.jsonl` in the state directory"
    ),
}

NETWORK = {
    "slot": integer(1, 20, meaning="configuration slot; default: 1 for the first table, 2 for the second, ..."),
    "url": Option(
        lambda value: isinstance(value, str) and value.startswith(("ws://", "wss://")),
        "a URL that begins with ws:// or wss://",
        required=True,
        meaning="the CSMS; the identity is added to it",
    ),
    "version": choice(
        *VERSIONS,
        required=True,
        meaning="the OCPP version expected there: used offline, and alone with a CSMS that cannot negotiate",
    ),
    "offer": texts(
        *VERSIONS,
        meaning="versions offered in the handshake; default: the expected one and those of the same major version",
    ),
    "security_profile": integer(
        0,
        3,
        default=1,
        meaning="0: no authentication (one machine only), 1: password, 2: TLS and password, 3: TLS with a client certificate",
    ),
    "password": text(1, 64, secret=True, meaning="password of security profiles 1 and 2"),
    "password_file": path(meaning="file that holds the password instead"),
    "interface": choice(*INTERFACES, default="Wired0", meaning="network interface, as the CSMS names it"),
    "message_timeout_s": integer(
        1, 3600, default=30, meaning="how long the station waits for the answer to a call, in s"
    ),
    "identity": Option(
        _identity,
        "a text of 1 to 48 characters without a colon",
        meaning="identity at this CSMS, when it differs from `station.id`",
    ),
    "ca_file": path(meaning="root certificates of the CSMS; default: those of the operating system"),
    **KEY_PAIR,
    "verify_hostname": boolean(True, meaning="whether the certificate has to name the host of the URL"),
}

ROOTS = ("csms_root", "manufacturer_root", "mo_root", "v2g_root")

CERTIFICATE_TABLES = {
    "station": {
        "cert_file": path(required=True),
        "key_file": path(required=True),
        "key_password": text(secret=True),
    },
    "v2g_chain": {
        "cert_file": path(required=True),
        "chain_files": texts(),
        "key_file": path(required=True),
        "key_password": text(secret=True),
    },
}

CERTIFICATES = {
    **{
        name: texts(meaning=f"files with root certificates of the {whose}")
        for name, whose in zip(ROOTS, ("CSMS", "manufacturer", "mobility operators", "V2G PKI"), strict=True)
    },
    **{
        name: Option(
            lambda value: isinstance(value, dict), "a table with " + ", ".join(keys), secret=True, meaning=meaning
        )
        for (name, keys), meaning in zip(
            CERTIFICATE_TABLES.items(),
            ("the station's certificate towards the CSMS", "the station's certificate towards EVs (ISO 15118)"),
            strict=True,
        )
    },
}

EVSE = {
    "bay_sensor": boolean(False, meaning="whether a sensor sees a car in the parking bay"),
    "display": boolean(False, meaning="whether the EVSE has a display of its own"),
    "iso15118": boolean(False, meaning="whether the EVSE speaks ISO 15118 with EVs"),
    "connector": Option(
        lambda value: isinstance(value, list) and bool(value),
        "at least one [[evse.connector]]",
        required=True,
        meaning="at least one `[[evse.connector]]`",
    ),
}

MONITOR = {
    "variable": text(1, 200, required=True, meaning="variable, such as `EVSE@1/AvailabilityState`"),
    "type": choice(
        "UpperThreshold",
        "LowerThreshold",
        "Delta",
        "Periodic",
        "PeriodicClockAligned",
        default="Delta",
        meaning="type of the monitor",
    ),
    "value": number(-1e12, 1e12, default=1, meaning="threshold, delta, or period in s"),
    "severity": integer(0, 9, default=8, meaning="severity, 0 is danger"),
    "hard_wired": boolean(False, meaning="whether the CSMS can neither change nor clear it"),
}

CONNECTOR = {
    "type": text(1, 20, default="cType2", meaning="connector type in OCPP 2.x words"),
    "max_current_a": number(6, 1000, default=32, meaning="what connector and cable carry, in A per phase"),
    "phases": integer(1, 3, default=3, meaning="phases wired"),
    "lock": boolean(True, meaning="whether the cable can be locked"),
    "phase_rotation": choice(
        *PHASE_ROTATIONS, meaning="its phases in order, as those of the grid connection; default: nothing is said of it"
    ),
    "hardware": choice(
        "simulated",
        "wired",
        default="simulated",
        meaning="`wired`: real parts, each a `[[part]]` table; all connectors or none",
    ),
}

HARDWARE = {
    "board": text(1, 50, default="linux", meaning="whose pin names the parts use, one of `hal/boards`"),
    "watchdog": text(1, 200, meaning="device that restarts the machine when the safety loop dies, `/dev/watchdog`"),
}

PART = {
    "driver": text(1, 50, required=True, meaning="its driver, one of `hal/drivers`"),
    "name": text(1, 50, meaning="what logs call it; default: the driver and its number"),
    "evse": integer(0, 64, default=0, meaning="the EVSE it belongs to; 0: the whole station"),
    "connector": integer(1, 8, default=1, meaning="the connector of a lock"),
}
"""All other keys are the driver's own options."""

SIMULATION = {
    "seed": integer(0, 2**31, default=1, meaning="seed of everything random"),
    "keep_on_restart": boolean(
        False, meaning="whether cables, EVs, faults and meter settings survive a restart and a power cut"
    ),
    "meter_resets_on_plug": boolean(False, meaning="whether the register starts at 0 with every plug-in"),
    "signed_meter": boolean(False, meaning="whether the meter signs its readings"),
    "firmware_activation": choice(
        "exit",
        "in-process",
        "none",
        default="exit",
        meaning="what installing new firmware does: end the program with status 75, change over while the connection "
        "stays, or connect anew and not even stop those who charge",
    ),
    "firmware_install_s": number(0, 3600, default=2, meaning="how long installing takes, in s"),
}

FIRMWARE = {
    "install_command": texts(
        meaning="the update tool and its arguments, `{file}` standing for the image; exit status 0: installed, 75: "
        "installed and active after a restart, 65: the image is not fit, others: failed"
    ),
    "confirm_command": texts(
        meaning="asked after that restart whether the new firmware runs (exit status 0); default: it does"
    ),
    "interrupts_charging": boolean(True, meaning="whether nobody can charge while the update tool works"),
}

SMART_CHARGING = {
    "default_limit_a": number(
        0, 1000, default=32, meaning="what a connector may draw when no charging profile applies, in A per phase"
    ),
    "grid_limit_a": number(
        0,
        100000,
        meaning="what the connection to the grid carries for all EVSEs together, in A per phase; default: enough",
    ),
    "default_phases": integer(1, 3, default=3, meaning="phases assumed then"),
    "nominal_voltage_v": number(50, 1000, default=230, meaning="for conversion between W and A, in V"),
}

TRANSFERS = {
    "allow_local": boolean(
        False,
        meaning="with real hardware: whether files may be sent to and fetched from this machine itself (loopback) and "
        "its neighbours on the cable (link-local addresses); never from the local API",
    ),
}

LOCAL_API = {
    "listen": Option(
        lambda value: (
            isinstance(value, str)
            and (value == "off" or (value.rpartition(":")[2].isdigit() and int(value.rpartition(":")[2]) < 65536))
        ),
        '"off", or host:port',
        "127.0.0.1:8077",
        meaning="where the local API listens; port 0 picks one and logs it",
    ),
    "token": text(8, 255, secret=True, meaning="bearer token; required when not on loopback"),
}

TOLERANCE = {
    "null_for_absent": boolean(
        True,
        meaning="whether null in a call of the CSMS says that an optional member is absent; else such a call is refused",
    ),
}

SECTIONS = {
    "station": STATION,
    "network": NETWORK,
    "certificates": CERTIFICATES,
    "evse": EVSE,
    "monitor": MONITOR,
    "hardware": HARDWARE,
    "part": PART,
    "simulation": SIMULATION,
    "firmware": FIRMWARE,
    "smart_charging": SMART_CHARGING,
    "transfers": TRANSFERS,
    "variables": {},
    "keys": {},
    "local_api": LOCAL_API,
    "tolerance": TOLERANCE,
}
"""Every section; `variables` and `keys` hold what the device model knows."""
