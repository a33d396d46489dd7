"""The OpenAPI document of the local API."""

from functools import cache
from typing import Any

_EVSE = {"name": "e", "in": "path", "required": True, "schema": {"type": "integer"}, "description": "EVSE, from 1"}
_CONNECTOR = {
    "name": "c",
    "in": "path",
    "required": True,
    "schema": {"type": "integer"},
    "description": "connector, from 1",
}

_NUMBER, _BOOLEAN, _TEXT = {"type": "number"}, {"type": "boolean"}, {"type": "string"}

_EV = {
    "max_current_a": _NUMBER,
    "phases": {"type": "integer", "minimum": 1, "maximum": 3},
    "battery_wh": _NUMBER,
    "soc": _NUMBER,
    "delay_s": _NUMBER,
    "requests_energy": _BOOLEAN,
}

_SIGNED = {"type": "object", "properties": dict.fromkeys(("start", "end", "now", "public_key"), _TEXT)}

_FAULT = {"kind": _TEXT, "active": _BOOLEAN, "info": _TEXT, "vendor_code": _TEXT}

_ISO15118 = {
    "contract": {"type": "object", "properties": {"emaid": _TEXT, "chain": _TEXT}},
    "certificate": {"type": "object", "properties": {"action": _TEXT, "exi": _TEXT, "schema": _TEXT}},
    "needs": {"type": "object"},
    "schedule": {"type": "object"},
    "session_stop": {"enum": ["Terminate", "Pause"]},
    "answers": _BOOLEAN,
}

_EXTERNAL_LIMIT = {
    "source": {"type": "string", "enum": ["EMS", "Other", "SO"]},
    "evse": {"type": "integer", "minimum": 0},
    "limit": {"type": ["number", "null"]},
    "unit": {"type": "string", "enum": ["A", "W"]},
    "periods": {"type": "array", "items": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}},
    "start": _TEXT,
    "duration_s": {"type": "integer"},
    "grid_critical": _BOOLEAN,
}

_CALLS: tuple[tuple[str, str, str, dict[str, Any] | None, tuple[str, ...]], ...] = (
    (
        "get",
        "/api/status",
        "Everything about the station: connection, connectors, transactions, limits, queues, clock",
        None,
        (),
    ),
    ("get", "/api/explain", "Which limits and profiles decide what an EVSE may deliver (query: evse, at)", None, ()),
    ("get", "/api/events", "Server-sent events: the status, again after every change", None, ()),
    ("get", "/api/variables", "Every variable by address, and the 1.6 keys as keys/Name", None, ()),
    ("post", "/api/variables", "Set variables as an installer on site; null clears", {}, ()),
    ("get", "/api/external_limits", "The limits that other systems than the CSMS impose", None, ()),
    (
        "post",
        "/api/external_limits",
        "Limit an EVSE, or the whole station (evse 0), for another system than the CSMS; a null limit releases",
        _EXTERNAL_LIMIT,
        (),
    ),
    (
        "post",
        "/api/master_pass",
        "What the holder of a master pass has chosen to stop; no EVSEs: everything",
        {"evses": {"type": "array", "items": {"type": "integer"}}},
        (),
    ),
    (
        "post",
        "/api/sim/evses/{e}/connectors/{c}/plug",
        "Plug an EV in; on a plugged connector an EV replaces the one there",
        _EV,
        (),
    ),
    ("post", "/api/sim/evses/{e}/connectors/{c}/unplug", "Unplug", None, ()),
    (
        "post",
        "/api/sim/evses/{e}/connectors/{c}/fault",
        "Raise or clear a fault; connector 0 is the EVSE",
        _FAULT,
        ("kind",),
    ),
    ("post", "/api/sim/evses/{e}/parking_bay", "The bay sensor", {"occupied": _BOOLEAN}, ("occupied",)),
    ("post", "/api/sim/evses/{e}/ev", "Change the EV", {"state": _TEXT, "fault": _TEXT, **_EV}, ()),
    (
        "post",
        "/api/sim/evses/{e}/meter",
        "What the meter will say",
        {"energy_wh": _NUMBER, "power_w": {"type": ["number", "null"]}, "frozen": _BOOLEAN, "signed": _SIGNED},
        (),
    ),
    (
        "post",
        "/api/sim/evses/{e}/iso15118",
        "Let the EV say something over ISO 15118, where the EVSE speaks it",
        _ISO15118,
        (),
    ),
    (
        "post",
        "/api/sim/tokens",
        "Present a token once",
        {"id": _TEXT, "type": _TEXT, "evses": {"type": "array", "items": {"type": "integer"}}},
        ("id",),
    ),
    ("post", "/api/sim/network", "Take the network away, or give it back", {"up": _BOOLEAN}, ("up",)),
    ("post", "/api/sim/power_cut", "Die as in a power cut", None, ()),
    ("post", "/api/sim/clock", "Let the wall clock jump", {"offset_s": _NUMBER}, ("offset_s",)),
)


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    for method, path, summary, properties, required in _CALLS:
        call: dict[str, Any] = {"summary": summary, "responses": _responses()}
        parameters = [part for part, mark in ((_EVSE, "{e}"), (_CONNECTOR, "{c}")) if mark in path]
        if parameters:
            call["parameters"] = parameters
        if properties is not None:
            schema = {"type": "object", "properties": properties, "required": list(required)}
            call["requestBody"] = {"required": bool(required), "content": {"application/json": {"schema": schema}}}
        paths.setdefault(path, {})[method] = call
    return {
        "openapi": "3.1.0",
        "info": {"title": "pilotwire local API", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _responses() -> dict[str, Any]:
    error = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    return {
        "200": {"description": "done"},
        "default": {
            "description": "what is wrong and what is allowed",
            "content": {"application/json": {"schema": error}},
        },
    }
