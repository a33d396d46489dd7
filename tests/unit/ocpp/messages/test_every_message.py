"""Every message of every version: what the official schema accepts is decoded, written again and equal; what it does
not accept is refused with the code that belongs to the defect.
"""

import copy
import json
import random
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.schemas import SPEC, Instances, schema_folder, schema_of, validator

from ocpp.errors import PayloadError
from ocpp.messages import Catalogue, catalogue, generator
from ocpp.messages.generator import main as generate
from ocpp.versions import OcppVersion


def names(version: OcppVersion) -> list[tuple[str, str, bool]]:
    found = []
    for action, (request, response) in sorted(catalogue(version).shapes.tables.ACTIONS.items()):
        found.append((action, request, True))
        if response is not None:
            found.append((action, response, False))
    return found


TIME = datetime(2026, 1, 1, tzinfo=UTC)

EVERY = [pytest.param(version, *each, id=f"{version}-{each[1]}") for version in OcppVersion for each in names(version)]


def decode(version: OcppVersion, action: str, request: bool, payload: Any) -> Any:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    codec = catalogue(version)
    return codec.decode_request(action, raw) if request else codec.decode_response(action, raw)


def plain(value: Any) -> Any:
    """Numbers as they count for JSON: 1 and 1.0 are the same."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def without_times(value: Any) -> Any:
    """Times may be written in another form than they were read."""
    if isinstance(value, dict):
        return {key: without_times(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_times(each) for each in value]
    return (
        "time"
        if isinstance(value, str) and value[4:5] == "-" and value[10:11] in "Tt" and value[13:14] == ":"
        else value
    )


@pytest.mark.parametrize(("version", "action", "name", "request_"), EVERY)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_what_the_schema_accepts_is_decoded_and_written_again_as_it_was(version, action, name, request_, seed):
    schema = schema_of(version, name)
    payload = Instances(schema, random.Random(seed)).of(schema)
    assert validator(version, name).is_valid(payload)
    message = decode(version, action, request_, payload)
    written = json.loads(catalogue(version).encode(message))
    errors = list(validator(version, name).iter_errors(written))
    assert not errors, errors[:2]
    assert without_times(plain(written)) == without_times(plain(payload))
    assert decode(version, action, request_, written) == message


@pytest.mark.parametrize(("version", "action", "name"), [each.values[:3] for each in EVERY if not each.values[3]])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_the_tolerant_look_reads_what_keeps_its_schema_as_the_exact_one_does(version, action, name, seed):
    schema = schema_of(version, name)
    payload = Instances(schema, random.Random(seed)).of(schema)
    messages = Catalogue(version)
    assert messages.understand(action, json.loads(json.dumps(payload))) == decode(version, action, False, payload)
    assert messages.bent.counts == {}


class Mutation:
    """One defect, put into a valid payload; gives the code it has to be refused with, or None where it does not apply."""

    def __init__(self, rng: random.Random, version: OcppVersion, schema: dict[str, Any]) -> None:
        self.rng = rng
        self.v16 = version is OcppVersion.V16
        self.definitions = schema.get("definitions", {})

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        return self.definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def missing(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        present = [name for name in schema.get("required", ()) if name in payload]
        if not present:
            return None
        del payload[self.rng.choice(present)]
        return "ProtocolError" if self.v16 else "OccurrenceConstraintViolation"

    def unknown(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        payload["doesNotExist"] = 1
        return "FormationViolation" if self.v16 else "ProtocolError"

    def wrong_type(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        known = [name for name in payload if self.resolve(schema.get("properties", {})[name]).get("type")]
        if not known:
            return None
        name = self.rng.choice(known)
        kind = self.resolve(schema.get("properties", {})[name])["type"]
        payload[name] = {"string": 12, "integer": "12", "number": "1.5", "boolean": 1, "array": {}, "object": []}[kind]
        return "TypeConstraintViolation"

    def null(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        known = [name for name, each in schema.get("properties", {}).items() if self.resolve(each).get("type")]
        if not known:
            return None
        payload[self.rng.choice(known)] = None
        return "TypeConstraintViolation"

    def too_long(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        for name, each in schema.get("properties", {}).items():
            if "maxLength" in self.resolve(each):
                payload[name] = "x" * (self.resolve(each)["maxLength"] + 1)
                return "PropertyConstraintViolation"
        return None

    def not_in_enumeration(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        for name, each in schema.get("properties", {}).items():
            if "enum" in self.resolve(each):
                payload[name] = "NoSuchValue"
                return "PropertyConstraintViolation"
        return None

    def no_date_time(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        for name, each in schema.get("properties", {}).items():
            if self.resolve(each).get("format") == "date-time":
                wrong = ["2026-01-01", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "x"]
                payload[name] = self.rng.choice([*wrong, "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00,5Z"])
                return "PropertyConstraintViolation"
        return None

    def too_few(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        for name, each in schema.get("properties", {}).items():
            if self.resolve(each).get("minItems", 0) > 0:
                payload[name] = []
                return "OccurenceConstraintViolation" if self.v16 else "OccurrenceConstraintViolation"
        return None

    def out_of_range(self, payload: dict[str, Any], schema: dict[str, Any]) -> str | None:
        for name, each in schema.get("properties", {}).items():
            found = self.resolve(each)
            if "minimum" in found:
                payload[name] = int(found["minimum"]) - 1
                return "PropertyConstraintViolation"
        return None


MUTATIONS = (
    "missing",
    "unknown",
    "wrong_type",
    "null",
    "too_long",
    "not_in_enumeration",
    "no_date_time",
    "too_few",
    "out_of_range",
)


@pytest.mark.parametrize(("version", "action", "name", "request_"), EVERY)
@pytest.mark.req("FR.03")
def test_every_kind_of_defect_is_refused_with_its_code(version, action, name, request_):
    schema = schema_of(version, name)
    for number, kind in enumerate(MUTATIONS):
        rng = random.Random(number)
        payload = copy.deepcopy(Instances(schema, rng).of(schema))
        expected = getattr(Mutation(rng, version, schema), kind)(payload, schema)
        if expected is None:
            continue
        assert not validator(version, name).is_valid(payload), kind
        with pytest.raises(PayloadError) as refused:
            decode(version, action, request_, payload)
        assert refused.value.code == expected, (kind, payload, str(refused.value))
        assert refused.value.description
        assert len(refused.value.description) <= 255


def test_the_checked_in_types_are_what_the_schemas_say(capsys):
    if not SPEC.is_dir():
        pytest.skip("the specifications are not at hand; set PILOTWIRE_SPEC to the folder that holds ocpp16 etc.")
    assert generate([str(SPEC), "--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("present", [(), ("ocpp16",), ("ocpp16", "ocpp201")], ids=str)
def test_without_the_schemas_of_every_version_no_types_are_written(tmp_path, capsys, monkeypatch, present):
    if not SPEC.is_dir():
        pytest.skip("the specifications are not at hand; set PILOTWIRE_SPEC to the folder that holds ocpp16 etc.")
    for name in present:
        (tmp_path / name).symlink_to(SPEC / name)
    written = tmp_path / "messages"
    monkeypatch.setattr(generator, "HERE", written)
    assert generate([str(tmp_path)]) == 2
    told = capsys.readouterr().err
    for folder, version in (("ocpp16", "1.6"), ("ocpp201", "2.0.1"), ("ocpp21", "2.1")):
        assert (f"schemas of OCPP {version}" in told) is (folder not in present)
    assert not written.exists()


def test_with_one_schema_missing_no_types_are_written(tmp_path, capsys):
    for folder, version in (("ocpp16", OcppVersion.V16), ("ocpp201", OcppVersion.V201), ("ocpp21", OcppVersion.V21)):
        schemas = schema_folder(version)
        if schemas is None:
            pytest.skip("no schemas: run `make peers`, or set PILOTWIRE_SPEC to the folder that holds ocpp16 etc.")
        shutil.copytree(schemas, tmp_path / folder / "schemas")
    (tmp_path / "ocpp201/schemas/ResetRequest.json").unlink()
    assert generate([str(tmp_path), "--check"]) == 2
    assert "127 of the 128 schemas of OCPP 2.0.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[",
        b"{",
        b'{"a":NaN}',
        b"[1]",
        b"null",
        b'"x"',
        b'{"reason":"\xff"}',
        b"{} {}",
        b'{"reason":1e999}',
        b"\x00",
    ],
)
@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
def test_what_is_no_json_object_is_a_format_violation(version, payload):
    with pytest.raises(PayloadError) as refused:
        catalogue(version).decode_request("Heartbeat", payload)
    allowed = {"FormationViolation", "FormatViolation", "ProtocolError"}
    assert refused.value.code in allowed


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
def test_deep_nesting_is_refused_and_never_a_crash(version):
    deep = b'{"vendorId":"x","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(PayloadError):
        catalogue(version).decode_request("DataTransfer", deep)


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
@pytest.mark.parametrize("depth", [200, 300, 900, 980, 1000, 1030])
def test_what_is_nested_as_deep_as_can_be_parsed_is_refused_as_well(version, depth):
    for deep in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        with pytest.raises(PayloadError):
            catalogue(version).decode_request("DataTransfer", b'{"vendorId":' + deep + b"}")


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
def test_ten_megabytes_are_taken_or_refused_but_never_a_crash(version):
    huge = b'{"vendorId":"x","data":"' + b"a" * 10_000_000 + b'"}'
    assert len(catalogue(version).decode_request("DataTransfer", huge).data) == 10_000_000
    with pytest.raises(PayloadError):
        catalogue(version).decode_request("DataTransfer", b'{"vendorId":"' + b"a" * 10_000_000 + b'"}')


def test_a_duplicate_key_counts_once_the_last_one():
    payload = b'{"vendorId":"first","vendorId":"second"}'
    assert catalogue(OcppVersion.V201).decode_request("DataTransfer", payload).vendor_id == "second"


def test_a_meter_value_keeps_every_digit_the_meter_gave():
    from ocpp.messages import v2

    sample = v2.SampledValue(value=Decimal("12345678901234.56789012345600"))
    value = v2.MeterValue(timestamp=TIME, sampled_value=[sample])
    written = catalogue(OcppVersion.V21).encode(v2.MeterValuesRequest(evse_id=1, meter_value=[value]))
    assert b'"value":12345678901234.56789012345600' in written


def test_a_leap_second_is_a_time():
    payload = b'{"currentTime":"2016-12-31T23:59:60Z"}'
    response = catalogue(OcppVersion.V16).decode_response("Heartbeat", payload)
    assert response.current_time.isoformat() == "2017-01-01T00:00:00+00:00"


def test_escapes_do_not_smuggle_anything_past_the_schema():
    payload = b'{"vendorId":"x","custom\\u0044ata":{}}'
    with pytest.raises(PayloadError) as refused:
        catalogue(OcppVersion.V201).decode_request("DataTransfer", payload)
    assert refused.value.field == "customData.vendorId"


@pytest.mark.parametrize(("limit", "fits"), [(21.4, True), (0.1, True), (16, True), (21.45, False), (0.05, False)])
def test_a_limit_of_1_6_has_one_decimal(limit, fits):
    period = {"startPeriod": 0, "limit": limit}
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    payload = json.dumps({"connectorId": 1, "csChargingProfiles": profile}).encode()
    if fits:
        assert catalogue(OcppVersion.V16).decode_request("SetChargingProfile", payload)
    else:
        with pytest.raises(PayloadError, match="multiple of"):
            catalogue(OcppVersion.V16).decode_request("SetChargingProfile", payload)
