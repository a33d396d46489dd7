"""B. Provisioning: variables, reports, network profiles, reset. The boot itself is `ocpp.core.boot`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice

from ocpp.core.context import Context
from ocpp.core.events import StopReason, Trigger
from ocpp.device_model import Component, Variable
from ocpp.device_model.definition import Attribute, Mutability
from ocpp.device_model.entry import Entry
from ocpp.device_model.model import GetStatus
from ocpp.device_model.report import Wanted, base_report, custom_report
from ocpp.device_model.standard.communication import ITEMS_PER_MESSAGE
from ocpp.errors import CallError, RpcError
from ocpp.messages import v2
from ocpp.rpc import error_codes
from ocpp.rpc.endpoint import Handler, Reply
from ocpp.v2.network import NetworkProfiles
from ocpp.versions import OcppVersion

ENTRIES_PER_REPORT = 25
"""Variables in one NotifyReport: some 8 kB, which every CSMS takes."""

MAX_REPORTS = 4
"""Reports being sent at the same time; more are rejected until one is done (B07.FR.13)."""

REPORTED_VALUE_LENGTH = 2500

_V21 = OcppVersion.V21

log = logging.getLogger(__name__)


class Provisioning:
    """Functional block B."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reports = 0
        self._network = NetworkProfiles(context)

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            "GetVariables": self.get_variables,
            "SetVariables": self.set_variables,
            "GetBaseReport": self.get_base_report,
            "GetReport": self.get_report,
            "SetNetworkProfile": self._network.set_network_profile,
            "Reset": self.reset,
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._network.callbacks_complete()

    @property
    def _with_21(self) -> bool:
        catalogue = self._context.rpc.catalogue
        return catalogue is None or catalogue.version is _V21

    # -- variables ------------------------------------------------------------------------------------------------

    def get_variables(self, request: v2.GetVariablesRequest) -> v2.GetVariablesResponse:
        """B06."""
        wishes = request.get_variable_data
        self._limit(len(wishes), "GetVariables")
        with_21, read = self._with_21, self._context.model.read
        statuses, attributes, result = _read_types()
        results = []
        for wish in wishes:
            component, variable, evse_id, connector_id = wish.component, wish.variable, None, None
            attribute, attribute_type = attributes[wish.attribute_type]
            if (evse := component.evse) is not None:
                evse_id, connector_id = evse.id, evse.connector_id
            status, value = read(
                component.name,
                component.instance,
                evse_id,
                connector_id,
                variable.name,
                variable.instance,
                attribute,
                with_21,
            )
            results.append(
                result(
                    attribute_status=statuses[status],
                    attribute_type=attribute_type,
                    attribute_value=value,
                    component=component,
                    variable=variable,
                )
            )
        return v2.GetVariablesResponse(get_variable_result=results)

    def set_variables(self, request: v2.SetVariablesRequest) -> v2.SetVariablesResponse:
        """B05. Everything accepted is on disk before the response goes out."""
        self._limit(len(request.set_variable_data), "SetVariables")
        with_21 = self._with_21
        with self._context.database.transaction():
            results = [self._write(wish, with_21) for wish in request.set_variable_data]
        return v2.SetVariablesResponse(set_variable_result=results)

    def _write(self, wish: v2.SetVariableData, with_21: bool) -> v2.SetVariableResult:
        attribute = Attribute(wish.attribute_type or "Actual")
        outcome = self._context.model.set(
            component_of(wish.component), variable_of(wish.variable), wish.attribute_value, attribute, with_21=with_21
        )
        info = None
        if outcome.reason_code:
            info = v2.StatusInfo(reason_code=outcome.reason_code, additional_info=outcome.info[:500] or None)
        return v2.SetVariableResult(
            attribute_type=v2.AttributeEnum(attribute.value),
            attribute_status=v2.SetVariableStatusEnum(outcome.status.value),
            attribute_status_info=info,
            component=wish.component,
            variable=wish.variable,
        )

    @staticmethod
    def _limit(count: int, action: str) -> None:
        """B06.FR.16, B05.FR.11."""
        if count > ITEMS_PER_MESSAGE:
            raise CallError(
                error_codes.OCCURRENCE_CONSTRAINT_VIOLATION, f"{action} takes at most {ITEMS_PER_MESSAGE} elements"
            )

    # -- reports --------------------------------------------------------------------------------------------------

    def get_base_report(self, request: v2.GetBaseReportRequest) -> v2.GetBaseReportResponse | Reply:
        """B07."""
        entries = base_report(self._context.model, request.report_base, with_21=self._with_21)
        if entries is None:
            return v2.GetBaseReportResponse(status=v2.GenericDeviceModelStatusEnum("NotSupported"))
        if self._reports >= MAX_REPORTS:
            return v2.GetBaseReportResponse(status=v2.GenericDeviceModelStatusEnum("Rejected"))
        response = v2.GetBaseReportResponse(status=v2.GenericDeviceModelStatusEnum("Accepted"))
        return Reply(response, lambda: self._send_report(request.request_id, entries))

    def get_report(self, request: v2.GetReportRequest) -> v2.GetReportResponse | Reply:
        """B08."""
        self._limit(len(request.component_variable or ()), "GetReport")
        wanted = [wanted_of(each) for each in request.component_variable or ()]
        criteria = [str(criterion) for criterion in request.component_criteria or ()]
        entries = list(custom_report(self._context.model, criteria, wanted, with_21=self._with_21))
        if not entries:
            return v2.GetReportResponse(status=v2.GenericDeviceModelStatusEnum("EmptyResultSet"))
        if self._reports >= MAX_REPORTS:
            return v2.GetReportResponse(status=v2.GenericDeviceModelStatusEnum("Rejected"))
        response = v2.GetReportResponse(status=v2.GenericDeviceModelStatusEnum("Accepted"))
        return Reply(response, lambda: self._send_report(request.request_id, iter(entries)))

    async def _send_report(self, request_id: int, entries: Iterator[Entry]) -> None:
        """Send the parts one after another; `tbc` says that more follow (B07.FR.10, B08.FR.14)."""
        self._reports += 1
        try:
            seq_no = 0
            part = list(islice(entries, ENTRIES_PER_REPORT))
            while True:
                following = list(islice(entries, ENTRIES_PER_REPORT))
                request = v2.NotifyReportRequest(
                    request_id=request_id,
                    generated_at=self._context.clock.now(),
                    report_data=[report_data(entry) for entry in part] or None,
                    tbc=True if following else None,
                    seq_no=seq_no,
                )
                await self._context.rpc.call(request, requested=True)
                if not following:
                    return
                part, seq_no = following, seq_no + 1
        except RpcError as error:
            log.warning("report %d ended early: %s", request_id, error)
        finally:
            self._reports -= 1

    # -- reset ----------------------------------------------------------------------------------------------------

    def reset(self, request: v2.ResetRequest) -> v2.ResetResponse | Reply:
        """B11 and B12."""
        context = self._context
        if context.firmware.installing:
            return self._reset_response("Rejected", "FwUpdateInProgress")
        if request.type not in ("OnIdle", "Immediate"):
            return self._reset_response("Rejected", "UnsupportedParam")
        if request.evse_id is not None:
            return self._reset_evse(request.evse_id, request.type)
        if request.type == "OnIdle" and context.charging.transactions:
            context.resets.when_idle("ScheduledReset")
            return self._reset_response("Scheduled")

        def restart() -> None:
            context.resets.now("RemoteReset", Trigger.RESET_COMMAND, StopReason.IMMEDIATE_RESET)

        return Reply(self._reset_response("Accepted"), restart)

    def _reset_evse(self, evse_id: int, kind: str) -> v2.ResetResponse | Reply:
        """A single EVSE, where the station file does not forbid it (B11.FR.08-09)."""
        context = self._context
        if evse_id not in context.evses:
            return self._reset_response("Rejected", "UnknownEvse")
        if not context.model.boolean(f"EVSE@{evse_id}/AllowReset").value:
            return self._reset_response("Rejected", "UnsupportedParam")
        evse = context.evses[evse_id]
        if kind == "OnIdle" and evse.in_use:
            context.resets.evse_when_idle(evse)
            return self._reset_response("Scheduled")

        def restart() -> None:
            context.resets.evse_now(evse, Trigger.RESET_COMMAND, StopReason.IMMEDIATE_RESET)

        return Reply(self._reset_response("Accepted"), restart)

    @staticmethod
    def _reset_response(status: str, reason_code: str = "") -> v2.ResetResponse:
        info = v2.StatusInfo(reason_code=reason_code) if reason_code else None
        return v2.ResetResponse(status=v2.ResetStatusEnum(status), status_info=info)


@cache
def _read_types() -> tuple[
    dict[GetStatus, v2.GetVariableStatusEnum],
    dict[str | None, tuple[Attribute, v2.AttributeEnum]],
    type[v2.GetVariableResult],
]:
    """What an element of a GetVariablesResponse is made of; message classes are made when they are first needed.

    The attributes are found by attributeType, which is Actual where it is not given.
    """
    statuses = {status: v2.GetVariableStatusEnum(status.value) for status in GetStatus}
    attributes: dict[str | None, tuple[Attribute, v2.AttributeEnum]] = {
        each: (each, v2.AttributeEnum(each.value)) for each in Attribute
    }
    attributes[None] = attributes[Attribute.ACTUAL]
    return statuses, attributes, v2.GetVariableResult


def component_of(message: v2.Component) -> Component:
    """The component a ComponentType names."""
    evse = message.evse
    return Component(
        message.name,
        message.instance,
        evse.id if evse is not None else None,
        evse.connector_id if evse is not None else None,
    )


def variable_of(message: v2.Variable) -> Variable:
    """The variable a VariableType names."""
    return Variable(message.name, message.instance)


def wanted_of(message: v2.ComponentVariable) -> Wanted:
    """What a ComponentVariableType asks for."""
    component = component_of(message.component)
    variable = message.variable
    return Wanted(
        *component,
        variable.name if variable is not None else None,
        variable.instance if variable is not None else None,
    )


def report_component(entry: Entry) -> v2.Component:
    """The component of a variable as ComponentType."""
    component = entry.component
    evse = v2.EVSE(id=component.evse, connector_id=component.connector) if component.evse is not None else None
    return v2.Component(name=component.name, instance=component.instance, evse=evse)


def report_data(entry: Entry) -> v2.ReportData:
    """A variable as NotifyReport tells it; a write-only value stays secret."""
    definition = entry.definition
    secret = definition.mutability is Mutability.WRITE_ONLY
    attributes = [
        v2.VariableAttribute(
            type=v2.AttributeEnum(attribute.value),
            value=None if secret else entry.value(attribute)[:REPORTED_VALUE_LENGTH],
            mutability=v2.MutabilityEnum(definition.mutability.value),
            persistent=definition.persistent or definition.constant,
            constant=definition.constant,
        )
        for attribute in definition.attributes
    ]
    return v2.ReportData(
        component=report_component(entry),
        variable=v2.Variable(name=entry.variable.name, instance=entry.variable.instance),
        variable_attribute=attributes,
        variable_characteristics=v2.VariableCharacteristics(
            unit=definition.unit,
            data_type=v2.DataEnum(definition.data_type.value),
            min_limit=definition.low,
            max_limit=definition.high,
            values_list=",".join(definition.values)[:1000] or None,
            supports_monitoring=definition.monitored,
        ),
    )
