"""A firmware around `ChargePoint`, complete and small: one EVSE, one socket, a made-up board.

python docs/examples/firmware.py ws://127.0.0.1:9000/ocpp
"""

import asyncio
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ocpp.charge_point import (
    ChargePoint,
    Connector,
    DisplayText,
    Evse,
    Evses,
    Identity,
    IdToken,
    Indication,
    MeterReading,
    PowerLimit,
    Sample,
)
from ocpp.clock import SystemClock
from ocpp.connectivity import NetworkProfile
from ocpp.device_model import DeviceModel
from ocpp.device_model.hardware import StationDescription, define_hardware
from ocpp.device_model.standard import build
from ocpp.storage.database import Database
from ocpp.storage.variables import VariableRepository
from ocpp.versions import OcppVersion


class Board:
    """Implements `Hardware`. On a real board these methods switch pins and talk to chips."""

    def __init__(self) -> None:
        self.energy_wh = Decimal("12345.6")
        self.charge_point: ChargePoint | None = None

    def allow_energy(self, evse_id: int, connector_id: int, limit: PowerLimit) -> None:
        print(f"pilot offers {limit.current_a:.0f} A")
        assert self.charge_point is not None
        # The EV answers with state C, the contactor closes:
        self.charge_point.ev_state_changed(evse_id, requests_energy=True, energy_flows=True)

    def stop_energy(self, evse_id: int) -> None:
        if self.charge_point is not None:
            self.charge_point.ev_state_changed(evse_id, requests_energy=False, energy_flows=False)

    async def lock(self, evse_id: int, connector_id: int) -> bool:
        return True

    async def unlock(self, evse_id: int, connector_id: int) -> bool:
        return True

    def has_lock(self, evse_id: int, connector_id: int) -> bool:
        return True

    def read_meter(self, evse_id: int) -> MeterReading:
        return MeterReading(samples=(Sample("Energy.Active.Import.Register", self.energy_wh, "Wh"),))

    def set_available(self, evse_id: int, connector_id: int, available: bool) -> None:
        print("in service" if available else "out of service")

    def indicate(self, evse_id: int, indication: Indication) -> None:
        print(f"light: {indication}")

    def show(self, display: int, texts: tuple[DisplayText, ...]) -> None:
        print(f"display: {' | '.join(text.content for text in texts)}")

    def system_time_changed(self, utc: datetime) -> None:
        print(f"the CSMS says it is {utc}")


async def main(url: str, state: Path, seconds: float) -> None:
    clock, board = SystemClock(), Board()
    database = Database.open(state / "station.db")
    model = DeviceModel(VariableRepository(database))
    build(model)
    define_hardware(model, StationDescription("ACME", "One"), lambda: clock.now().isoformat())
    profile = NetworkProfile(slot=1, url=url, version=OcppVersion.V201, security_profile=0)
    charge_point = ChargePoint(
        identity=Identity("ACME-1", "ACME", "One"),
        evses=Evses([Evse(1, [Connector(1, 1)])]),
        hardware=board,
        profiles=lambda: [profile],
        model=model,
        database=database,
        clock=clock,
    )
    board.charge_point = charge_point
    charge_point.start()
    running = asyncio.ensure_future(charge_point.run())
    while charge_point.boot_status != "Accepted":
        await asyncio.sleep(0.1)
    charge_point.cable_plugged(1)
    charge_point.token_presented(IdToken("04A2B3C4"))
    await asyncio.sleep(seconds)
    board.energy_wh += Decimal("250.0")
    charge_point.token_presented(IdToken("04A2B3C4"))
    await asyncio.sleep(seconds)
    charge_point.cable_unplugged(1)
    while charge_point.queued_messages:
        await asyncio.sleep(0.1)
    await charge_point.stop()
    await running
    database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else "state"), 2.0))
