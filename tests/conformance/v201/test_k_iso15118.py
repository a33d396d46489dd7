"""Charging schedules negotiated over ISO 15118 (use cases K15 to K17)."""

import pytest
from support.k201 import composite, install, instant, profile, schedule
from support.v201 import TOKEN, network

AC = {"energy_amount": 20000, "ev_min_current": 6, "ev_max_current": 20, "ev_max_voltage": 400}
NEEDS = {"transfer": "AC_three_phase", "ac": AC, "max_schedule_tuples": 3}
TOLD = {
    "requestedEnergyTransfer": "AC_three_phase",
    "acChargingParameters": {"energyAmount": 20000, "evMinCurrent": 6, "evMaxCurrent": 20, "evMaxVoltage": 400},
}
DC = {"ev_max_current": 200, "ev_max_voltage": 800, "state_of_charge": 20}


@pytest.fixture
def station(setup):
    return setup.start(evse="iso15118 = true")


@pytest.fixture
def transaction(csms, station) -> str:
    """Authorized and EVConnectedPreSession, with a transaction of which the CSMS knows the token."""
    station.card()
    csms.expect("Authorize", idToken=TOKEN)
    station.plug(requests_energy=False)
    return csms.expect("TransactionEvent", idToken=TOKEN)["transactionInfo"]["transactionId"]


def say(station, **what) -> None:
    station.post("/api/sim/evses/1/iso15118", what)


def heard(station) -> dict:
    return station.status()["evses"][0]["iso15118"]


def limits(station) -> list[float]:
    offers = heard(station)["offers"]
    return [period[1] for period in offers[0]["periods"]] if offers else []


def set_profile(csms, transaction: str, *limits_a: float, profile_id: int = 1) -> dict:
    schedules = [
        {
            "id": number,
            "chargingRateUnit": "A",
            "startSchedule": "2026-01-01T00:00:00Z",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        }
        for number, limit in enumerate(limits_a, 1)
    ]
    profile = {
        "id": profile_id,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "transactionId": transaction,
        "chargingSchedule": schedules,
    }
    return csms.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})


def negotiate(csms, station, transaction: str, limit: float = 10) -> None:
    """RenegotiateChargingLimits."""
    say(station, needs=NEEDS)
    csms.expect("NotifyEVChargingNeeds", evseId=1, chargingNeeds=TOLD)
    assert set_profile(csms, transaction, limit) == {"status": "Accepted"}
    csms.expect("NotifyEVChargingSchedule", evseId=1)


@pytest.fixture
def accepting(csms):
    csms.always("NotifyEVChargingNeeds", {"status": "Accepted"})
    csms.always("NotifyEVChargingSchedule", {"status": "Accepted"})


@pytest.mark.tc("TC_K_53_CS")
@pytest.mark.req("K15.FR.01", "K15.FR.06", "K15.FR.09", "K15.FR.10", "K15.FR.16", "K15.FR.19")
@pytest.mark.usefixtures("accepting")
def test_tc_k_53_needs_profile_schedule(csms, station, transaction):
    say(station, needs=NEEDS)
    told = csms.expect("NotifyEVChargingNeeds", evseId=1, maxScheduleTuples=3)
    assert told["chargingNeeds"] == TOLD
    assert heard(station)["offers"] == []
    assert set_profile(csms, transaction, 10) == {"status": "Accepted"}
    schedule = csms.expect("NotifyEVChargingSchedule", evseId=1)["chargingSchedule"]
    assert schedule["chargingRateUnit"] == "A"
    assert schedule["chargingSchedulePeriod"][0]["limit"] == 10
    assert limits(station) == [10.0]
    station.post("/api/sim/evses/1/ev", {"state": "C"})
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})


@pytest.mark.req("K15.FR.06")
@pytest.mark.usefixtures("transaction")
def test_needs_for_direct_current(csms, station):
    csms.always("NotifyEVChargingNeeds", {"status": "Rejected"})
    say(station, needs={"transfer": "DC", "dc": DC})
    told = csms.expect("NotifyEVChargingNeeds")["chargingNeeds"]
    assert told["dcChargingParameters"] == {"evMaxCurrent": 200, "evMaxVoltage": 800, "stateOfCharge": 20}
    assert "acChargingParameters" not in told


@pytest.mark.tc("TC_K_54_CS")
@pytest.mark.usefixtures("transaction")
def test_tc_k_54_the_csms_has_no_schedule(csms, station):
    csms.answer("NotifyEVChargingNeeds", {"status": "Rejected"})
    csms.always("NotifyEVChargingSchedule", {"status": "Accepted"})
    say(station, needs=NEEDS)
    csms.expect("NotifyEVChargingNeeds", evseId=1)
    csms.expect("NotifyEVChargingSchedule", evseId=1)
    assert limits(station) == [32.0]
    station.post("/api/sim/evses/1/ev", {"state": "C"})
    csms.expect("TransactionEvent", triggerReason="ChargingStateChanged", transactionInfo={"chargingState": "Charging"})


@pytest.mark.req("K15.FR.17")
@pytest.mark.usefixtures("accepting")
def test_several_schedules_need_the_needs_first(csms, station, transaction):
    answer = set_profile(csms, transaction, 10, 12, 14)
    assert answer["status"] == "Rejected"
    say(station, needs=NEEDS, answers=False)
    csms.expect("NotifyEVChargingNeeds")
    assert set_profile(csms, transaction, 10, 12, 14) == {"status": "Accepted"}
    station.wait(lambda: len(heard(station)["offers"]) == 3, "three offers")
    say(station, schedule={"id": 2, "periods": [[0, 11]]})
    chosen = csms.expect("NotifyEVChargingSchedule")["chargingSchedule"]
    assert (chosen["id"], chosen["chargingSchedulePeriod"][0]["limit"]) == (2, 11)
    station.wait(lambda: station.status()["evses"][0]["limit"]["current_a"] == 12, "the chosen schedule in force")


@pytest.mark.tc("TC_K_56_CS")
@pytest.mark.req("K15.FR.15", "K17.FR.15")
def test_tc_k_56_offline_the_default_profile_is_offered(csms, station):
    profile = {
        "id": 5,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "chargingRateUnit": "A",
                "startSchedule": "2026-01-01T00:00:00Z",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
            }
        ],
    }
    assert csms.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile}) == {"status": "Accepted"}
    station.card()
    csms.expect("Authorize", idToken=TOKEN)
    station.plug(requests_energy=False)
    csms.expect("TransactionEvent", idToken=TOKEN)
    network(station, False)
    csms.wait_disconnected()
    say(station, needs=NEEDS)
    station.wait(lambda: limits(station) == [6.0], "the offer by the default profile")
    station.post("/api/sim/evses/1/ev", {"state": "C"})
    station.wait_state("Charging")
    network(station, True)
    csms.expect("TransactionEvent", triggerReason="ChargingStateChanged", transactionInfo={"chargingState": "Charging"})


@pytest.mark.tc("TC_K_57_CS")
@pytest.mark.req("K17.FR.01", "K17.FR.06", "K17.FR.09", "K17.FR.10", "K17.FR.16")
@pytest.mark.usefixtures("accepting")
def test_tc_k_57_the_ev_negotiates_anew(csms, station, transaction):
    negotiate(csms, station, transaction)
    say(station, needs=NEEDS)
    csms.expect("NotifyEVChargingNeeds", evseId=1)
    assert set_profile(csms, transaction, 15) == {"status": "Accepted"}
    schedule = csms.expect("NotifyEVChargingSchedule", evseId=1)["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"][0]["limit"] == 15


@pytest.mark.tc("TC_K_58_CS")
@pytest.mark.req("K16.FR.01", "K16.FR.02", "K16.FR.03", "K16.FR.04", "K16.FR.05", "K16.FR.09", "K16.FR.11", "K16.FR.13")
@pytest.mark.usefixtures("accepting")
def test_tc_k_58_the_csms_negotiates_anew(csms, station, transaction):
    negotiate(csms, station, transaction)
    station.post("/api/sim/evses/1/ev", {"state": "C"})
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    assert set_profile(csms, transaction, 8) == {"status": "Accepted"}
    schedule = csms.expect("NotifyEVChargingSchedule", evseId=1)["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"][0]["limit"] == 8
    assert heard(station)["renegotiations"] == 1
    csms.mark()
    say(station, needs=NEEDS)
    csms.expect("NotifyEVChargingSchedule", evseId=1)
    csms.nothing("NotifyEVChargingNeeds")
    station.wait(lambda: station.status()["evses"][0]["ev"]["offered_a"] == 8, "the lower current")


@pytest.mark.req("K15.FR.09", "K16.FR.04")
@pytest.mark.usefixtures("accepting")
def test_a_schedule_beyond_the_offer_is_negotiated_again(csms, station, transaction):
    say(station, needs=NEEDS, answers=False)
    csms.expect("NotifyEVChargingNeeds")
    set_profile(csms, transaction, 10)
    station.wait(lambda: limits(station) == [10.0], "the offer")
    say(station, schedule={"id": 1, "periods": [[0, 16]]})
    station.wait(lambda: heard(station)["renegotiations"] == 1, "another negotiation")
    csms.nothing("NotifyEVChargingSchedule")


def told_to_draw(csms, station, amperes: float) -> None:
    """The EV chooses less than it was offered, and the composite schedule says so."""
    say(station, schedule={"id": 1, "periods": [[0, amperes]]})
    csms.expect("NotifyEVChargingSchedule")
    assert composite(csms, 1, 60)["chargingSchedulePeriod"][0]["limit"] == amperes


@pytest.mark.req("K15.FR.14", "K16.FR.10", "K17.FR.14", "SC.04")
@pytest.mark.usefixtures("accepting")
def test_the_composite_schedule_is_what_the_ev_has_told_to_draw(csms, station, transaction):
    say(station, needs=NEEDS, answers=False)
    csms.expect("NotifyEVChargingNeeds")
    set_profile(csms, transaction, 10)
    station.wait(lambda: limits(station) == [10.0], "the offer")
    told_to_draw(csms, station, 8)
    set_profile(csms, transaction, 12)  # the CSMS begins another negotiation (K16)
    station.wait(lambda: limits(station) == [12.0], "the second offer")
    told_to_draw(csms, station, 7)
    say(station, needs=NEEDS, answers=False)  # the EV answers that one, and then begins one of its own (K17)
    say(station, needs=NEEDS, answers=False)
    csms.expect("NotifyEVChargingNeeds")
    set_profile(csms, transaction, 14)
    station.wait(lambda: limits(station) == [14.0], "the third offer")
    told_to_draw(csms, station, 6)


@pytest.mark.req("K15.FR.22")
@pytest.mark.usefixtures("accepting")
def test_schedules_of_several_stack_levels_are_offered_side_by_side(csms, station, transaction):
    say(station, needs=NEEDS, answers=False)
    csms.expect("NotifyEVChargingNeeds")
    station.wait(lambda: heard(station)["offers"] == [], "no offer yet")
    high = [schedule(limit, duration=60, start=instant(-5)) | {"id": 10 + n} for n, limit in enumerate((6, 8, 9))]
    low = [schedule(limit) | {"id": n} for n, limit in enumerate((12, 14))]
    wanted = profile(1, high[0], "TxProfile", stackLevel=2, transactionId=transaction) | {"chargingSchedule": high}
    assert install(csms, wanted, evse=1) == "Accepted"
    wanted = profile(2, low[0], "TxProfile", stackLevel=1, transactionId=transaction) | {"chargingSchedule": low}
    assert install(csms, wanted, evse=1) == "Accepted"
    station.wait(lambda: len(heard(station)["offers"]) == 3, "three offers")
    assert [[period[1] for period in offer["periods"]] for offer in heard(station)["offers"]] == [
        [6, 12],
        [8, 14],
        [9, 14],
    ]
