"""Hardware that obeys at once, for tests of the domain."""

from decimal import Decimal

from ocpp.charge_point import Indication, MeterReading, PowerLimit, Sample, SignedReading


class FakeHardware:
    """Remembers what it was told; a test plays the EV."""

    def __init__(self) -> None:
        self.allowed: dict[int, PowerLimit] = {}
        self.stops: list[int] = []
        self.locked: set[tuple[int, int]] = set()
        self.lock_works = True
        self.locks = True
        self.energy_wh: dict[int, Decimal] = {}
        self.signed: dict[int, tuple[SignedReading | None, ...]] = {}
        """What the meters sign at the begin, at the end, and (where there is a third) in between."""
        self.more: dict[int, tuple[Sample, ...]] = {}
        """What the meters measure beside energy, power and voltage."""
        self.main_meter: MeterReading | None = None
        self.available: dict[tuple[int, int], bool] = {}
        self.indications: list[tuple[int, Indication]] = []
        self.shown: dict[int, list[str]] = {}

    def allow_energy(self, evse_id: int, connector_id: int, limit: PowerLimit) -> None:
        self.allowed[evse_id] = limit

    def stop_energy(self, evse_id: int) -> None:
        if self.allowed.pop(evse_id, None) is not None:
            self.stops.append(evse_id)

    async def lock(self, evse_id: int, connector_id: int) -> bool:
        if self.lock_works:
            self.locked.add((evse_id, connector_id))
        return self.lock_works

    async def unlock(self, evse_id: int, connector_id: int) -> bool:
        if self.lock_works:
            self.locked.discard((evse_id, connector_id))
        return self.lock_works

    def has_lock(self, evse_id: int, connector_id: int) -> bool:
        return self.locks

    def read_meter(self, evse_id: int) -> MeterReading:
        energy = self.energy_wh.get(evse_id, Decimal("1000.0"))
        power = Decimal("7360.0") if evse_id in self.allowed else Decimal("0.0")
        start, end, now = (*self.signed.get(evse_id, ()), None, None, None)[:3]
        return MeterReading(
            samples=(
                Sample("Energy.Active.Import.Register", energy, "Wh"),
                Sample("Power.Active.Import", power, "W"),
                Sample("Voltage", Decimal("230.1"), "V", phase="L1-N"),
                *self.more.get(evse_id, ()),
            ),
            signed_start=start,
            signed_end=end,
            signed_now=now,
        )

    def read_main_meter(self) -> MeterReading | None:
        return self.main_meter

    def set_available(self, evse_id: int, connector_id: int, available: bool) -> None:
        self.available[evse_id, connector_id] = available

    def indicate(self, evse_id: int, indication: Indication) -> None:
        self.indications.append((evse_id, indication))

    def show(self, display: int, texts) -> None:
        self.shown[display] = [text.content for text in texts]

    def system_time_changed(self, utc) -> None:
        pass
