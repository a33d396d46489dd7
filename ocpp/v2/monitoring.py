"""N. Monitoring: monitors on variables, and the events they raise (N02 to N08)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from ocpp.core.context import Context
from ocpp.core.monitor import CRITERIA, MAX_SEVERITY, Monitor, MonitorType, defect
from ocpp.core.monitoring import MonitorEvent
from ocpp.device_model.entry import Entry
from ocpp.device_model.model import GetStatus
from ocpp.device_model.standard.monitoring import BASES, MAX_ITEMS
from ocpp.errors import CallError, RpcError, StorageError
from ocpp.messages import v2
from ocpp.rpc import error_codes
from ocpp.rpc.endpoint import Handler, Reply
from ocpp.rpc.outbox import Outbox
from ocpp.rpc.waiting import Outcome
from ocpp.v2.provisioning import component_of, report_component, variable_of, wanted_of
from ocpp.versions import OcppVersion

VARIABLES_PER_REPORT = 10
"""Variables in one NotifyMonitoringReport."""

MAX_REPORTS = 4
"""Reports under way at a time."""

MAX_UNANSWERED = 100
"""Events kept of a connection whose CSMS does not answer them; at one a message time-out, that is an hour."""

log = logging.getLogger(__name__)


class Monitoring:
    """The monitoring part of functional block N."""

    def __init__(self, context: Context, outbox: Outbox) -> None:
        self._context = context
        self._outbox = outbox
        self._reports = 0
        self._unanswered: deque[v2.NotifyEventRequest] = deque()
        """Events that the CSMS of this connection was told, and did not answer."""

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            "GetMonitoringReport": self.get_monitoring_report,
            "SetMonitoringBase": self.set_monitoring_base,
            "SetMonitoringLevel": self.set_monitoring_level,
            "SetVariableMonitoring": self.set_variable_monitoring,
            "ClearVariableMonitoring": self.clear_variable_monitoring,
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.monitoring.listener = self._tell
        self._context.signals.accepted.listen(self._context.monitoring.accepted)
        self._context.signals.disconnected.listen(self._keep_unanswered)

    @property
    def _with_21(self) -> bool:
        catalogue = self._context.rpc.catalogue
        return catalogue is None or catalogue.version is OcppVersion.V21

    # -- monitors -------------------------------------------------------------------------------------------------

    def set_variable_monitoring(self, request: v2.SetVariableMonitoringRequest) -> v2.SetVariableMonitoringResponse:
        """N04."""
        _limit(len(request.set_monitoring_data), "SetVariableMonitoring")
        with self._context.database.transaction():
            results = [self._set(wish) for wish in request.set_monitoring_data]
        return v2.SetVariableMonitoringResponse(set_monitoring_result=results)

    def _set(self, wish: v2.SetMonitoringData) -> v2.SetMonitoringResult:
        status, code, number = self._install(wish)
        return v2.SetMonitoringResult(
            id=number,
            status=v2.SetMonitoringStatusEnum(status),
            status_info=v2.StatusInfo(reason_code=code) if code else None,
            type=wish.type,
            severity=wish.severity,
            component=wish.component,
            variable=wish.variable,
        )

    def _install(self, wish: v2.SetMonitoringData) -> tuple[str, str, int | None]:
        entry, unknown = self._find(wish.component, wish.variable)
        if entry is None:
            return unknown, "", None
        if str(wish.type) not in set(MonitorType):
            return "UnsupportedMonitorType", "UnsupportedRequest", None
        kind, value = MonitorType(str(wish.type)), Decimal(str(wish.value))
        status, code = defect(entry.definition, kind, value, wish.severity)
        if status:
            return status, code, None
        return self._context.monitoring.set(
            Monitor(
                id=wish.id or 0,
                address=str(entry),
                type=kind,
                value=value,
                severity=wish.severity,
                in_transaction=bool(wish.transaction),
            )
        )

    def _find(self, component: v2.Component, variable: v2.Variable) -> tuple[Entry | None, str]:
        model = self._context.model
        where, what = component_of(component), variable_of(variable)
        entry = model.find(where, what, with_21=self._with_21)
        if entry is not None:
            return entry, ""
        status, _ = model.get(where, what, with_21=self._with_21)
        return None, "UnknownVariable" if status is GetStatus.UNKNOWN_VARIABLE else "UnknownComponent"

    def clear_variable_monitoring(
        self, request: v2.ClearVariableMonitoringRequest
    ) -> v2.ClearVariableMonitoringResponse:
        """N06."""
        _limit(len(request.id), "ClearVariableMonitoring")
        with self._context.database.transaction():
            outcomes = [(number, self._context.monitoring.clear(number)) for number in request.id]
        return v2.ClearVariableMonitoringResponse(
            clear_monitoring_result=[
                v2.ClearMonitoringResult(id=number, status=v2.ClearMonitoringStatusEnum(status))
                for number, status in outcomes
            ]
        )

    def set_monitoring_base(self, request: v2.SetMonitoringBaseRequest) -> v2.SetMonitoringBaseResponse:
        """N03."""
        base = str(request.monitoring_base)
        if base not in BASES:
            return v2.SetMonitoringBaseResponse(status=v2.GenericDeviceModelStatusEnum("NotSupported"))
        with self._context.database.transaction():
            self._context.monitoring.set_base(base)
        return v2.SetMonitoringBaseResponse(status=v2.GenericDeviceModelStatusEnum("Accepted"))

    def set_monitoring_level(self, request: v2.SetMonitoringLevelRequest) -> v2.SetMonitoringLevelResponse:
        """N05."""
        if not 0 <= request.severity <= MAX_SEVERITY:
            return v2.SetMonitoringLevelResponse(
                status=v2.GenericStatusEnum("Rejected"), status_info=v2.StatusInfo(reason_code="ValueOutOfRange")
            )
        self._context.model.integer("MonitoringCtrlr/ActiveMonitoringLevel").set(request.severity)
        return v2.SetMonitoringLevelResponse(status=v2.GenericStatusEnum("Accepted"))

    # -- reports --------------------------------------------------------------------------------------------------

    def get_monitoring_report(self, request: v2.GetMonitoringReportRequest) -> v2.GetMonitoringReportResponse | Reply:
        """N02."""
        criteria = [str(each) for each in request.monitoring_criteria or ()]
        if any(each not in CRITERIA for each in criteria):
            return v2.GetMonitoringReportResponse(status=v2.GenericDeviceModelStatusEnum("NotSupported"))
        wanted = [wanted_of(each) for each in request.component_variable or ()]
        found = self._context.monitoring.report(
            criteria, lambda entry: not wanted or any(wish.matches(entry) for wish in wanted)
        )
        if not found:
            return v2.GetMonitoringReportResponse(status=v2.GenericDeviceModelStatusEnum("EmptyResultSet"))
        if self._reports >= MAX_REPORTS:
            return v2.GetMonitoringReportResponse(status=v2.GenericDeviceModelStatusEnum("Rejected"))
        return Reply(
            v2.GetMonitoringReportResponse(status=v2.GenericDeviceModelStatusEnum("Accepted")),
            lambda: self._report(request.request_id, [_data(entry, monitors) for entry, monitors in found]),
        )

    async def _report(self, request_id: int, data: list[v2.MonitoringData]) -> None:
        self._reports += 1
        try:
            for seq_no, first in enumerate(range(0, len(data), VARIABLES_PER_REPORT)):
                request = v2.NotifyMonitoringReportRequest(
                    request_id=request_id,
                    seq_no=seq_no,
                    generated_at=self._context.clock.now(),
                    monitor=data[first : first + VARIABLES_PER_REPORT],
                    tbc=True if first + VARIABLES_PER_REPORT < len(data) else None,
                )
                await self._context.rpc.call(request, requested=True)
        except RpcError as error:
            log.warning("monitoring report %d ended early: %s", request_id, error)
        finally:
            self._reports -= 1

    # -- events ---------------------------------------------------------------------------------------------------

    def _tell(self, event: MonitorEvent) -> None:
        """NotifyEvent, kept while offline when it matters enough (N07.FR.04, N08.FR.03).

        One that was told and not answered is told again after the next acceptance, whatever its severity: the CSMS was
        there when it happened.
        """
        request = v2.NotifyEventRequest(generated_at=event.timestamp, seq_no=0, event_data=[_event(event)], tbc=None)
        if self._context.rpc.online:
            self._context.rpc.notify(request, outcome=lambda outcome: self._told(request, outcome))
        elif self._context.monitoring.keeps(event.monitor):
            self._outbox.put(request, None, droppable=True)

    def _told(self, request: v2.NotifyEventRequest, outcome: Outcome) -> None:
        if outcome is not Outcome.UNANSWERED:
            return
        if not self._context.rpc.connected:
            self._keep(request)
        elif len(self._unanswered) < MAX_UNANSWERED:
            self._unanswered.append(request)
        else:
            log.warning("an event is lost: %d others wait for a CSMS that answers none", MAX_UNANSWERED)

    def _keep_unanswered(self) -> None:
        """What the CSMS has left without an answer follows in the next connection, or in the next run."""
        while self._unanswered:
            self._keep(self._unanswered.popleft())

    def _keep(self, request: v2.NotifyEventRequest) -> None:
        try:
            self._outbox.put(request, None, droppable=True)
        except StorageError as error:
            log.error("an event is not kept for the CSMS: %s", error)


def _limit(count: int, action: str) -> None:
    """N04.FR.09, N06.FR.06."""
    if count > MAX_ITEMS:
        raise CallError(error_codes.OCCURRENCE_CONSTRAINT_VIOLATION, f"{action} takes at most {MAX_ITEMS} elements")


def _data(entry: Entry, monitors: list[Monitor]) -> v2.MonitoringData:
    return v2.MonitoringData(
        component=report_component(entry),
        variable=v2.Variable(name=entry.variable.name, instance=entry.variable.instance),
        variable_monitoring=[
            v2.VariableMonitoring(
                id=each.id,
                transaction=each.in_transaction,
                value=each.value,
                type=v2.MonitorEnum(each.type.value),
                severity=each.severity,
                event_notification_type=v2.EventNotificationEnum(each.origin.value),
            )
            for each in monitors
        ],
    )


def _event(event: MonitorEvent) -> v2.EventData:
    return v2.EventData(
        event_id=event.id,
        timestamp=event.timestamp,
        trigger=v2.EventTriggerEnum(event.trigger),
        actual_value=event.value,
        cleared=True if event.cleared else None,
        transaction_id=event.transaction_id,
        component=report_component(event.entry),
        variable=v2.Variable(name=event.entry.variable.name, instance=event.entry.variable.instance),
        variable_monitoring_id=event.monitor.id,
        event_notification_type=v2.EventNotificationEnum(event.monitor.origin.value),
    )
