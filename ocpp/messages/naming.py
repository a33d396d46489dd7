"""Python names of OCPP names."""

import keyword
import re

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+[0-9]*")
_JOINED = (("SoC", "Soc"), ("VIN", "Vin"), ("V2X", "V2x"), ("V2G", "V2g"), ("IDs", "Ids"), ("TIme", "Time"))


def words(name: str) -> list[str]:
    """The words of a camel-cased name, in lower case."""
    for written, meant in _JOINED:
        name = name.replace(written, meant)
    found: list[str] = []
    for part in re.split(r"[^A-Za-z0-9]+", name):
        found.extend(match.group().lower() for match in _WORDS.finditer(part))
    return found


def attribute_name(wire: str) -> str:
    """evseId -> evse_id, responderURL -> responder_url, limit_L2 -> limit_l2."""
    name = "_".join(words(wire))
    return f"{name}_" if keyword.iskeyword(name) else name


def member_name(value: str) -> str:
    """Energy.Active.Import.Register -> ENERGY_ACTIVE_IMPORT_REGISTER, L1-N -> L1_N, cCCS1 -> C_CCS1."""
    name = "_".join(words(value)).upper()
    return f"_{name}" if not name or name[0].isdigit() else name
