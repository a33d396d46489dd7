"""What each call of the local API does. See docs/common/local-api.md."""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from ocpp.charge_point import ExternalLimit
from ocpp.device_model.definition import Mutability
from ocpp.device_model.start_values import as_text
from ocpp.errors import DeviceModelError
from ocpp.station import program as station_program
from ocpp.station.local_api import external_limits
from ocpp.station.local_api.openapi import document
from ocpp.station.local_api.server import Request, Response, error

if TYPE_CHECKING:
    from ocpp.station.program import Program

MAX_EVENT_CLIENTS = 16
EVENT_HEARTBEAT_S = 15.0
"""A comment is sent so often that a client that went away is noticed."""

EVENT_GATHER_S = 0.05
"""Changes within this time make one event."""

POWER_CUT_DELAY_S = 0.02
"""Time for the answer to a power cut to leave the machine."""

MAX_OFFSET_S = 1_000_000_000
"""Thirty years: no clock of a station is further off, and every date stays one."""

Route = Callable[..., Any]


class Routes:
    """Finds the call behind method and path, and carries it out."""

    def __init__(self, program: "Program") -> None:
        self._program = program
        self._waiters: set[asyncio.Event] = set()
        program.charge_point.on_change(self._changed)
        e, c = r"/api/sim/evses/([0-9]{1,9})", r"/connectors/([0-9]{1,9})"
        self._routes: list[tuple[str, re.Pattern[str], Route]] = [
            (method, re.compile(pattern), route)
            for method, pattern, route in (
                ("GET", "/api/status", self.status),
                ("GET", "/api/explain", self.explain),
                ("GET", "/api/events", self.events),
                ("GET", "/api/variables", self.variables),
                ("POST", "/api/variables", self.set_variables),
                ("POST", "/api/master_pass", self.master_pass),
                ("GET", "/api/external_limits", self.external_limits),
                ("POST", "/api/external_limits", self.set_external_limit),
                ("GET", "/api/openapi.json", self.openapi),
                ("POST", e + c + "/plug", self.plug),
                ("POST", e + c + "/unplug", self.unplug),
                ("POST", e + c + "/fault", self.fault),
                ("POST", e + "/parking_bay", self.parking_bay),
                ("POST", e + "/ev", self.ev),
                ("POST", e + "/meter", self.meter),
                ("POST", e + "/iso15118", self.iso15118),
                ("POST", "/api/sim/tokens", self.token),
                ("POST", "/api/sim/network", self.network),
                ("POST", "/api/sim/power_cut", self.power_cut),
                ("POST", "/api/sim/clock", self.clock),
            )
        ]

    async def dispatch(self, request: Request) -> Response:
        """Answer a request; wrong input gets 400, an unknown place 404, a wrong method 405."""
        allowed = []
        for method, pattern, route in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            allowed.append(method)
            if method == request.method:
                return await self._call(route, request, tuple(int(group) for group in match.groups()))
        if allowed:
            return error(405, f"{request.path} takes {' and '.join(allowed)}, not {request.method}")
        return error(404, f"there is no {request.path}; see /api/openapi.json")

    async def _call(self, route: Route, request: Request, numbers: tuple[int, ...]) -> Response:
        try:
            if request.path.startswith("/api/sim/"):
                self._program.simulation  # noqa: B018 - LookupError where the parts are real
            outcome = route(request, *numbers)
            if inspect.isawaitable(outcome):
                outcome = await outcome
        except LookupError as missing:
            return error(404, str(missing.args[0]) if missing.args else "not found")
        except (ValueError, TypeError, OverflowError) as wrong:
            return error(400, str(wrong))
        return outcome if isinstance(outcome, Response) else Response(200, outcome)

    # -- looking --------------------------------------------------------------------------------------------------

    def status(self, request: Request) -> dict[str, Any]:
        """GET /api/status."""
        return self._program.view.status()

    def explain(self, request: Request) -> dict[str, Any]:
        """GET /api/explain."""
        evse = request.query.get("evse", "1")
        if not re.fullmatch("[0-9]{1,9}", evse):
            raise ValueError(f"evse = {evse!r} must be the number of an EVSE")
        return self._program.view.explain(int(evse), request.query.get("at"))

    def openapi(self, request: Request) -> dict[str, Any]:
        """GET /api/openapi.json."""
        return document()

    def events(self, request: Request) -> Response:
        """GET /api/events: the status now, and again after every change."""
        if len(self._waiters) >= MAX_EVENT_CLIENTS:
            return error(503, f"at most {MAX_EVENT_CLIENTS} clients may listen at the same time")
        return Response(content_type="text/event-stream", stream=self._stream())

    async def _stream(self) -> AsyncIterator[bytes]:
        changed = asyncio.Event()
        self._waiters.add(changed)
        try:
            while True:
                status = orjson.dumps(self._program.view.status(), default=float)
                yield b"event: status\ndata: " + status + b"\n\n"
                changed.clear()
                while not await _set_within(changed, EVENT_HEARTBEAT_S):
                    yield b": still here\n\n"
                await asyncio.sleep(EVENT_GATHER_S)
        finally:
            self._waiters.discard(changed)

    def _changed(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    # -- variables ------------------------------------------------------------------------------------------------

    def variables(self, request: Request) -> dict[str, Any]:
        """GET /api/variables: all 2.x variables, and the 1.6 keys as keys/Name."""
        values: dict[str, Any] = {
            str(entry): entry.value()
            for entry in self._program.model.entries()
            if entry.definition.mutability is not Mutability.WRITE_ONLY
        }
        values.update({f"keys/{key.name}": key.value for key in self._program.keys if key.value is not None})
        return values

    def set_variables(self, request: Request) -> dict[str, Any]:
        """POST /api/variables: set as an installer may; null clears."""
        wishes = _body(request)
        with self._program.database.transaction():
            for address, value in wishes.items():
                self._set(address, value)
        return {"set": sorted(wishes)}

    def _set(self, address: str, value: Any) -> None:
        model, keys = self._program.model, self._program.keys
        if address.startswith("keys/"):
            name = address.removeprefix("keys/")
            keys.value(name)
            setter, resetter = partial(keys.set_inside, name), partial(keys.reset_inside, name)
        else:
            entry = model.entry(address)
            setter, resetter = partial(model.set_inside, entry), partial(model.reset, entry)
        try:
            resetter() if value is None else setter(as_text(value))
        except DeviceModelError as wrong:
            raise ValueError(str(wrong)) from wrong

    # -- energy management ----------------------------------------------------------------------------------------

    def external_limits(self, request: Request) -> dict[str, Any]:
        """GET /api/external_limits."""
        return {"external_limits": external_limits.told(self._program.charge_point.external_limits)}

    def set_external_limit(self, request: Request) -> dict[str, Any]:
        """POST /api/external_limits: what another system than the CSMS allows; a null limit releases."""
        wish = external_limits.read(_body(request))
        charge_point = self._program.charge_point
        if wish.schedule is None:
            return {"released": charge_point.external_limit_released(wish.source, wish.evse_id)}
        limit = ExternalLimit(wish.source, wish.schedule, wish.evse_id, wish.grid_critical)
        charge_point.external_limit_set(limit)
        return {"source": wish.source, "evse": wish.evse_id}

    # -- user interface -------------------------------------------------------------------------------------------

    def master_pass(self, request: Request) -> dict[str, Any]:
        """POST /api/master_pass: what the holder of the master pass has chosen."""
        evses = _evses(_body(request) if request.body.strip() else {})
        self._program.charge_point.master_pass_chosen(evses)
        return {"stopped": list(evses) or "all"}

    # -- simulation -----------------------------------------------------------------------------------------------

    def plug(self, request: Request, evse: int, connector: int) -> dict[str, Any]:
        """POST …/plug."""
        return self._program.simulation.plug(evse, connector, _body(request) if request.body.strip() else None)

    def unplug(self, request: Request, evse: int, connector: int) -> dict[str, Any]:
        """POST …/unplug."""
        return self._program.simulation.unplug(evse, connector)

    def parking_bay(self, request: Request, evse: int) -> dict[str, Any]:
        """POST …/parking_bay."""
        return self._program.simulation.parking_bay(evse, _needed(_body(request), "occupied"))

    def ev(self, request: Request, evse: int) -> dict[str, Any]:
        """POST …/ev."""
        return self._program.simulation.change_ev(evse, _body(request))

    def meter(self, request: Request, evse: int) -> dict[str, Any]:
        """POST …/meter."""
        return self._program.simulation.set_meter(evse, _body(request))

    def iso15118(self, request: Request, evse: int) -> dict[str, Any]:
        """POST …/iso15118."""
        return self._program.simulation.controller(evse).act(_body(request))

    def fault(self, request: Request, evse: int, connector: int) -> dict[str, Any]:
        """POST …/fault."""
        wish = _body(request)
        active = wish.get("active", True)
        if not isinstance(active, bool):
            raise ValueError("active must be true or false")
        self._program.simulation.fault(
            evse,
            connector,
            _needed(wish, "kind"),
            active=active,
            info=str(wish.get("info", "")),
            vendor_code=str(wish.get("vendor_code", "")),
        )
        return {"kind": wish["kind"], "active": active}

    def token(self, request: Request) -> dict[str, Any]:
        """POST /api/sim/tokens."""
        wish = _body(request)
        self._program.simulation.present(_needed(wish, "id"), str(wish.get("type", "ISO14443")), _evses(wish))
        return {"presented": wish["id"]}

    async def network(self, request: Request) -> dict[str, Any]:
        """POST /api/sim/network."""
        up = _needed(_body(request), "up")
        if not isinstance(up, bool):
            raise ValueError("up must be true or false")
        await self._program.charge_point.connectivity.set_up(up)
        return {"up": up}

    def power_cut(self, request: Request) -> dict[str, Any]:
        """POST /api/sim/power_cut: the answer still goes out."""
        asyncio.get_running_loop().call_later(POWER_CUT_DELAY_S, station_program.power_cut)
        return {"power": "off"}

    def clock(self, request: Request) -> dict[str, Any]:
        """POST /api/sim/clock."""
        offset = _needed(_body(request), "offset_s")
        if isinstance(offset, bool) or not isinstance(offset, int | float):
            raise ValueError("offset_s must be a number")
        if abs(offset) > MAX_OFFSET_S:
            raise ValueError(f"offset_s must be -{MAX_OFFSET_S} to {MAX_OFFSET_S}")
        self._program.clock.shift(float(offset))
        self._program.charge_point.clock_changed()
        return {"now": self._program.view.status()["clock"]["now"]}


def _body(request: Request) -> dict[str, Any]:
    if not request.body.strip():
        return {}
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as wrong:
        raise ValueError(f"the body is not valid JSON: {wrong}") from wrong
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def _evses(body: dict[str, Any]) -> tuple[int, ...]:
    evses = body.get("evses", [])
    if not isinstance(evses, list) or not all(isinstance(each, int) for each in evses):
        raise ValueError("evses must be a list of EVSE numbers")
    return tuple(evses)


def _needed(body: dict[str, Any], name: str) -> Any:
    if name not in body:
        raise ValueError(f"{name} is missing in the body")
    return body[name]


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
