"""Writes the message types from the official JSON schemas: `python -m ocpp.messages.generator SPEC [--check]`.

SPEC holds `ocpp16/schemas`, `ocpp201/schemas` and `ocpp21/schemas`. Written are tables of constants
(`_generated/*.py`), from which classes are made on first use and bad payloads are diagnosed, and the stubs (`v16.pyi`,
`v2.pyi`, `v201.pyi`) that type checkers and people read. `--check` writes nothing and fails when something differs.
Where the schemas of one version are not there, or only some of them, nothing is written at all.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ocpp.messages.generator_names import enum_name_16, struct_name_16
from ocpp.messages.generator_output import stub_source, table_source
from ocpp.messages.tables import Field, Kind, Spec, Tables

HERE = Path(__file__).parent

FOLDERS = {"1.6": "ocpp16/schemas", "2.0.1": "ocpp201/schemas", "2.1": "ocpp21/schemas"}

LEAST_SCHEMAS = {"1.6": 78, "2.0.1": 128, "2.1": 181}
"""How many files each version was published with: fewer make types that leave messages out."""


class SchemasMissing(Exception):
    """The folder given does not hold the schemas of every version."""


class SchemaReader:
    """Collects the types of one version's schemas."""

    def __init__(self, version: str, folder: Path) -> None:
        self._version = version
        self._folder = folder
        self.tables = Tables({}, {}, {})

    def read(self) -> Tables:
        """Read every schema of the folder."""
        schemas = {
            path.stem: json.loads(path.read_text(encoding="utf-8-sig")) for path in sorted(self._folder.glob("*.json"))
        }
        for stem, schema in schemas.items():
            name = stem if stem.endswith(("Request", "Response")) else f"{stem}Request"
            self._definitions = schema.get("definitions", {})
            self._struct(name, schema, stem)
        for name in self.tables.structs:
            if name.endswith("Request") and name.removesuffix("Request") + "Request" in self.tables.structs:
                action = name.removesuffix("Request")
                response = f"{action}Response"
                if action in {stem.removesuffix("Request") for stem in schemas}:
                    self.tables.actions[action] = (name, response if response in self.tables.structs else None)
        return self.tables

    def _struct(self, name: str, schema: dict[str, Any], message: str) -> str:
        required = set(schema.get("required", ()))
        if schema.get("additionalProperties") is not False:
            raise ValueError(f"{name}: only closed objects are expected")
        fields = tuple(
            Field(wire, self._spec(prop, wire, message), wire in required)
            for wire, prop in schema.get("properties", {}).items()
        )
        ordered = tuple(sorted(fields, key=lambda field: (not field.required, field.wire == "customData")))
        known = self.tables.structs.get(name)
        if known is not None and known != ordered:
            raise ValueError(f"{name} has two shapes in {self._version}")
        self.tables.structs[name] = ordered
        return name

    def _spec(self, prop: dict[str, Any], wire: str, message: str) -> Spec:
        if "$ref" in prop:
            return self._reference(prop["$ref"].rpartition("/")[2], message)
        if "enum" in prop:
            return self._enum(enum_name_16(message, wire, prop["enum"]), prop["enum"])
        kind = prop.get("type")
        if kind == "array":
            item = self._spec(prop["items"], wire, message)
            return Spec(Kind.LIST, item=item, low=prop.get("minItems"), high=prop.get("maxItems"))
        if kind == "object":
            return Spec(Kind.STRUCT, name=self._struct(struct_name_16(message, wire), prop, message))
        if kind == "string":
            return Spec(Kind.DATETIME if prop.get("format") == "date-time" else Kind.STRING, high=prop.get("maxLength"))
        simple = {"integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN, None: Kind.ANY}[kind]
        low, high = whole(prop.get("minimum")), whole(prop.get("maximum"))
        return Spec(simple, low=low, high=high, multiple=str(prop.get("multipleOf", "")))

    def _reference(self, definition: str, message: str) -> Spec:
        schema = self._definitions[definition]
        name = schema.get("javaType") or definition.removesuffix("Type")
        if name == "CustomData":
            return Spec(Kind.CUSTOM)
        if "enum" in schema:
            return self._enum(name, schema["enum"])
        return Spec(Kind.STRUCT, name=self._struct(name, schema, message))

    def _enum(self, name: str, values: list[str]) -> Spec:
        known = self.tables.enums.setdefault(name, tuple(values))
        if set(known) != set(values):
            raise ValueError(f"{name} has two lists of values in {self._version}: {known} and {values}")
        return Spec(Kind.ENUM, name=name)


def whole(bound: float | None) -> float | None:
    """A bound without a needless fraction: some schemas write 0.0 for integers."""
    return int(bound) if bound is not None and float(bound).is_integer() else bound


def only_different(older: Tables, newer: Tables) -> Tables:
    """The types of `older` that are not the same in `newer`, themselves or in something they contain."""
    enums = {name: values for name, values in older.enums.items() if set(newer.enums.get(name, ())) != set(values)}
    structs = {name: fields for name, fields in older.structs.items() if newer.structs.get(name) != fields}
    grown = True
    while grown:
        grown = False
        for name, fields in older.structs.items():
            used = {used for field in fields for used in field.spec.names()}
            if name not in structs and (used & structs.keys() or used & enums.keys()):
                structs[name] = fields
                grown = True
    return Tables(enums, {name: structs[name] for name in older.structs if name in structs}, older.actions)


def check_schemas(spec: Path) -> None:
    """Raise SchemasMissing, naming every version whose schemas are not all there."""
    found = {version: len(list((spec / folder).glob("*.json"))) for version, folder in FOLDERS.items()}
    missing = [
        f"{spec / FOLDERS[version]} has {count} of the {LEAST_SCHEMAS[version]} schemas of OCPP {version}"
        for version, count in found.items()
        if count < LEAST_SCHEMAS[version]
    ]
    if missing:
        raise SchemasMissing("; ".join(missing))


def sources(spec: Path) -> dict[Path, str]:
    """Every generated file with its content. Raises SchemasMissing."""
    check_schemas(spec)
    v16, v201, v2 = (SchemaReader(version, spec / folder).read() for version, folder in FOLDERS.items())
    different = only_different(v201, v2)
    return {
        HERE / "_generated/v16.py": table_source("OCPP 1.6 and the security white paper", v16),
        HERE / "_generated/v2.py": table_source("OCPP 2.1", v2),
        HERE / "_generated/v201.py": table_source("what OCPP 2.0.1 has in another shape than 2.1", different),
        HERE / "v16.pyi": stub_source("Messages and data types of OCPP 1.6 and the security white paper.", v16),
        HERE / "v2.pyi": stub_source(
            "Messages and data types of OCPP 2.1, which 2.x handlers are written against.", v2
        ),
        HERE / "v201.pyi": stub_source("What OCPP 2.0.1 has in another shape than 2.1.", different, base=v2),
    }


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="ocpp.messages.generator", description=__doc__)
    parser.add_argument("spec", type=Path, help="folder that holds ocpp16/schemas, ocpp201/schemas and ocpp21/schemas")
    parser.add_argument("--check", action="store_true", help="compare with what is checked in, write nothing")
    options = parser.parse_args(arguments)
    try:
        made = sources(options.spec)
    except SchemasMissing as error:
        print(f"no message types are written: {error}", file=sys.stderr)
        print("name the folder that holds ocpp16, ocpp201 and ocpp21: make generate SPEC=FOLDER", file=sys.stderr)
        return 2
    different = 0
    for path, source in made.items():
        if path.exists() and path.read_text(encoding="utf-8") == source:
            continue
        different += 1
        if options.check:
            print(f"{path.relative_to(HERE)} differs from what the schemas say", file=sys.stderr)
        else:
            path.write_text(source, encoding="utf-8")
            print(f"wrote {path.relative_to(HERE)}")
    return 1 if options.check and different else 0


if __name__ == "__main__":
    sys.exit(main())
