"""Display messages (block O), and tariff and cost (block I)."""

import datetime

import pytest
from support.v201 import TOKEN, charging, connect

CONTENT = "Welcome"


def message(message_id: int = 1, priority: str = "NormalCycle", content: str = CONTENT, **more):
    return {"id": message_id, "priority": priority, "message": {"format": "UTF8", "content": content}, **more}


def install(csms, *args, **more) -> str:
    return csms.call("SetDisplayMessage", {"message": message(*args, **more)})["status"]


def ask(csms, **wanted) -> str:
    return csms.call("GetDisplayMessages", {"requestId": 11, **wanted})["status"]


def told(csms, **wanted) -> list[dict]:
    """All messages that GetDisplayMessages brings."""
    assert ask(csms, **wanted) == "Accepted"
    found = []
    while True:
        notify = csms.expect("NotifyDisplayMessages", requestId=11)
        found += notify["messageInfo"]
        if not notify.get("tbc"):
            return found


def shown(station, display: int = 0) -> list[str]:
    return next(each["texts"] for each in station.status()["displays"] if each["evse"] == display)


def wait_shown(station, *texts: str) -> None:
    station.wait(lambda: shown(station) == list(texts), f"{texts} on the display, not {shown(station)}")


def in_seconds(seconds: float) -> str:
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def end(csms, station) -> None:
    """StopAuthorized to EVDisconnected."""
    station.card()
    station.unplug()
    csms.expect("TransactionEvent", eventType="Ended")


# -- setting ----------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_O_01_CS")
@pytest.mark.req("O01.FR.12", "O04.FR.03")
def test_tc_o_01_a_message_is_set_and_shown(csms, station):
    assert install(csms) == "Accepted"
    wait_shown(station, CONTENT)
    assert told(csms, id=[1]) == [message()]


@pytest.mark.tc("TC_O_12_CS")
@pytest.mark.req("O06.FR.01")
def test_tc_o_12_a_message_replaces_the_one_with_its_id(csms, station):
    install(csms)
    assert install(csms, content="Other", priority="InFront") == "Accepted"
    wait_shown(station, "Other")
    assert told(csms) == [message(content="Other", priority="InFront")]


@pytest.mark.tc("TC_O_13_CS")
@pytest.mark.req("O01.FR.06")
def test_tc_o_13_a_message_is_shown_from_its_start(csms, station):
    begins = in_seconds(3)
    assert install(csms, startDateTime=begins) == "Accepted"
    assert shown(station) == []
    assert told(csms, id=[1])[0]["startDateTime"] == begins
    wait_shown(station, CONTENT)


@pytest.mark.tc("TC_O_14_CS")
@pytest.mark.req("O01.FR.07")
def test_tc_o_14_a_message_is_removed_after_its_end(csms, station):
    assert install(csms, endDateTime=in_seconds(3)) == "Accepted"
    wait_shown(station, CONTENT)
    assert told(csms, id=[1])
    wait_shown(station)
    assert ask(csms, id=[1]) == "Unknown"


@pytest.mark.tc("TC_O_15_CS")
@pytest.mark.req("O01.FR.08", "O01.FR.09", "O02.FR.08", "O02.FR.09")
def test_tc_o_15_the_language_of_the_driver(csms, station):
    csms.always("Authorize", {"idTokenInfo": {"status": "Accepted", "language1": "nl"}})
    charging(csms, station)
    text = {"format": "UTF8", "language": "nl", "content": "Welkom"}
    answer = csms.call("SetDisplayMessage", {"message": {"id": 1, "priority": "NormalCycle", "message": text}})
    assert answer == {"status": "Accepted"}
    wait_shown(station, "Welkom")


@pytest.mark.tc("TC_O_17_CS", "TC_O_18_CS", "TC_O_19_CS")
@pytest.mark.req("O01.FR.01", "O01.FR.02", "O01.FR.03", "O02.FR.03", "O02.FR.04", "O02.FR.05")
@pytest.mark.parametrize(
    ("variable", "supported", "wish", "status"),
    [
        ("SupportedPriorities", "NormalCycle", {"priority": "InFront"}, "NotSupportedPriority"),
        ("SupportedStates", "Idle", {"state": "Faulted"}, "NotSupportedState"),
        ("SupportedFormats", "ASCII", {}, "NotSupportedMessageFormat"),
    ],
)
def test_tc_o_17_to_19_what_is_not_supported(setup, csms, variable, supported, wish, status):
    setup.start(variables={f"DisplayMessageCtrlr/{variable}": supported})
    assert install(csms, **wish) == status
    assert ask(csms) == "Unknown"


@pytest.mark.tc("TC_O_20_CS")
@pytest.mark.req("O01.FR.10", "O02.FR.10")
def test_tc_o_20_a_message_survives_a_restart(setup, csms, station):
    install(csms)
    csms.call("Reset", {"type": "Immediate"})
    setup.restart()
    assert told(csms, id=[1]) == [message()]
    assert shown(station) == [CONTENT]


@pytest.mark.tc("TC_O_22_CS")
@pytest.mark.req("O01.FR.13", "O01.FR.14")
def test_tc_o_22_messages_in_front_take_turns(csms, station):
    install(csms, 3, "NormalCycle", "behind")
    assert install(csms, 1, "InFront", "one") == "Accepted"
    assert install(csms, 2, "InFront", "two") == "Accepted"
    wait_shown(station, "one", "two")
    assert told(csms, id=[1]) == [message(1, "InFront", "one")]
    assert told(csms, id=[2]) == [message(2, "InFront", "two")]


@pytest.mark.tc("TC_O_24_CS")
@pytest.mark.req("O01.FR.15", "O01.FR.16")
def test_tc_o_24_a_second_message_always_in_front_replaces_the_first(csms, station):
    install(csms, 3, "InFront", "behind")
    assert install(csms, 1, "AlwaysFront", "one") == "Accepted"
    assert install(csms, 2, "AlwaysFront", "two") == "Accepted"
    wait_shown(station, "two")
    assert ask(csms, id=[1]) == "Unknown"
    assert told(csms, id=[2]) == [message(2, "AlwaysFront", "two")]


@pytest.mark.req("O01.FR.11", "O02.FR.11")
def test_more_messages_than_fit_are_refused(csms, station):
    for number in range(50):
        assert install(csms, number) == "Accepted"
    assert install(csms, 50) == "Rejected"
    assert install(csms, 7, content="replaced") == "Accepted"


@pytest.mark.req("O01.FR.20", "O01.FR.21", "O01.FR.22", "O01.FR.23")
def test_a_message_for_one_display_among_several(setup, csms):
    station = setup.start(evses=2, evse="display = true")
    assert install(csms, 1, content="all") == "Accepted"
    assert install(csms, 2, content="here", display={"name": "Display", "evse": {"id": 2}}) == "Accepted"
    assert install(csms, 3, content="nowhere", display={"name": "Display", "evse": {"id": 9}}) == "Rejected"
    assert [shown(station, display) for display in (0, 1, 2)] == [["all"], ["all"], ["all", "here"]]
    assert told(csms, id=[2])[0]["display"] == {"name": "Display", "evse": {"id": 2}}
    csms.call("GetReport", {"requestId": 1, "componentVariable": [{"component": {"name": "Display"}}]})
    report = csms.expect("NotifyReport")["reportData"]
    assert [entry["component"].get("evse", {}).get("id") for entry in report] == [None, 1, 2]


# -- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_O_36_CS")
def test_tc_o_36_while_charging(csms, station):
    assert install(csms, state="Charging") == "Accepted"
    assert shown(station) == []
    charging(csms, station)
    wait_shown(station, CONTENT)
    end(csms, station)
    wait_shown(station)
    assert told(csms, id=[1]) == [message(state="Charging")]


@pytest.mark.tc("TC_O_37_CS")
def test_tc_o_37_while_idle(setup, csms):
    station = setup.start()
    assert install(csms, state="Idle") == "Accepted"
    wait_shown(station, CONTENT)
    charging(csms, station)
    wait_shown(station)
    end(csms, station)
    wait_shown(station, CONTENT)
    assert told(csms, id=[1]) == [message(state="Idle")]


@pytest.mark.tc("TC_O_38_CS")
def test_tc_o_38_while_unavailable(csms, station):
    assert install(csms, state="Unavailable") == "Accepted"
    assert shown(station) == []
    csms.call("ChangeAvailability", {"operationalStatus": "Inoperative"})
    wait_shown(station, CONTENT)
    csms.call("ChangeAvailability", {"operationalStatus": "Operative"})
    wait_shown(station)
    assert told(csms, id=[1]) == [message(state="Unavailable")]


@pytest.mark.tc("TC_O_39_CS")
def test_tc_o_39_while_faulted(csms, station):
    assert install(csms, state="Faulted") == "Accepted"
    assert shown(station) == []
    station.post("/api/sim/evses/1/connectors/1/fault", {"kind": "OtherError"})
    wait_shown(station, CONTENT)
    station.post("/api/sim/evses/1/connectors/1/fault", {"kind": "OtherError", "active": False})
    wait_shown(station)
    assert told(csms, id=[1]) == [message(state="Faulted")]


# -- for one transaction ----------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_O_06_CS")
@pytest.mark.req("O02.FR.02", "O02.FR.14")
def test_tc_o_06_for_a_transaction(csms, station):
    transaction = charging(csms, station)
    assert install(csms, transactionId=transaction) == "Accepted"
    wait_shown(station, CONTENT)
    end(csms, station)
    wait_shown(station)
    assert ask(csms, id=[1]) == "Unknown"


@pytest.mark.tc("TC_O_10_CS")
@pytest.mark.req("O02.FR.01")
def test_tc_o_10_for_an_unknown_transaction(csms, station):
    assert install(csms, transactionId="nobody") == "UnknownTransaction"


@pytest.mark.tc("TC_O_27_CS")
@pytest.mark.req("O02.FR.06")
def test_tc_o_27_for_a_transaction_from_its_start(csms, station):
    transaction = charging(csms, station)
    assert install(csms, transactionId=transaction, startDateTime=in_seconds(2)) == "Accepted"
    assert shown(station) == []
    wait_shown(station, CONTENT)
    end(csms, station)
    wait_shown(station)
    assert ask(csms, id=[1]) == "Unknown"


@pytest.mark.tc("TC_O_28_CS")
@pytest.mark.req("O02.FR.07")
def test_tc_o_28_for_a_transaction_until_its_end(csms, station):
    transaction = charging(csms, station)
    assert install(csms, transactionId=transaction, endDateTime=in_seconds(3)) == "Accepted"
    wait_shown(station, CONTENT)
    wait_shown(station)
    assert ask(csms, id=[1]) == "Unknown"


@pytest.mark.tc("TC_O_30_CS")
@pytest.mark.req("O02.FR.15", "O02.FR.16")
def test_tc_o_30_for_a_transaction_several_in_front(csms, station):
    transaction = charging(csms, station)
    for number, text in ((1, "one"), (2, "two")):
        assert install(csms, number, "InFront", text, transactionId=transaction) == "Accepted"
    wait_shown(station, "one", "two")
    assert [each["id"] for each in told(csms, id=[1, 2])] == [1, 2]
    end(csms, station)
    station.wait(lambda: ask(csms, id=[1]) == "Unknown", "the end of the messages")


@pytest.mark.tc("TC_O_32_CS")
@pytest.mark.req("O02.FR.17", "O02.FR.18")
def test_tc_o_32_for_a_transaction_a_second_always_in_front(csms, station):
    transaction = charging(csms, station)
    for number, text in ((1, "one"), (2, "two")):
        assert install(csms, number, "AlwaysFront", text, transactionId=transaction) == "Accepted"
    wait_shown(station, "two")
    assert ask(csms, id=[1]) == "Unknown"
    assert [each["id"] for each in told(csms, id=[2])] == [2]


# -- reading and clearing ---------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_O_02_CS")
@pytest.mark.req("O03.FR.01", "O03.FR.02", "O03.FR.03", "O03.FR.04", "O03.FR.05")
@pytest.mark.req("O04.FR.04", "O04.FR.05", "O04.FR.06")
def test_tc_o_02_all_messages_in_parts(csms, station):
    for number in range(13):
        install(csms, number)
    csms.mark()
    assert [each["id"] for each in told(csms)] == list(range(13))
    assert [part.get("tbc", False) for part in csms.all("NotifyDisplayMessages")] == [True, False]


@pytest.mark.tc("TC_O_03_CS", "TC_O_33_CS")
@pytest.mark.req("O03.FR.06", "O04.FR.07")
def test_tc_o_03_and_33_no_messages(csms, station):
    assert ask(csms) == "Unknown"
    assert ask(csms, id=[1]) == "Unknown"


@pytest.mark.tc("TC_O_04_CS")
@pytest.mark.req("O05.FR.01")
def test_tc_o_04_a_message_is_cleared(csms, station):
    install(csms)
    assert csms.call("ClearDisplayMessage", {"id": 1}) == {"status": "Accepted"}
    wait_shown(station)
    assert ask(csms, id=[1]) == "Unknown"


@pytest.mark.tc("TC_O_05_CS")
@pytest.mark.req("O05.FR.02")
def test_tc_o_05_an_unknown_message_is_not_cleared(csms, station):
    assert csms.call("ClearDisplayMessage", {"id": 1}) == {"status": "Unknown"}


@pytest.mark.tc("TC_O_07_CS", "TC_O_08_CS", "TC_O_09_CS", "TC_O_11_CS", "TC_O_34_CS", "TC_O_35_CS")
@pytest.mark.req("O04.FR.01", "O04.FR.02")
def test_tc_o_07_to_11_34_35_messages_by_criteria(csms, station):
    install(csms, 1, "InFront", state="Idle")
    install(csms, 2, "NormalCycle", state="Charging")
    for wanted in ({"id": [1]}, {"priority": "InFront"}, {"state": "Idle"}):
        assert [each["id"] for each in told(csms, **wanted)] == [1]
    for wanted in ({"id": [7]}, {"id": [1], "state": "Charging"}, {"id": [1], "priority": "NormalCycle"}):
        assert ask(csms, **wanted) == "Unknown"


# -- tariff and cost --------------------------------------------------------------------------------------------------


def personal(text: str) -> dict:
    return {"format": "UTF8", "content": text}


@pytest.mark.tc("TC_I_01_CS")
@pytest.mark.req("I01.FR.03", "I02.FR.02", "I02.FR.03", "I06.FR.03")
def test_tc_i_01_running_cost_by_cost_updated(csms, station):
    info = {"status": "Accepted", "personalMessage": personal("0.30 per kWh")}
    csms.answer("Authorize", {"idTokenInfo": info})
    connect(csms, station)
    station.card()
    csms.expect("Authorize", idToken=TOKEN)
    wait_shown(station, "0.30 per kWh")
    csms.always("TransactionEvent", {"updatedPersonalMessage": personal("0.25 per kWh")})
    event = csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    wait_shown(station, "0.25 per kWh")
    transaction = event["transactionInfo"]["transactionId"]
    for cost, text in ((1.5, "1.50 EUR"), (2.25, "2.25 EUR")):
        assert csms.call("CostUpdated", {"totalCost": cost, "transactionId": transaction}) == {}
        wait_shown(station, text, "0.25 per kWh")


@pytest.mark.tc("TC_I_07_CS")
@pytest.mark.req("I02.FR.04")
def test_tc_i_07_running_cost_in_the_answer_to_an_event(csms, station):
    charging(csms, station)
    csms.always("TransactionEvent", {"totalCost": 3.5})
    station.post("/api/sim/evses/1/ev", {"state": "B"})
    csms.expect("TransactionEvent", transactionInfo={"chargingState": "SuspendedEV"})
    wait_shown(station, "3.50 EUR")


@pytest.mark.tc("TC_I_02_CS")
@pytest.mark.req("I03.FR.01", "I03.FR.03")
def test_tc_i_02_the_total_cost_after_charging(csms, station):
    charging(csms, station)
    csms.always("TransactionEvent", {"totalCost": 4.2})
    end(csms, station)
    wait_shown(station, "4.20 EUR")


@pytest.mark.req("I03.FR.05")
def test_a_driver_who_has_driven_away_is_not_told_the_total_cost(setup, csms):
    variables = {"TxCtrlr/TxStartPoint": "ParkingBayOccupancy", "TxCtrlr/TxStopPoint": "ParkingBayOccupancy"}
    station = setup.start(evse="bay_sensor = true", variables=variables)
    csms.always("TransactionEvent", {"totalCost": 4.2})
    station.post("/api/sim/evses/1/parking_bay", {"occupied": True})
    charging(csms, station)
    wait_shown(station, "4.20 EUR")
    station.card()
    station.unplug()
    station.post("/api/sim/evses/1/parking_bay", {"occupied": False})
    csms.expect("TransactionEvent", eventType="Ended")
    wait_shown(station)
    csms.nothing("TransactionEvent")
    assert shown(station) == []


@pytest.mark.req("I04.FR.01", "I05.FR.02")
def test_fallback_texts_without_the_csms(setup, csms):
    texts = {
        "TariffCostCtrlr/TariffFallbackMessage": "usual price",
        "TariffCostCtrlr/TotalCostFallbackMessage": "see your bill",
    }
    station = setup.start(variables=texts)
    charging(csms, station)
    wait_shown(station, "usual price")
    station.post("/api/sim/network", {"up": False})
    station.card()
    station.unplug()
    wait_shown(station, "see your bill")
