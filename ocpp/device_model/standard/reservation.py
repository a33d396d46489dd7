"""ReservationCtrlr (Part 2, section Reservation related)."""

from ocpp.device_model.standard.rows import RO, boolean

TABLE = {
    "ReservationCtrlr/Available": boolean(True, RO),
    "ReservationCtrlr/Enabled": boolean(True),
    "ReservationCtrlr/NonEvseSpecific": boolean(True, RO),
}
