"""A driver's visit to an EVSE, step by step through the reusable states of the 2.0.1 certification document.

Every step makes the validations that the document lists for its state, for the start and stop points in force; the
events have to come with gapless sequence numbers, all about one transaction.
"""

from dataclasses import dataclass, field
from typing import Any

from support.conformance import ConformanceCsms
from support.processes import StationProcess
from support.v201 import CARD, id_token, network


@dataclass
class Visit:
    """`start` and `stop` are TxStartPoint and TxStopPoint; `bay`: whether a sensor sees the parking bay."""

    csms: ConformanceCsms
    station: StationProcess
    start: str = "PowerPathClosed"
    stop: str = "PowerPathClosed"
    evse: int = 1
    card: str = CARD
    bay: bool = False
    transaction: str = ""
    ended: bool = False
    plugged: bool = False
    authorized: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def started(self) -> bool:
        return bool(self.transaction)

    def take(self, event: dict[str, Any]) -> dict[str, Any]:
        """The next event of the transaction."""
        assert event["seqNo"] == len(self.events), self.csms.transcript()
        assert event["eventType"] == ("Ended" if self.ended else "Updated" if self.events else "Started")
        self.transaction = self.transaction or event["transactionInfo"]["transactionId"]
        assert event["transactionInfo"]["transactionId"] == self.transaction
        self.events.append(event)
        return event

    def event(self, trigger: str | set[str], *, ends: bool = False, **fields: Any) -> dict[str, Any]:
        """The next event, with that trigger."""
        self.ended = ends
        return self.take(self.csms.expect("TransactionEvent", triggerReason=trigger, **fields))

    # -- states ---------------------------------------------------------------------------------------------------

    def park(self) -> None:
        """ParkingBayOccupied."""
        self.station.post(f"/api/sim/evses/{self.evse}/parking_bay", {"occupied": True})
        if "ParkingBayOccupancy" in self.start:
            self.event("EVDetected")

    def connect(self, **ev: Any) -> None:
        """EVConnectedPreSession."""
        self.station.plug(self.evse, **ev)
        self.plugged = True
        told = [("StatusNotification", self._connector("Occupied"))]
        begins = "EVConnected" in self.start or (self.authorized and self.start in ("PowerPathClosed", "DataSigned"))
        if self.started or begins:
            states = {"EVConnected", *({"SuspendedEVSE", "Charging"} if self.authorized else ())}
            told.append(("TransactionEvent", {"transactionInfo": {"chargingState": states}, **self._place}))
        _, *events = self.csms.expect_all(*told)
        for event in events:
            triggers = {"CablePluggedIn", "ChargingStateChanged", "RemoteStart"}
            assert event["triggerReason"] in ({"SignedDataReceived"} if self.start == "DataSigned" else triggers)
            self.take(event)

    def _connector(self, status: str) -> dict[str, Any]:
        return {"evseId": self.evse, "connectorId": 1, "connectorStatus": status}

    @property
    def _place(self) -> dict[str, Any]:
        return {"evse": {"id": self.evse, "connectorId": 1}}

    def authorize(self) -> None:
        """Authorized, with a card."""
        self.station.card(self.card, self.evse)
        assert self.csms.expect("Authorize")["idToken"] == id_token(self.card)
        self._authorized("Authorized")

    def authorize_remotely(self, remote_start_id: int = 7, *, asks: bool = False) -> None:
        """Authorized, by RequestStartTransaction; `asks`: whether the CSMS is asked about the token first."""
        wish = {"idToken": id_token(self.card), "remoteStartId": remote_start_id, "evseId": self.evse}
        answer = self.csms.call("RequestStartTransaction", wish)
        assert answer["status"] == "Accepted"
        assert not self.started or answer["transactionId"] == self.transaction
        if asks:
            assert self.csms.expect("Authorize")["idToken"] == id_token(self.card)
        self._authorized("RemoteStart", transactionInfo={"remoteStartId": remote_start_id})

    def _authorized(self, trigger: str, **fields: Any) -> None:
        self.authorized = True
        if self.started or "Authorized" in self.start or ("PowerPathClosed" in self.start and self.plugged):
            self.event(trigger, idToken=id_token(self.card), **fields)
        else:
            self.csms.call("GetTransactionStatus")  # whatever follows finds the authorization taken note of

    def charge(self) -> None:
        """EnergyTransferStarted."""
        if not self.authorized:
            self.authorize()
        if not self.plugged:
            self.connect()
        self.event("ChargingStateChanged", transactionInfo={"chargingState": "Charging"}, **self._place)

    def suspend(self) -> None:
        """EnergyTransferSuspended."""
        self.station.post(f"/api/sim/evses/{self.evse}/ev", {"state": "B"})
        if "EnergyTransfer" in self.stop:
            info = {"chargingState": "EVConnected", "stoppedReason": "StoppedByEV"}
            self.event("ChargingStateChanged", ends=True, transactionInfo=info)
        else:
            self.event("ChargingStateChanged", transactionInfo={"chargingState": "SuspendedEV"})

    def end_authorization(self) -> None:
        """StopAuthorized, with the card."""
        ends = not self.stop_points.isdisjoint({"Authorized", "PowerPathClosed"})
        self.station.card(self.card, self.evse)
        event = self.event("StopAuthorized", ends=ends, idToken=id_token(self.card))
        assert event["transactionInfo"].get("stoppedReason") == ("Local" if ends else None)

    def end_authorization_remotely(self) -> None:
        """StopAuthorized, by RequestStopTransaction."""
        ends = not self.stop_points.isdisjoint({"Authorized", "PowerPathClosed"})
        assert self.csms.call("RequestStopTransaction", {"transactionId": self.transaction})["status"] == "Accepted"
        event = self.event("RemoteStop", ends=ends)
        assert event["transactionInfo"].get("stoppedReason") == ("Remote" if ends else None)

    def finish(self, reason: str = "Local") -> None:
        """EVConnectedPostSession."""
        if not self.ended:
            ends = "EnergyTransfer" in self.stop
            event = self.event("ChargingStateChanged", ends=ends, transactionInfo={"chargingState": "EVConnected"})
            assert event["transactionInfo"].get("stoppedReason") == (reason if ends else None)

    def disconnect(self) -> None:
        """EVDisconnected."""
        self.station.unplug(self.evse)
        told = [("StatusNotification", self._connector("Available"))]
        if not self.ended:
            told.append(("TransactionEvent", {"triggerReason": "EVCommunicationLost"}))
        _, *events = self.csms.expect_all(*told)
        for event in events:
            assert event["transactionInfo"]["chargingState"] == "Idle"
            self.ended = "EVConnected" in self.stop
            self.take(event)

    def leave(self) -> None:
        """ParkingBayUnoccupied, after all the states that lead there."""
        self.end_authorization()
        self.finish()
        self.disconnect()
        self.drive_away()

    def drive_away(self) -> None:
        """ParkingBayUnoccupied itself."""
        if self.bay:
            self.station.post(f"/api/sim/evses/{self.evse}/parking_bay", {"occupied": False})
            if not self.ended:
                self.event("EVDeparted", ends="ParkingBayOccupancy" in self.stop)

    @property
    def stop_points(self) -> set[str]:
        return set(self.stop.split(","))

    # -- offline --------------------------------------------------------------------------------------------------

    def go_offline(self) -> None:
        """The connection is lost, and does not come back by itself."""
        self.station.wait(
            lambda: not self.station.status()["queues"]["transaction_messages"], "all answers are taken in"
        )
        network(self.station, False)
        self.csms.wait_disconnected()
        self.csms.mark()
