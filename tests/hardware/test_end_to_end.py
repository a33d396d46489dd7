"""A station of real drivers on emulated devices charges a car, and tells a CSMS in a process of its own."""

import asyncio

import pytest
from support.dev_csms import DevelopmentCsms
from support.wall_box import EMERGENCY, WallBox, until

from ocpp.station.configuration import load
from ocpp.station.program import Program

UID = bytes.fromhex("04A2B3C4D5E6F7")
STATION = """
[station]
id = "CS001"
vendor = "pilotwire"
model = "Wall box"
[[network]]
url = "ws://127.0.0.1:{port}/ocpp"
version = "{version}"
security_profile = 0
[[evse]]
[[evse.connector]]
hardware = "wired"
max_current_a = 16
phases = 3
[local_api]
listen = "off"
[variables]
"TxCtrlr/TxStartPoint" = "PowerPathClosed"
"TxCtrlr/TxStopPoint" = "PowerPathClosed"
"SampledDataCtrlr/TxUpdatedInterval" = 1
"""


class Running:
    """The program in this process, since emulated GPIO lines serve no other one."""

    def __init__(self, version: str, box: WallBox, csms: DevelopmentCsms, program: Program) -> None:
        self.version = version
        self.box = box
        self.csms = csms
        self.program = program

    async def told(self, action: str, wanted=lambda payload: True) -> dict:
        found: list[dict] = []

        async def look() -> bool:
            calls = await asyncio.to_thread(self.csms.calls, action)
            found[:] = [each for each in calls if wanted(each)]
            return bool(found)

        for _ in range(300):
            if await look():
                return found[-1]
            await asyncio.sleep(0.05)
        raise AssertionError(f"{action} was not told; last were {(await asyncio.to_thread(self.csms.frames))[-3:]}")

    async def take_card_away(self) -> None:
        """And wait until the reader has missed it: presented again it is presented anew."""
        reader = next(part for each, part in self.program.parts.parts if each.name == "reader")
        self.box.reader.cards = []
        await until(lambda: reader.values()["card"] == "none", "the card is taken away")

    async def charge(self) -> None:
        """A card, a cable, an EV that wants energy."""
        box = self.box
        box.line.state = "B"
        await until(lambda: self.program.parts.evse(1).plugged, "the plug is seen by the ADC")
        box.reader.cards = [UID]
        await until(lambda: 0 < box.line.duty() < 1, "current is offered")
        assert box.line.duty() == pytest.approx(16 / 60, abs=0.001)
        await self.take_card_away()
        box.line.state = "C"
        await until(lambda: box.coil, "the contactor closes")


@pytest.fixture
def csms():
    made = DevelopmentCsms()
    yield made
    made.stop()


@pytest.fixture
async def running(kernel, csms, tmp_path, request):
    box = WallBox(kernel, tmp_path)
    text = STATION.replace("{port}", str(csms.port)).replace("{version}", request.param)
    path = tmp_path / "station.toml"
    path.write_text(text + box.parts)
    program = Program(load(path))
    task = asyncio.ensure_future(program.run())
    made = Running(request.param, box, csms, program)
    await made.told("BootNotification")
    yield made
    program.finish()
    await task
    box.close()


def of_kind(kind: str):
    return lambda payload: payload["eventType"] == kind


def energy(event: dict, context: str) -> float:
    return next(
        sample["value"]
        for value in event["meterValue"]
        for sample in value["sampledValue"]
        if sample["measurand"] == "Energy.Active.Import.Register" and sample["context"] == context
    )


@pytest.mark.parametrize("running", ["2.0.1"], indirect=True)
async def test_a_session_over_2_0_1(running):
    box = running.box
    await running.charge()
    started = await running.told("TransactionEvent", of_kind("Started"))
    assert started["idToken"] == {"idToken": UID.hex().upper(), "type": "ISO14443"}
    assert energy(started, "Transaction.Begin") == 1_000_000
    box.count(1000.125, 11000.0)
    await running.told(
        "TransactionEvent",
        lambda event: event["triggerReason"] == "MeterValuePeriodic" and energy(event, "Sample.Periodic") == 1_000_125,
    )
    box.count(1000.25, 0.0)
    await until(lambda: running.program.parts.snapshot(1)["energy_wh"] == 1_000_250, "the meter is read")
    box.reader.cards = [UID]
    await until(lambda: box.line.duty() == 1, "nothing is offered any more")
    box.line.state = "B"
    await until(lambda: not box.coil, "the contactor opens")
    ended = await running.told("TransactionEvent", of_kind("Ended"))
    assert energy(ended, "Transaction.End") == 1_000_250
    assert ended["transactionInfo"]["stoppedReason"] == "Local"
    box.line.state = "A"
    await running.told("StatusNotification", lambda status: status["connectorStatus"] == "Available")


@pytest.mark.parametrize("running", ["1.6"], indirect=True)
async def test_a_session_over_1_6(running):
    box = running.box
    await running.charge()
    started = await running.told("StartTransaction")
    assert (started["idTag"], started["meterStart"]) == (UID.hex().upper(), 1_000_000)
    box.count(1000.25, 0.0)
    await until(lambda: running.program.parts.snapshot(1)["energy_wh"] == 1_000_250, "the meter is read")
    box.reader.cards = [UID]
    await until(lambda: box.line.duty() == 1, "nothing is offered any more")
    box.line.state = "B"
    await until(lambda: not box.coil, "the contactor opens")
    assert (await running.told("StopTransaction"))["meterStop"] == 1_000_250
    box.line.state = "A"
    await running.told("StatusNotification", lambda status: status["status"] == "Finishing")


FAULTS = {
    "emergency stop": (lambda box: box.kernel.gpio.press(EMERGENCY, 1), "OtherError"),
    "line shorted": (lambda box: setattr(box.line, "state", "E"), "EVCommunicationError"),
    "ADC gone": (lambda box: setattr(box.adc, "broken", True), "EVCommunicationError"),
    "welded": (lambda box: setattr(box, "welded", True), "PowerSwitchFailure"),
}
"""What happens, and the errorCode of OCPP 1.6 for it."""


@pytest.mark.parametrize("running", ["2.0.1", "1.6"], indirect=True, ids=str)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_ends_in_a_safe_state_and_is_told(running, fault):
    box = running.box
    v16 = running.version == "1.6"
    await running.charge()
    await running.told("StartTransaction" if v16 else "TransactionEvent")
    happen, code = FAULTS[fault]
    happen(box)
    if fault == "welded":
        box.line.state = "B"  # the coil lets go, the contact does not
    await until(lambda: not box.coil, "the contactor opens")
    if v16:
        told = await running.told("StatusNotification", lambda status: status["status"] == "Faulted")
        assert told["errorCode"] == code
    else:
        faulty = ("Faulted", "Unavailable")  # a connector that is sound at a faulted EVSE (G03.FR.06)
        told = await running.told("StatusNotification", lambda status: status["connectorStatus"] in faulty)
        if told["connectorStatus"] == "Unavailable":
            await running.told("NotifyEvent", lambda event: event["eventData"][0]["variable"]["name"] == "Problem")
    assert not box.coil


@pytest.mark.parametrize("running", ["2.0.1"], indirect=True)
async def test_after_a_meter_that_was_unplugged_charging_goes_on(running):
    box = running.box
    await running.charge()
    box.serial.unplug()
    await until(lambda: running.program.parts.evse(1)._meter_failed, "the meter is missed", 30.0)
    await running.told("NotifyEvent", lambda event: event["eventData"][0]["variable"]["name"] == "Problem")
    box.serial.plug()
    await until(lambda: not running.program.parts.evse(1)._meter_failed, "the meter is back", 30.0)
