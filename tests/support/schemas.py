"""The official schemas where they are at hand, and instances made from them.

They are taken from the specification folder (PILOTWIRE_SPEC, or where the builders have it), else from the peer `ocpp`,
whose distribution ships those of all three versions.
"""

import json
import os
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ocpp.versions import OcppVersion

if TYPE_CHECKING:
    import jsonschema

SPEC = Path(os.environ.get("PILOTWIRE_SPEC", Path(__file__).parents[3] / "shared/spec"))
FOLDERS = {OcppVersion.V16: "ocpp16", OcppVersion.V201: "ocpp201", OcppVersion.V21: "ocpp21"}
PEER = Path(__file__).parents[2] / ".venvs/mobilityhouse"
PEER_FOLDERS = {OcppVersion.V16: "v16", OcppVersion.V201: "v201", OcppVersion.V21: "v21"}


MAX_ITEMS = 3
TEXT = "aZ09 _-./:äß€漢😀"
TIMES = ("2026-01-01T00:00:00Z", "1999-12-31T23:59:59.123Z", "2026-06-30T12:00:00+02:00", "2026-01-01t00:00:00z")


def schema_of(version: OcppVersion, name: str) -> dict[str, Any]:
    """A schema by the name of its class; skips where the schemas are not at hand."""
    folder = schema_folder(version)
    if folder is None:
        pytest.skip("no schemas: run `make peers`, or set PILOTWIRE_SPEC to the folder that holds ocpp16 etc.")
    file = folder / f"{name}.json"
    if not file.exists():
        file = folder / f"{name.removesuffix('Request')}.json"
    schema = json.loads(file.read_text(encoding="utf-8-sig"))
    if SPEC not in folder.parents:
        put_right(schema, version, file.stem)
    return schema


def put_right(schema: dict[str, Any], version: OcppVersion, stem: str) -> None:
    """Where the peer's schemas differ from the official ones: what the official ones say."""
    if (version, stem) == (OcppVersion.V16, "MeterValues"):
        values = schema["properties"]["meterValue"]
        samples = values["items"]["properties"]["sampledValue"]
        units = samples["items"]["properties"]["unit"]["enum"]
        for each in (values, samples):
            each.pop("minItems", None)
        units[:] = [unit for unit in units if unit != "Hertz"]
    elif (version, stem) == (OcppVersion.V201, "Get15118EVCertificateResponse"):
        schema["properties"]["exiResponse"]["maxLength"] = 5600


@cache
def schema_folder(version: OcppVersion) -> Path | None:
    """Where the schemas of a version are; None where they are not at hand."""
    official = SPEC / FOLDERS[version] / "schemas"
    shipped = PEER.glob(f"lib/python*/site-packages/ocpp/{PEER_FOLDERS[version]}/schemas")
    return next((folder for folder in (official, *shipped) if any(folder.glob("*.json"))), None)


@cache
def validator(version: OcppVersion, name: str) -> "jsonschema.Draft6Validator":
    """The official word on a payload, date-times included."""
    import jsonschema  # which not every board has, nor the schemas

    schema = {key: value for key, value in schema_of(version, name).items() if key not in ("$schema", "$id", "id")}
    return jsonschema.Draft6Validator(schema, format_checker=jsonschema.Draft6Validator.FORMAT_CHECKER)


class Instances:
    """Makes payloads that a schema allows."""

    def __init__(self, schema: dict[str, Any], rng: random.Random) -> None:
        self._definitions = schema.get("definitions", {})
        self._rng = rng

    def of(self, schema: dict[str, Any]) -> Any:
        if "$ref" in schema:
            return self.of(self._definitions[schema["$ref"].rpartition("/")[2]])
        if "enum" in schema:
            return self._rng.choice(schema["enum"])
        kind = schema.get("type")
        make = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _: self._rng.random() < 0.5,
            None: lambda _: self._rng.choice([1, "x", {"a": [None]}, [1, 2], True]),
        }[kind]
        return make(schema)

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        properties = schema.get("properties", {})
        made = {
            name: self.of(each) for name, each in properties.items() if name in required or self._rng.random() < 0.4
        }
        if schema.get("javaType") == "CustomData" and self._rng.random() < 0.5:
            made["extra"] = {"kept": [1, None, "ü"]}
        return made

    def _array(self, schema: dict[str, Any]) -> list[Any]:
        low = schema.get("minItems", 0)
        high = min(schema.get("maxItems", MAX_ITEMS), max(low, MAX_ITEMS))
        return [self.of(schema["items"]) for _ in range(self._rng.randint(low, high))]

    def _string(self, schema: dict[str, Any]) -> str:
        if schema.get("format") == "date-time":
            return self._rng.choice(TIMES)
        if schema.get("format") == "uri":
            return "https://example.com/a?b=c"
        longest = schema.get("maxLength", 80)
        length = self._rng.choice([0, 1, min(longest, 12), longest if longest < 200 else 20])
        return "".join(self._rng.choice(TEXT) for _ in range(length))

    def _integer(self, schema: dict[str, Any]) -> Any:
        low, high = schema.get("minimum", -(10**6)), schema.get("maximum", 10**9)
        value = self._rng.choice([int(low), int(high), self._rng.randint(int(low), int(high))])
        return float(value) if abs(value) < 10**15 and self._rng.random() < 0.1 else value

    def _number(self, schema: dict[str, Any]) -> float:
        low, high = schema.get("minimum", -1000), schema.get("maximum", 1_000_000)
        if "multipleOf" in schema:
            # The validator's own arithmetic is binary: 410.4 is no multiple of 0.1 for it.
            tenths = [each for each in range(10_000) if (each / 10 / 0.1).is_integer()]
            return self._rng.choice(tenths) / 10
        return self._rng.choice([low, high, round(self._rng.uniform(low, high), 3)])
