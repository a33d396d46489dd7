"""The domain's settings, read live from the device model."""

from ocpp.device_model import DeviceModel

AUTHORIZED = "Authorized"
DATA_SIGNED = "DataSigned"
ENERGY_TRANSFER = "EnergyTransfer"
EV_CONNECTED = "EVConnected"
PARKING_BAY_OCCUPANCY = "ParkingBayOccupancy"
POWER_PATH_CLOSED = "PowerPathClosed"

ENDED_BY_EV = frozenset({AUTHORIZED, POWER_PATH_CLOSED, ENERGY_TRANSFER})
"""Stop points with which an EV that ends its ISO 15118 session ends the transaction, too (E15.FR.04)."""


class SessionSettings:
    """How sessions and transactions behave in 2.x (TxCtrlr and its neighbours)."""

    def __init__(self, model: DeviceModel) -> None:
        self._start = model.members("TxCtrlr/TxStartPoint")
        self._stop = model.members("TxCtrlr/TxStopPoint")
        self._connection_timeout = model.integer("TxCtrlr/EVConnectionTimeOut")
        self._stop_on_ev_side_disconnect = model.boolean("TxCtrlr/StopTxOnEVSideDisconnect")
        self._unlock_on_ev_side_disconnect = model.boolean("OCPPCommCtrlr/UnlockOnEVSideDisconnect")
        self._stop_on_invalid_id = model.boolean("TxCtrlr/StopTxOnInvalidId")
        self._max_energy_on_invalid_id = model.integer("TxCtrlr/MaxEnergyOnInvalidId")
        self._before_accepted = model.boolean("TxCtrlr/TxBeforeAcceptedEnabled")
        self._resumption_timeout = model.integer("TxCtrlr/ResumptionTimeout")

    @property
    def start_points(self) -> frozenset[str]:
        """TxCtrlr.TxStartPoint."""
        return frozenset(self._start.value)

    @property
    def stop_points(self) -> frozenset[str]:
        """TxCtrlr.TxStopPoint."""
        return frozenset(self._stop.value)

    @property
    def ev_connection_timeout_s(self) -> int:
        """How long a driver may take to plug in."""
        return self._connection_timeout.value

    @property
    def stop_on_ev_side_disconnect(self) -> bool:
        """Whether a cable unplugged from the EV ends the authorization (E09.FR.01)."""
        return self._stop_on_ev_side_disconnect.value

    @property
    def unlock_on_ev_side_disconnect(self) -> bool:
        """Whether the station's end is released then (E09.FR.02)."""
        return self._unlock_on_ev_side_disconnect.value

    @property
    def stop_on_invalid_id(self) -> bool:
        """Whether a refused id token ends the authorization of a running transaction (E05)."""
        return self._stop_on_invalid_id.value

    @property
    def max_energy_on_invalid_id_wh(self) -> int:
        """What may still be delivered after a refusal (E05.FR.03); 0: nothing."""
        return self._max_energy_on_invalid_id.value

    @property
    def before_accepted(self) -> bool:
        """Whether charging is allowed before the CSMS has accepted the station (B03.FR.01)."""
        return self._before_accepted.value

    @property
    def resumption_timeout_s(self) -> int:
        """Age up to which a transaction found open at start is resumed; 0: always ended with PowerLoss."""
        return self._resumption_timeout.value


class SessionSettings16(SessionSettings):
    """1.6 has one transaction: it begins when a driver is authorized and the EV is plugged in."""

    @property
    def start_points(self) -> frozenset[str]:
        """Authorized and plugged in (1.6 section 4.8)."""
        return frozenset({POWER_PATH_CLOSED})

    @property
    def stop_points(self) -> frozenset[str]:
        """The end of the authorization; the end of the connection where StopTransactionOnEVSideDisconnect says so."""
        return frozenset({POWER_PATH_CLOSED if self.stop_on_ev_side_disconnect else AUTHORIZED})


class TransactionRetry:
    """How often, and how soon, a transaction-related message is sent again (E13; 1.6 section 3.7.1)."""

    def __init__(self, model: DeviceModel) -> None:
        self._attempts = model.integer("OCPPCommCtrlr/MessageAttempts[TransactionEvent]")
        self._interval = model.integer("OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]")

    def attempts(self) -> int:
        """See `RetryRule.attempts`."""
        return self._attempts.value

    def interval(self) -> float:
        """See `RetryRule.interval`."""
        return float(self._interval.value)
