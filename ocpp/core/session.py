"""A charging session: from the first sign of a driver (parked, plugged in, authorized) until nothing is left of it.

The session turns facts into transaction events, by the start and stop points in force, and decides whether the EVSE
may deliver energy. Every change is stored together with the messages about it; hardware is commanded afterwards.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from ocpp.core import settings as points
from ocpp.core.changes import Change, Changes, Memory
from ocpp.core.conditions import Conditions
from ocpp.core.delivery import Delivery
from ocpp.core.events import StopReason, Trigger
from ocpp.core.evse import TRANSACTION_ENDING_FAULTS, Connector, Evse
from ocpp.core.hardware import Indication, MeterReading
from ocpp.core.held_cable import RELEASING_REASONS, HeldCable
from ocpp.core.identity import IdToken
from ocpp.core.metering import TransactionMeter
from ocpp.core.recorder import TransactionRecorder
from ocpp.core.refusal import Refusal
from ocpp.core.reports import Reports
from ocpp.core.schedule import ChargingProfile
from ocpp.core.timers import Timers
from ocpp.core.transaction import Authorization, ChargingState, Transaction

if TYPE_CHECKING:
    from ocpp.core.charging import Charging

EV_READY_GRACE_S = 10.0
"""How long an EV may take to start drawing before it counts as suspending the charge."""

STOP_FLOW_TIMEOUT_S = 8.0
"""How long the last event waits for the energy to stop; the contactor opens under load well before (IEC 61851-1)."""

PLUG_IN, EV_READY, FLOW_STOP, IDENTIFY = "plug in", "EV ready", "flow stop", "identify"
"""What the session's timers wait for."""

_REMEMBERED = (
    "authorization",
    "transaction",
    "suspended_by_csms",
    "finished",
    "ending",
    "flowed",
    "releases_cable",
    "_held_back",
    "_facts",
    "token_to_report",
    "_refused_trigger",
)
"""What a change that could not be recorded must not have changed."""

log = logging.getLogger(__name__)


class ChargingSession:
    """One driver's stay at an EVSE; `evse` is None while nobody knows yet which one it will be (C01, E01.FR.17)."""

    def __init__(self, charging: "Charging", evse: Evse | None) -> None:
        self._charging = charging
        self._clock = charging.clock
        self.evse = evse
        self.evse_ids: tuple[int, ...] = ()
        self.authorization: Authorization | None = None
        self.transaction: Transaction | None = None
        self.suspended_by_csms = False
        self.finished = False
        """Whether a transaction has ended here and the cable is still in."""
        self.lapsed = False
        """Whether a cable has been in for so long without a driver that whoever comes next is not taken for its driver."""
        self.last_authorization: Authorization | None = None
        """Who charges here, or did last."""
        self.ending = False
        """Whether the transaction is over but for the energy that still flows."""
        self.flowed = False
        """Whether the EV has drawn, or could have for long enough."""
        self._held_cable = HeldCable(charging, self)
        self.releases_cable = False
        """Whether the cable is to be let go once no energy flows."""
        self._held_back: Trigger | None = None
        """What is told once no energy flows, in place of the mere change of state."""
        self._timers = Timers(charging.clock)
        self.profile_for_start: ChargingProfile | None = None
        """A charging profile that waits for the transaction to begin."""
        self._facts: frozenset[str] = frozenset()
        self.token_to_report: IdToken | None = None
        self._refused_trigger: Trigger | None = None
        self._recorder = TransactionRecorder(charging, self)
        self._conditions = Conditions(charging, self)
        self._refusal = Refusal(charging, self)
        self.delivery = Delivery(charging, self)
        self._changes = Changes(
            charging.database,
            charging.clock,
            remember=lambda: Memory(self, _REMEMBERED),
            carry_out=self._carry_out,
            failed=self._not_recorded,
            recorded=self._recorded,
        )
        self.reports = Reports(charging, self, self._changes, self._recorder, self._refusal)
        self.meter = TransactionMeter(charging.metering, charging.clock, charging.store, self.reports)

    # -- facts ----------------------------------------------------------------------------------------------------

    @property
    def connector(self) -> Connector | None:
        """Where the cable is."""
        return self.evse.plugged_connector if self.evse is not None else None

    @property
    def plugged(self) -> bool:
        """Whether an EV is connected."""
        return self.connector is not None

    @property
    def unrecorded(self) -> bool:
        """Whether something that happened here is not on disk yet."""
        return self._changes.waiting

    @property
    def priority(self) -> int:
        """Who goes first where there is not enough for all (chargingPriority)."""
        if self.transaction is not None:
            return self.transaction.priority
        return self.authorization.priority if self.authorization is not None else 0

    @property
    def idle(self) -> bool:
        """Whether nothing is left of the session."""
        occupied = self.evse is not None and (self.evse.bay_occupied or self.plugged)
        return not occupied and self.authorization is None and self.transaction is None and not self.unrecorded

    def charging_state(self) -> ChargingState:
        """What is going on between EVSE and EV."""
        return self._conditions.charging_state()

    @property
    def phases_used(self) -> int | None:
        """From how many phases the EV draws; None while it does not."""
        return self._conditions.phases_used()

    def read(self) -> MeterReading | None:
        """See `Metered.read`."""
        return self._charging.hardware.read_meter(self.evse.id) if self.evse is not None else None

    # -- what happens ---------------------------------------------------------------------------------------------

    def cable_plugged(self) -> None:
        """The cable is in."""
        self._change(Trigger.CABLE_PLUGGED_IN, lambda: self._timers.cancel(PLUG_IN))

    def cable_unplugged(self) -> None:
        """The cable is out; the EVSE's facts already say so."""
        rules = self._charging.settings

        def act() -> None:
            self.flowed = False
            if rules.stop_on_ev_side_disconnect or self.transaction is None:
                self.withdraw()

        self._change(Trigger.EV_COMMUNICATION_LOST, act, reason=StopReason.EV_DISCONNECTED)
        if self.authorization is not None and not self._held_cable.locked:
            self._expect_plug()

    def bay_changed(self, occupied: bool) -> None:
        """The parking bay's sensor sees something, or no longer."""
        self._change(Trigger.EV_DETECTED if occupied else Trigger.EV_DEPARTED, reason=StopReason.LOCAL)

    def authorize(self, authorization: Authorization, trigger: Trigger = Trigger.AUTHORIZED) -> None:
        """Somebody may charge from now on."""
        self._charging.settle(self.evse)

        def act() -> None:
            self.authorization = self.last_authorization = authorization
            self.suspended_by_csms = False
            self.token_to_report = authorization.token
            if self.transaction is not None:
                self.transaction.take(authorization)

        self._change(trigger, act)
        if not self.plugged:
            self._expect_plug()

    def stop(self, trigger: Trigger, reason: StopReason, token: IdToken | None = None) -> None:
        """The authorization ends: by the driver's token, by the CSMS, by the unlock command."""

        def act() -> None:
            self.withdraw()
            self.token_to_report = token
            self.note_stop(reason)
            self.releases_cable = reason in RELEASING_REASONS

        self._change(trigger, act, reason=reason)

    def stopped_by_ev(self) -> None:
        """The EV ends its session for good (SessionStopReq Terminate of ISO 15118; E15.FR.04, E15.FR.05)."""
        if self.authorization is None or self.ending:
            return

        def act() -> None:
            self.withdraw()
            self.note_stop(StopReason.STOPPED_BY_EV)
            self.releases_cable = True

        ends = bool(self._charging.settings.stop_points & points.ENDED_BY_EV)
        self._tell_once_nothing_flows(Trigger.STOP_AUTHORIZED, act, StopReason.STOPPED_BY_EV, ends=ends, force=ends)

    def _tell_once_nothing_flows(
        self, trigger: Trigger, act: Callable[[], None], reason: StopReason, *, ends: bool, force: bool = False
    ) -> None:
        """Energy ends now; one event tells why and the state that comes of it. `ends`: the transaction ends at once."""
        if ends or not self._conditions.energy_flows:
            self._change(trigger, act, reason=reason, force=force)
            return

        def act_and_hold_back() -> None:
            act()
            self._held_back = trigger

        self._change(None, act_and_hold_back, reason=reason)

    def refuse(self) -> None:
        """The CSMS does not accept the token of the running transaction (E05; 1.6 section 5.11)."""
        transaction = self.transaction
        if transaction is None or transaction.deauthorized:
            return
        if self._charging.settings.stop_on_invalid_id:
            ends = bool(self._charging.settings.stop_points & {points.AUTHORIZED, points.POWER_PATH_CLOSED})
            self._tell_once_nothing_flows(Trigger.DEAUTHORIZED, self._refusal.end, StopReason.DEAUTHORIZED, ends=ends)
        else:
            self._change(None, self._refusal.limit)

    def note_stop(self, reason: StopReason) -> None:
        """Why the transaction is going to end; the first reason counts."""
        if self.transaction is not None:
            self.transaction.stop_reason = self.transaction.stop_reason or reason

    def learn_group(self, group: IdToken) -> None:
        """The CSMS tells which group the token of the transaction belongs to: its members may stop it (C09.FR.03)."""
        transaction = self.transaction
        if transaction is None or transaction.group == group:
            return
        transaction.group = group
        if self.authorization is not None:
            self.authorization = msgspec.structs.replace(self.authorization, group=group)
            self.last_authorization = self.authorization
        self._charging.save(transaction)

    def suspend_by_csms(self) -> None:
        """No more energy, but the transaction goes on (E05.FR.02)."""

        def act() -> None:
            self.suspended_by_csms = True

        self._change(None, act)

    def end(self, trigger: Trigger, reason: StopReason) -> None:
        """End the transaction whatever the stop points say (reset, emergency stop)."""
        self._change(trigger, self.withdraw, reason=reason, force=True)

    def faulted(self, kind: str) -> None:
        """A fault came up at this EVSE."""
        reason = TRANSACTION_ENDING_FAULTS.get(kind)
        if reason is not None and self.transaction is not None:
            self.end(Trigger.ABNORMAL_CONDITION, StopReason(reason))
        else:
            self.reconsider()

    def reconsider(self) -> None:
        """Something that decides about energy has changed: fault, availability, limit, EV state, flow."""
        if self.ending:
            if self.evse is None or not self.evse.energy_flows:
                self._finish_ending()
            return

        def act() -> None:
            if self.evse is not None and self.evse.energy_flows:
                self.flowed = True

        self._change(None, act, reason=self._conditions.why_nothing_flows())

    def prioritize(self, priority: int) -> None:
        """The CSMS gives this transaction another priority (K03.FR.05)."""
        transaction = self.transaction
        if transaction is not None and transaction.priority != priority:
            transaction.priority = priority
            self._charging.save(transaction)
            self._charging.smart.review()

    def rate_changed(self) -> None:
        """An external system has changed what the transaction may draw, by much (K11.FR.04, K13.FR.03)."""
        if self.transaction is not None and not self.ending:
            self._change(Trigger.CHARGING_RATE_CHANGED)

    # -- from facts to events -------------------------------------------------------------------------------------

    def _change(
        self,
        trigger: Trigger | None,
        act: Callable[[], None] = lambda: None,
        *,
        reason: StopReason | None = None,
        force: bool = False,
    ) -> None:
        self._changes.make(
            Change(act, trigger, reason, force, self._conditions.of_hardware(), self.connector, self._clock.now())
        )

    def _not_recorded(self) -> None:
        self.delivery.cut()
        if self.transaction is not None and not self.ending:
            self.meter.start()
        else:
            self.meter.stop()

    def _recorded(self) -> None:
        self._install_profile()
        self._charging.smart.review()
        self._held_cable.review(self._conditions.energy_flows)
        self._expect_driver()
        if self.delivery.apply() and not self.flowed and EV_READY not in self._timers:
            self._timers.schedule(EV_READY, EV_READY_GRACE_S, self._grace_over)
        self._charging.session_changed(self)

    def _install_profile(self) -> None:
        """The profile of a remote start is tied to the transaction that begins (K05.FR.03)."""
        profile, transaction = self.profile_for_start, self.transaction
        if profile is None or transaction is None:
            return
        self.profile_for_start = None
        tied = msgspec.structs.replace(profile, transaction_id=transaction.id)
        if refused := self._charging.smart.install(tied, replace_equal=True):
            log.warning("the charging profile of the remote start is not used: %s", refused)

    def _carry_out(self, change: Change) -> None:
        self._recorder.at, self._recorder.connector = change.at, change.connector
        try:
            change.act()
            self._evaluate(change)
        finally:
            self._recorder.at = self._recorder.connector = None

    def _evaluate(self, change: Change) -> None:
        before, self._facts = self._facts, self._conditions.with_driver(change.facts)
        if self.transaction is None:
            self._consider_start(change, before)
            return
        trigger = change.trigger or self._held_back or Trigger.CHARGING_STATE_CHANGED
        if change.force or (before - self._facts) & self._charging.settings.stop_points:
            self._begin_ending(trigger, change.reason)
            self._held_back = None
        elif change.trigger is not None or self.charging_state() is not self.transaction.charging_state:
            self._recorder.update(trigger)
            if not self._conditions.energy_flows:
                self._held_back = None

    def _consider_start(self, change: Change, before: frozenset[str]) -> None:
        gained = self._facts - before
        if not self._conditions.must_start(gained):
            return
        if not self._charging.accepts_transaction(self):
            # Not now: the same facts start the transaction once the station is accepted.
            self._facts, self._refused_trigger = before, change.trigger
            return
        trigger = self._refused_trigger or change.trigger or Trigger.CHARGING_STATE_CHANGED
        if gained & self._charging.settings.start_points == {points.DATA_SIGNED}:
            trigger = Trigger.SIGNED_DATA_RECEIVED
        self.flowed, self._refused_trigger = False, None
        self._recorder.start(trigger)

    def _begin_ending(self, trigger: Trigger, reason: StopReason | None) -> None:
        transaction = self.transaction
        assert transaction is not None
        transaction.stop_trigger = trigger
        transaction.stop_reason = transaction.stop_reason or reason
        transaction.stop_token = self.token_to_report
        self.meter.stop()
        if self.evse is None or not self.evse.energy_flows:
            self._finish()
            return
        self.ending = True
        self._charging.store.save(transaction)
        self._timers.schedule(FLOW_STOP, STOP_FLOW_TIMEOUT_S, self._finish_ending)

    def _finish_ending(self) -> None:
        self._change(None, lambda: self._finish() if self.ending else None)

    def _finish(self, *, read: bool = True) -> None:
        transaction = self.transaction
        if transaction is None:
            return
        self.ending = False
        self._timers.cancel(FLOW_STOP)
        # Nobody pauses any longer: the last event tells of an EV that is connected, or gone.
        self.withdraw()
        self.suspended_by_csms = False
        self._recorder.finish(transaction, read=read)
        self.transaction = None
        self.finished = True
        self._held_cable.transaction_ended(transaction)
        self._facts = self._conditions.with_driver(self._conditions.of_hardware())

    def resume(self, transaction: Transaction) -> None:
        """Take up a transaction found open after a restart."""
        self.transaction = transaction
        if transaction.token is not None and transaction.authorized:
            self.authorization = Authorization(
                transaction.token, transaction.group, transaction.remote_start_id, priority=transaction.priority
            )
            self.last_authorization = self.authorization
        self.suspended_by_csms = transaction.deauthorized and transaction.energy_limit_wh is None
        self._facts = self._conditions.with_driver(self._conditions.of_hardware())
        self.meter.start()

    def resumed(self, last: MeterReading | None, read_at: datetime, interrupted_at: datetime) -> None:
        """Tell the CSMS about the interruption, and what was measured last before; let the EV go on."""
        self.reports.interruption(last, read_at, interrupted_at)
        self._recorded()

    def close_recovered(self) -> None:
        """End a transaction that was found open, by what is known of it."""
        with self._changes.whole():
            self._finish(read=False)

    # -- details --------------------------------------------------------------------------------------------------

    def withdraw(self) -> None:
        """Nobody may charge any longer."""
        self.authorization = None
        self._timers.cancel(PLUG_IN)
        self._timers.cancel(EV_READY)
        if self.transaction is not None:
            self.transaction.authorized = False

    def _grace_over(self) -> None:
        def act() -> None:
            self.flowed = True
            if self.evse is not None:
                self.evse.sated = self.evse.offers and not self.evse.ev_requests_energy

        if self.transaction is not None and self.plugged:
            self._change(None, act)

    def _expect_plug(self) -> None:
        timeout = self._charging.settings.ev_connection_timeout_s
        self._timers.cancel(PLUG_IN)
        if timeout > 0:
            self._timers.schedule(PLUG_IN, timeout, self._plug_in_timed_out)
        if self.evse is not None:
            self._charging.hardware.indicate(self.evse.id, Indication.PLUG_IN)

    def _expect_driver(self) -> None:
        """A cable without a driver waits for one as long as a driver may take to plug in (1.6 errata 3.20)."""
        if not self.plugged or self.authorization is not None:
            self.lapsed = False
            self._timers.cancel(IDENTIFY)
        elif not self.lapsed and IDENTIFY not in self._timers:
            timeout = self._charging.settings.ev_connection_timeout_s
            if timeout > 0:
                self._timers.schedule(IDENTIFY, timeout, self._lapse)

    def _lapse(self) -> None:
        log.info(
            "nobody identified for the cable at EVSE %s; it has to be plugged in again", self.evse and self.evse.id
        )
        self.lapsed = True
        self._charging.session_changed(self)

    def _plug_in_timed_out(self) -> None:
        log.info("the driver did not plug in within %d s", self._charging.settings.ev_connection_timeout_s)
        keep = points.PARKING_BAY_OCCUPANCY in self._charging.settings.stop_points
        self._change(Trigger.EV_CONNECT_TIMEOUT, self.withdraw, reason=StopReason.TIMEOUT, force=not keep)

    def close(self) -> None:
        """No more timers: the program ends, or the session is over."""
        self.meter.stop()
        self._changes.close()
        self._timers.clear()
