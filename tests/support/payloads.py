"""Payloads made from the tables that the message types are made of: every member that a message may have."""

from collections.abc import Iterator
from typing import Any

from ocpp.messages import Catalogue
from ocpp.messages.tables import Field, Kind, Spec

MAX_DEPTH = 6


def full(messages: Catalogue, name: str, depth: int = 0) -> dict[str, Any]:
    """A payload with every member, needed or not; types that contain themselves end somewhere."""
    found = {}
    for field in messages.shapes.fields(name):
        if field.required or depth < MAX_DEPTH:
            found[field.wire] = _value(messages, field.spec, depth + 1)
    return found


def _value(messages: Catalogue, spec: Spec, depth: int) -> Any:
    if spec.kind is Kind.STRUCT:
        return full(messages, spec.name, depth)
    if spec.kind is Kind.LIST:
        assert spec.item is not None
        return [_value(messages, spec.item, depth) for _ in range(max(1, int(spec.low or 0)))]
    if spec.kind is Kind.ENUM:
        return messages.shapes.values(spec.name)[0]
    if spec.kind in (Kind.INTEGER, Kind.NUMBER):
        low, high = spec.low if spec.low is not None else 1, spec.high
        return int(low if high is None else min(low, high))
    return {
        Kind.STRING: "x",
        Kind.DATETIME: "2026-06-01T12:00:00Z",
        Kind.BOOLEAN: True,
        Kind.ANY: "anything",
        Kind.CUSTOM: {"vendorId": "org.example"},
    }[spec.kind]


def places(messages: Catalogue, name: str, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Field]]:
    """Where the members of a full payload stand, with what the tables say of them."""
    for field in messages.shapes.fields(name):
        here = (*path, field.wire)
        if len(here) > MAX_DEPTH:
            continue
        yield here, field
        spec = field.spec
        if spec.kind is Kind.LIST and spec.item is not None and spec.item.kind is Kind.STRUCT:
            yield from places(messages, spec.item.name, (*here, 0))
        elif spec.kind is Kind.STRUCT:
            yield from places(messages, spec.name, here)


def at(payload: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a place; None where there is nothing."""
    for step in path:
        if not payload:
            return None
        payload = payload.get(step) if isinstance(payload, dict) else payload[step]
    return payload


def put(payload: Any, path: tuple[Any, ...], value: Any) -> None:
    at(payload, path[:-1])[path[-1]] = value
