"""What may stand in a station file: sections, keys, types and limits, as a table that the reader and the docs share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

VERSIONS = ("1.6", "2.0.1", "2.1")
INTERFACES = ("Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3", "Any")


@dataclass(frozen=True, slots=True)
class Option:
    """One key: `allowed` says in words what `check` tests; a `required` one has no default."""

    check: Callable[[Any], bool]
    allowed: str
    default: Any = None
    required: bool = False
    secret: bool = False


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


def boolean(default: bool) -> Option:
    """True or false."""
    return Option(lambda value: isinstance(value, bool), "true or false", default)


def choice(*values: str, **more: Any) -> Option:
    """One of some texts."""
    return Option(lambda value: value in values, "one of " + ", ".join(f'"{value}"' for value in values), **more)


def texts(*values: str) -> Option:
    """A list of texts, of the given ones if there are any."""
    allowed = "a list of " + (", ".join(f'"{value}"' for value in values) if values else "texts")
    return Option(
        lambda value: (
            isinstance(value, list) and all(isinstance(each, str) and (not values or each in values) for each in value)
        ),
        allowed,
        [],
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
    "cert_file": path(),
    "key_file": path(),
    "key_password": text(secret=True),
}

STATION = {
    "id": Option(_identity, "a text of 1 to 48 characters without a colon", required=True),
    "vendor": text(1, 50, default="pilotwire"),
    "model": text(1, 20, default="Virtual"),
    "serial_number": text(0, 25, default=""),
    "charge_box_serial_number": text(0, 25, default=""),
    "firmware_version": text(0, 50),
    "iccid": text(0, 20),
    "imsi": text(0, 20),
    "state_dir": text(1, 4096, default="state"),
    "reset": choice("exit", "in-process", default="exit"),
    "network_slots": integer(1, 20, default=3),
    "message_log": boolean(True),
}

NETWORK = {
    "slot": integer(1, 20),
    "url": Option(
        lambda value: isinstance(value, str) and value.startswith(("ws://", "wss://")),
        "a URL that begins with ws:// or wss://",
        required=True,
    ),
    "version": choice(*VERSIONS, required=True),
    "offer": texts(*VERSIONS),
    "security_profile": integer(0, 3, default=1),
    "password": text(1, 64, secret=True),
    "password_file": path(),
    "interface": choice(*INTERFACES, default="Wired0"),
    "message_timeout_s": integer(1, 3600, default=30),
    "identity": Option(_identity, "a text of 1 to 48 characters without a colon"),
    "ca_file": path(),
    **KEY_PAIR,
    "verify_hostname": boolean(True),
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
    **{name: texts() for name in ROOTS},
    **{
        name: Option(lambda value: isinstance(value, dict), "a table with " + ", ".join(keys), secret=True)
        for name, keys in CERTIFICATE_TABLES.items()
    },
}

EVSE = {
    "bay_sensor": boolean(False),
    "connector": Option(
        lambda value: isinstance(value, list) and bool(value), "at least one [[evse.connector]]", required=True
    ),
}

CONNECTOR = {
    "type": text(1, 20, default="cType2"),
    "max_current_a": number(6, 1000, default=32),
    "phases": integer(1, 3, default=3),
    "lock": boolean(True),
    "hardware": text(1, 50, default="simulated"),
}

SIMULATION = {
    "seed": integer(0, 2**31, default=1),
    "keep_on_restart": boolean(False),
    "meter_resets_on_plug": boolean(False),
    "signed_meter": boolean(False),
    "firmware_activation": choice("exit", "in-process", "none", default="exit"),
    "firmware_install_s": number(0, 3600, default=2),
}

SMART_CHARGING = {
    "default_limit_a": number(0, 1000, default=32),
    "default_phases": integer(1, 3, default=3),
    "nominal_voltage_v": number(50, 1000, default=230),
}

LOCAL_API = {
    "listen": Option(
        lambda value: (
            isinstance(value, str)
            and (value == "off" or (value.rpartition(":")[2].isdigit() and int(value.rpartition(":")[2]) < 65536))
        ),
        '"off", or host:port',
        "127.0.0.1:8077",
    ),
    "token": text(8, 255, secret=True),
}

SECTIONS = {
    "station": STATION,
    "network": NETWORK,
    "certificates": CERTIFICATES,
    "evse": EVSE,
    "simulation": SIMULATION,
    "smart_charging": SMART_CHARGING,
    "variables": {},
    "keys": {},
    "local_api": LOCAL_API,
}
"""Every section; `variables` and `keys` hold what the device model knows."""
