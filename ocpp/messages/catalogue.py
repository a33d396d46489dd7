"""Decoders and encoders of one protocol version, by action, each made on first use."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec

from ocpp._native.codec import Codec, Requests, Writer
from ocpp._native.framing import Frame
from ocpp.errors import PayloadError
from ocpp.messages.bent import Bent
from ocpp.messages.diagnosis import Examiner, Leniency, is_multiple, parse
from ocpp.messages.naming import attribute_name
from ocpp.messages.shapes import Shapes, decode_special
from ocpp.messages.tables import Kind, Spec
from ocpp.versions import OcppVersion

if TYPE_CHECKING:
    from ocpp.messages.tolerance import Tolerance

_MODULES = {
    OcppVersion.V16: "ocpp.messages.v16",
    OcppVersion.V201: "ocpp.messages.v201",
    OcppVersion.V21: "ocpp.messages.v2",
}

Payload = bytes | memoryview | Frame

_encoder = msgspec.json.Encoder(decimal_format="number")


class Catalogue:
    """The messages of one version. Get it from `catalogue(version)`.

    `decode_request` and `decode_response` go by the letter. What comes over a connection is read by `requests` and
    `response_codec`: calls may have what cannot be misunderstood (`diagnosis.Leniency`; null for absent where
    `nulls_in_calls` says so), and answers are read as far as they can be understood (`tolerance`). All of that happens only
    where the typed decoder refuses; `bent` counts it.
    """

    def __init__(self, version: OcppVersion, *, nulls_in_calls: bool = True) -> None:
        self.version = version
        self.bent = Bent()
        self.shapes: Shapes = import_module(_MODULES[version]).SHAPES
        self._actions: dict[str, tuple[str, str | None]] = self.shapes.tables.ACTIONS
        self.actions = frozenset(self._actions)
        self._codecs: dict[str, Codec] = {}
        self._exact_codecs: dict[str, Codec] = {}
        self._letter = Examiner(self.shapes, version)
        self._examiner = Examiner(self.shapes, version, Leniency(self.bent.note, nulls_in_calls))
        self._plans: dict[str, list[tuple[str, Callable[[Any], Any]]]] = {}
        self._altered: dict[str, bool] = {}
        self.requests = Requests(self._request_codec, PayloadError)
        """For `ocpp._native.codec.read`: the requests by action."""
        self.writer = Writer(_encoder.encode, self._narrowed if self.shapes.base is not None else None)
        """Writes messages and whole frames: what this version does not know of a message is left out."""

    def request_type(self, action: str) -> type[msgspec.Struct]:
        """The class of an action's request; KeyError for an unknown action."""
        return self._codec(self._actions[action][0]).kind

    def response_type(self, action: str) -> type[msgspec.Struct] | None:
        """The class of an action's response; None for messages that take none (2.1 SEND)."""
        name = self._actions[action][1]
        return self._codec(name).kind if name is not None else None

    def action_of(self, message: msgspec.Struct | type[msgspec.Struct]) -> str:
        """The action of a request or response, or of its class."""
        name = message.__name__ if isinstance(message, type) else type(message).__name__
        return name.removesuffix("Request").removesuffix("Response")

    def decode_request(self, action: str, payload: Payload) -> Any:
        """The typed request; PayloadError with the code prescribed for its defect, KeyError for an unknown action."""
        return self._exact_codec(self._actions[action][0]).read(payload)

    def decode_response(self, action: str, payload: Payload) -> Any:
        """The typed response; PayloadError, KeyError as `decode_request`."""
        return self._exact_codec(self._response_name(action)).read(payload)

    def response_codec(self, action: str) -> Codec:
        """Reads the responses to an action tolerantly; KeyError for an unknown action, and one that has none."""
        return self._codec(self._response_name(action))

    def understand(self, action: str, value: Any) -> Any:
        """The typed response, as far as it can be made of plain objects.

        PayloadError where something needed is missing, KeyError as `response_codec`.
        """
        return self._tolerance.understand(self._response_name(action), value)

    def recall(self, action: str, payload: Payload) -> Any:
        """A request of our own that was kept: as it was written, also where it breaks its schema.

        PayloadError where something needed cannot be read, KeyError for an unknown action.
        """
        try:
            return self.decode_request(action, payload)
        except PayloadError:
            return self._understand(self._actions[action][0], payload)

    def encode(self, message: msgspec.Struct) -> bytes:
        """The payload in this version: what it does not know is left out; ValueError for a value it does not know."""
        return self.writer.encode(message)

    def to_builtins(self, message: msgspec.Struct) -> Any:
        """The message as plain objects, for logs and pages."""
        narrowed = message if self.shapes.base is None else self._narrowed(message)
        return msgspec.to_builtins(narrowed, enc_hook=_plain)

    # -- decoding -------------------------------------------------------------------------------------------------

    def _response_name(self, action: str) -> str:
        name = self._actions[action][1]
        if name is None:
            raise KeyError(f"{action} has no response")
        return name

    def _request_codec(self, action: str) -> Codec | None:
        names = self._actions.get(action)
        return self._codec(names[0]) if names is not None else None

    def _codec(self, name: str) -> Codec:
        codec = self._codecs.get(name)
        if codec is None:
            codec = self._codecs[name] = self._make_codec(name)
        return codec

    def _make_codec(self, name: str) -> Codec:
        answers = name.endswith("Response")
        kind = self.shapes.get(name)
        return self._codec_with(
            name, partial(self._understand, name) if answers else partial(self._exactly, name, kind)
        )

    def _exact_codec(self, name: str) -> Codec:
        codec = self._exact_codecs.get(name)
        if codec is None:
            by_letter = partial(self._by_letter, name, self.shapes.get(name))
            codec = self._exact_codecs[name] = self._codec_with(name, by_letter)
        return codec

    def _codec_with(self, name: str, second_look: Callable[[Any], Any]) -> Codec:
        kind = self.shapes.get(name)
        action = name.removesuffix("Request").removesuffix("Response")
        decode = msgspec.json.Decoder(kind, dec_hook=decode_special).decode
        dated = _has_date_time(name, self.shapes)
        return Codec(action, kind, decode, dated, _step_check(name, self.shapes), second_look)

    def _exactly(self, name: str, kind: type[msgspec.Struct], payload: Payload) -> Any:
        normal = self._examiner.examine(name, parse(memoryview(payload), self.version))
        return msgspec.convert(normal, kind, dec_hook=decode_special)

    def _by_letter(self, name: str, kind: type[msgspec.Struct], payload: Payload) -> Any:
        normal = self._letter.examine(name, parse(memoryview(payload), self.version))
        return msgspec.convert(normal, kind, dec_hook=decode_special)

    def _understand(self, name: str, payload: Payload) -> Any:
        from ocpp.messages.salvage import read_any

        return self._tolerance.understand(name, read_any(memoryview(payload)))

    @cached_property
    def _tolerance(self) -> Tolerance:
        from ocpp.messages.tolerance import Tolerance

        return Tolerance(self.shapes, self.version, self.bent)

    # -- narrowing to what an older version knows -----------------------------------------------------------------

    def _narrowed(self, message: msgspec.Struct) -> msgspec.Struct:
        name = type(message).__name__
        if not self._alters(name) or type(message) is self.shapes.get(name):
            return message
        plan = self._plans.get(name)
        if plan is None:
            plan = self._plans[name] = self._plan(name)
        values = {}
        for attribute, convert in plan:
            value = getattr(message, attribute)
            if value is not None:
                values[attribute] = convert(value)
        narrowed: msgspec.Struct = self.shapes.get(name)(**values)
        return narrowed

    def _alters(self, name: str) -> bool:
        """Whether the newer version has fields or values in a type that this one does not know; limits do not matter."""
        found = self._altered.get(name)
        if found is None:
            self._altered[name] = False  # where a type contains itself: what else it has decides
            found = self._altered[name] = self._finds_alteration(name)
        return found

    def _finds_alteration(self, name: str) -> bool:
        shapes, base = self.shapes, self.shapes.base
        if base is None or not shapes.differs(name):
            return False
        if name in shapes.tables.ENUMS:
            return not set(base.tables.ENUMS.get(name, ("",))) <= set(shapes.values(name))
        if name not in base.tables.STRUCTS:
            return True
        fields = shapes.fields(name)
        return not {field.wire for field in base.fields(name)} <= {field.wire for field in fields} or any(
            self._alters(used) for field in fields for used in field.spec.names()
        )

    def _plan(self, name: str) -> list[tuple[str, Callable[[Any], Any]]]:
        return [(attribute_name(field.wire), self._converter(field.spec)) for field in self.shapes.fields(name)]

    def _converter(self, spec: Spec) -> Callable[[Any], Any]:
        if spec.kind is Kind.LIST:
            assert spec.item is not None
            convert = self._converter(spec.item)
            return _same if convert is _same else lambda values: [convert(value) for value in values]
        if spec.name and self._alters(spec.name):
            if spec.kind is Kind.STRUCT:
                return self._narrowed
            enum: Callable[[Any], Any] = self.shapes.get(spec.name)
            return enum
        return _same


def _same(value: Any) -> Any:
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no plain form")


def _has_date_time(name: str, shapes: Shapes) -> bool:
    return any(_holds_date_time(field.spec, shapes) for field in shapes.fields(name))


def _holds_date_time(spec: Spec, shapes: Shapes) -> bool:
    if spec.kind is Kind.LIST:
        assert spec.item is not None
        return _holds_date_time(spec.item, shapes)
    return spec.kind is Kind.DATETIME or (spec.kind is Kind.STRUCT and _has_date_time(spec.name, shapes))


def _step_check(name: str, shapes: Shapes) -> Callable[[Any], bool] | None:
    """A check of the fields that must be multiples of a step (1.6 limits), which the typed decoder does not know."""
    checks: list[tuple[str, Callable[[Any], bool]]] = []
    for field in shapes.fields(name):
        check = _step_check_of(field.spec, shapes)
        if check is not None:
            checks.append((attribute_name(field.wire), check))
    if not checks:
        return None

    def holds(message: Any) -> bool:
        return all((value := getattr(message, attribute)) is None or check(value) for attribute, check in checks)

    return holds


def _step_check_of(spec: Spec, shapes: Shapes) -> Callable[[Any], bool] | None:
    if spec.multiple:
        return lambda value: is_multiple(value, spec.multiple)
    if spec.kind is Kind.STRUCT:
        return _step_check(spec.name, shapes)
    if spec.kind is Kind.LIST:
        assert spec.item is not None
        check = _step_check_of(spec.item, shapes)
        return None if check is None else lambda values: all(map(check, values))
    return None


@lru_cache(maxsize=2 * len(OcppVersion))
def catalogue(version: OcppVersion, *, nulls_in_calls: bool = True) -> Catalogue:
    """The one catalogue of a version, with that leniency towards calls."""
    return Catalogue(version, nulls_in_calls=nulls_in_calls)
