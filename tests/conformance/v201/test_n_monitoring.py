"""Monitoring (block N, use cases N02 to N08)."""

import pytest
from support.v201 import authorize, change, charging, connect, network, value

OK = "Accepted"
EVSE_STATE = {
    "component": {"name": "EVSE", "evse": {"id": 1}},
    "variable": {"name": "AvailabilityState"},
}
STATION_STATE = {"component": {"name": "ChargingStation"}, "variable": {"name": "AvailabilityState"}}
POWER = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
THRESHOLD_W = 100


def monitor(what: dict, kind: str = "Delta", threshold: float = 1, severity: int = 8, **more) -> dict:
    return {"type": kind, "value": threshold, "severity": severity, **what, **more}


def install(csms, *monitors: dict) -> list[dict]:
    return csms.call("SetVariableMonitoring", {"setMonitoringData": list(monitors)})["setMonitoringResult"]


def installed(csms, *monitors: dict) -> list[int]:
    """Install monitors, all accepted; gives their ids."""
    results = install(csms, *monitors)
    assert [result["status"] for result in results] == [OK] * len(monitors)
    return [result["id"] for result in results]


def ask(csms, *where: dict, criteria: list[str] | None = None) -> str:
    wish = {"requestId": 5}
    if where:
        wish["componentVariable"] = list(where)
    if criteria:
        wish["monitoringCriteria"] = criteria
    return csms.call("GetMonitoringReport", wish)["status"]


def report(csms, *where: dict, criteria: list[str] | None = None) -> list[dict]:
    """All monitors that a report tells, with their variables."""
    assert ask(csms, *where, criteria=criteria) == OK
    found, seq_no = [], 0
    while True:
        part = csms.expect("NotifyMonitoringReport", requestId=5, seqNo=seq_no)
        for data in part["monitor"]:
            found += [
                {"component": data["component"]["name"], "variable": data["variable"]["name"], **each}
                for each in data["variableMonitoring"]
            ]
        if not part.get("tbc"):
            return found
        seq_no += 1


def expect_event(csms, number: int, **fields) -> dict:
    """The next event of a monitor."""

    def fits(events) -> bool:
        return any(
            each.get("variableMonitoringId") == number and all(each.get(k) == v for k, v in fields.items())
            for each in events
        )

    request = csms.expect("NotifyEvent", eventData=fits)
    assert request["seqNo"] == 0
    return next(each for each in request["eventData"] if each["variableMonitoringId"] == number)


def no_event(csms, number: int) -> None:
    csms.nothing("nothing at all")
    assert not [
        each
        for request in csms.since("NotifyEvent")
        for each in request["eventData"]
        if each["variableMonitoringId"] == number
    ]


@pytest.fixture
def station(setup):
    return setup.start()


# -- reports ----------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_N_01_CS")
@pytest.mark.req("N02.FR.01", "N02.FR.03", "N02.FR.04", "N02.FR.05", "N02.FR.06", "N02.FR.09")
@pytest.mark.req("N02.FR.12", "N02.FR.13", "N02.FR.14")
def test_tc_n_01_reports_by_criteria(csms, station):
    installed(
        csms,
        monitor(POWER, "LowerThreshold", 10),
        monitor(POWER, "UpperThreshold", 10000),
        monitor(EVSE_STATE),
        monitor(POWER, "Periodic", 1000),
        monitor(POWER, "PeriodicClockAligned", 1000),
    )
    kinds = {
        "ThresholdMonitoring": {"LowerThreshold", "UpperThreshold"},
        "DeltaMonitoring": {"Delta"},
        "PeriodicMonitoring": {"Periodic", "PeriodicClockAligned"},
    }
    for criterion, expected in kinds.items():
        assert {each["type"] for each in report(csms, criteria=[criterion])} == expected
    found = report(csms, criteria=["ThresholdMonitoring", "PeriodicMonitoring"])
    assert {each["type"] for each in found} == kinds["ThresholdMonitoring"] | kinds["PeriodicMonitoring"]


@pytest.mark.tc("TC_N_02_CS")
@pytest.mark.req("N02.FR.08", "N02.FR.16", "N02.FR.17", "N02.FR.18", "N02.FR.19", "N02.FR.20", "N02.FR.21")
def test_tc_n_02_reports_by_variable(csms, station):
    first, second, third = installed(
        csms, monitor(STATION_STATE), monitor(EVSE_STATE), monitor(POWER, "Periodic", 1000)
    )
    whole_evse = {"component": {"name": "EVSE", "evse": {"id": 1}}}
    found = report(csms, STATION_STATE, whole_evse)
    assert {first, second, third} <= {each["id"] for each in found}
    assert {each["component"] for each in found} == {"ChargingStation", "EVSE"}
    assert [each["id"] for each in report(csms, STATION_STATE)] == [first]
    every_evse = {"component": {"name": "EVSE"}, "variable": {"name": "AvailabilityState"}}
    assert [each["id"] for each in report(csms, every_evse)] == [second]


@pytest.mark.tc("TC_N_03_CS")
@pytest.mark.req("N02.FR.05", "N02.FR.10")
def test_tc_n_03_reports_by_criteria_and_variable(csms, station):
    (number,) = installed(csms, monitor(EVSE_STATE))
    assert ask(csms, STATION_STATE, EVSE_STATE, criteria=["ThresholdMonitoring"]) == "EmptyResultSet"
    assert [each["id"] for each in report(csms, STATION_STATE, EVSE_STATE, criteria=["DeltaMonitoring"])] == [number]


@pytest.mark.tc("TC_N_47_CS")
@pytest.mark.req("N02.FR.11")
def test_tc_n_47_all_monitors_in_parts(csms, station):
    wished = [
        monitor({"component": {"name": "SampledDataCtrlr"}, "variable": {"name": name}})
        for name in ("TxUpdatedInterval", "TxEndedInterval", "TxStartedMeasurands", "TxEndedMeasurands", "Enabled")
    ]
    wished += [
        monitor({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": name}})
        for name in ("HeartbeatInterval", "RetryBackOffRandomRange", "OfflineThreshold", "WebSocketPingInterval")
    ]
    numbers = installed(csms, monitor(STATION_STATE), monitor(EVSE_STATE), *wished)
    found = report(csms)
    assert set(numbers) <= {each["id"] for each in found}
    assert len(csms.all("NotifyMonitoringReport")) == 2


# -- base and level ---------------------------------------------------------------------------------------------------


def set_base(csms, base: str) -> None:
    assert csms.call("SetMonitoringBase", {"monitoringBase": base}) == {"status": OK}


@pytest.mark.tc("TC_N_05_CS")
@pytest.mark.req("N03.FR.01", "N03.FR.03", "N03.FR.04", "N03.FR.05")
def test_tc_n_05_every_monitoring_base(csms, station):
    hard_wired = {each["id"] for each in report(csms) if each["component"] != "EVSE"}
    (custom,) = installed(csms, monitor(EVSE_STATE))
    everything = {each["id"] for each in report(csms)}
    set_base(csms, "All")
    assert {each["id"] for each in report(csms)} == everything
    set_base(csms, "FactoryDefault")
    assert {each["id"] for each in report(csms)} == everything - {custom}
    set_base(csms, "HardWiredOnly")
    assert {each["id"] for each in report(csms)} == hard_wired
    assert value(csms, "MonitoringCtrlr/ActiveMonitoringBase") == "HardWiredOnly"
    set_base(csms, "All")
    assert {each["id"] for each in report(csms)} == everything - {custom}


@pytest.mark.tc("TC_N_06_CS")
@pytest.mark.req("N03.FR.05")
def test_tc_n_06_the_base_removes_custom_monitors(csms, station):
    installed(csms, monitor(STATION_STATE))
    assert report(csms, STATION_STATE)
    set_base(csms, "HardWiredOnly")
    assert ask(csms, STATION_STATE) == "EmptyResultSet"


@pytest.mark.tc("TC_N_41_CS")
@pytest.mark.req("N03.FR.04", "N04.FR.15")
def test_tc_n_41_back_to_the_factory_default(setup, csms):
    setup.start(sections='[[monitor]]\nvariable = "EVSE@1/AvailabilityState"\nseverity = 6')
    (before,) = report(csms, EVSE_STATE, criteria=["DeltaMonitoring"])
    assert before["severity"] == 6
    assert installed(csms, monitor(EVSE_STATE, severity=7, id=before["id"])) == [before["id"]]
    assert [each["severity"] for each in report(csms, EVSE_STATE, criteria=["DeltaMonitoring"])] == [7]
    set_base(csms, "FactoryDefault")
    assert report(csms, EVSE_STATE, criteria=["DeltaMonitoring"]) == [before]


@pytest.mark.tc("TC_N_16_CS")
@pytest.mark.req("N05.FR.01", "N05.FR.03", "N07.FR.15")
def test_tc_n_16_the_level_holds_events_back(csms, station):
    (number,) = installed(csms, monitor(EVSE_STATE, severity=8))
    assert csms.call("SetMonitoringLevel", {"severity": 7}) == {"status": OK}
    assert value(csms, "MonitoringCtrlr/ActiveMonitoringLevel") == "7"
    connect(csms, station)
    no_event(csms, number)


@pytest.mark.tc("TC_N_17_CS")
@pytest.mark.req("N05.FR.02")
def test_tc_n_17_a_level_out_of_range(csms, station):
    for severity in (10, -1):
        assert csms.call("SetMonitoringLevel", {"severity": severity})["status"] == "Rejected"


# -- setting ----------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_N_08_CS")
@pytest.mark.req("N04.FR.01", "N04.FR.02", "N04.FR.08", "N04.FR.11")
def test_tc_n_08_one_monitor(csms, station):
    (result,) = install(csms, monitor(EVSE_STATE))
    assert (result["status"], result["type"], result["severity"]) == (OK, "Delta", 8)
    assert {"component": result["component"], "variable": result["variable"]} == EVSE_STATE
    (found,) = report(csms, EVSE_STATE)
    assert (found["id"], found["value"], found["severity"], found["transaction"]) == (result["id"], 1, 8, False)


@pytest.mark.tc("TC_N_09_CS", "TC_N_10_CS")
@pytest.mark.req("N04.FR.01", "N04.FR.02", "N04.FR.08", "N04.FR.11")
@pytest.mark.parametrize("second", [monitor(STATION_STATE), monitor(EVSE_STATE, severity=7)])
def test_tc_n_09_and_10_several_monitors(csms, station, second):
    numbers = installed(csms, monitor(EVSE_STATE), second)
    assert len(set(numbers)) == 2
    assert {each["id"] for each in report(csms, EVSE_STATE, STATION_STATE)} == set(numbers)


@pytest.mark.tc("TC_N_11_CS", "TC_N_37_CS")
@pytest.mark.req("N04.FR.03", "N04.FR.04")
@pytest.mark.parametrize(
    ("component", "variable", "status"),
    [
        ({"name": "EVSE", "evse": {"id": 99}}, "AvailabilityState", "UnknownComponent"),
        ({"name": "NonExistent"}, "Power", "UnknownComponent"),
        ({"name": "EVSE", "evse": {"id": 1}}, "unknownVariable", "UnknownVariable"),
    ],
)
def test_tc_n_11_and_37_what_does_not_exist(csms, station, component, variable, status):
    (result,) = install(csms, monitor({"component": component, "variable": {"name": variable}}))
    assert result["status"] == status
    assert "id" not in result


@pytest.mark.tc("TC_N_12_CS", "TC_N_13_CS", "TC_N_38_CS")
@pytest.mark.req("N04.FR.05", "N04.FR.06", "N04.FR.14")
@pytest.mark.parametrize(
    ("wish", "status"),
    [
        (monitor(EVSE_STATE, "Delta", -1), "Rejected"),
        (monitor(POWER, "UpperThreshold", 10_000_000), "Rejected"),
        (monitor(POWER, "LowerThreshold", -1), "Rejected"),
        (monitor(EVSE_STATE, "UpperThreshold", 1), "UnsupportedMonitorType"),
        (monitor(POWER, "Periodic", 0), "Rejected"),
    ],
)
def test_tc_n_12_13_and_38_values_that_cannot_be(csms, station, wish, status):
    (result,) = install(csms, wish)
    assert (result["status"], result["type"]) == (status, wish["type"])
    assert "id" not in result


@pytest.mark.tc("TC_N_15_CS")
@pytest.mark.req("N04.FR.10")
def test_tc_n_15_duplicates(csms, station):
    first, second = install(csms, monitor(EVSE_STATE), monitor(EVSE_STATE))
    assert (first["status"], second["status"]) == (OK, "Duplicate")


@pytest.mark.tc("TC_N_43_CS")
def test_tc_n_43_a_bad_one_among_good_ones(csms, station):
    results = install(
        csms,
        monitor(POWER, "UpperThreshold", 5000),
        monitor(POWER, "Delta", -1),
        monitor(POWER, "LowerThreshold", 10),
    )
    assert [(each["type"], each["status"]) for each in results] == [
        ("UpperThreshold", OK),
        ("Delta", "Rejected"),
        ("LowerThreshold", OK),
    ]


@pytest.mark.tc("TC_N_39_CS")
@pytest.mark.req("N04.FR.16", "N04.FR.13")
def test_tc_n_39_a_monitor_stays_at_its_variable(csms, station):
    (number,) = installed(csms, monitor(EVSE_STATE))
    (result,) = install(csms, monitor(POWER, "UpperThreshold", 100, id=number))
    assert result["status"] == "Rejected"
    (found,) = report(csms, EVSE_STATE)
    assert (found["id"], found["type"]) == (number, "Delta")
    assert install(csms, monitor(EVSE_STATE, id=99999))[0]["status"] == "Rejected"


@pytest.mark.tc("TC_N_40_CS")
@pytest.mark.req("N04.FR.12")
def test_tc_n_40_a_monitor_is_replaced(csms, station):
    (number,) = installed(csms, monitor(EVSE_STATE, severity=5))
    assert installed(csms, monitor(EVSE_STATE, severity=4, id=number)) == [number]
    (found,) = report(csms, EVSE_STATE, criteria=["DeltaMonitoring"])
    assert (found["id"], found["severity"]) == (number, 4)


@pytest.mark.req("N04.FR.18")
def test_a_hard_wired_monitor_is_not_replaced(csms, station):
    problem = {"component": {"name": "ChargingStation"}, "variable": {"name": "Problem"}}
    (found,) = report(csms, problem)
    assert install(csms, monitor(problem, id=found["id"]))[0]["status"] == "Rejected"


# -- clearing ---------------------------------------------------------------------------------------------------------


def clear(csms, *numbers: int) -> list[str]:
    results = csms.call("ClearVariableMonitoring", {"id": list(numbers)})["clearMonitoringResult"]
    assert [result["id"] for result in results] == list(numbers)
    return [result["status"] for result in results]


@pytest.mark.tc("TC_N_18_CS")
@pytest.mark.req("N06.FR.01", "N06.FR.05")
def test_tc_n_18_monitors_are_cleared(csms, station):
    numbers = installed(csms, monitor(STATION_STATE), monitor(EVSE_STATE))
    assert clear(csms, *numbers) == [OK, OK]
    assert ask(csms, STATION_STATE, EVSE_STATE) == "EmptyResultSet"


@pytest.mark.tc("TC_N_19_CS")
@pytest.mark.req("N06.FR.02")
def test_tc_n_19_an_unknown_monitor(csms, station):
    highest = max(each["id"] for each in report(csms))
    assert clear(csms, highest + 1) == ["NotFound"]


@pytest.mark.req("N06.FR.06")
def test_more_monitors_than_a_message_may_clear(csms, station):
    most = int(value(csms, "MonitoringCtrlr/ItemsPerMessage[ClearVariableMonitoring]"))
    assert csms.call("ClearVariableMonitoring", {"id": list(range(1, most + 2))}) == "OccurrenceConstraintViolation"


@pytest.mark.tc("TC_N_44_CS")
@pytest.mark.req("N06.FR.03")
def test_tc_n_44_a_hard_wired_monitor_stays(csms, station):
    first = report(csms)[0]["id"]
    assert clear(csms, first) == ["Rejected"]


# -- events -----------------------------------------------------------------------------------------------------------


@pytest.mark.tc("TC_N_20_CS")
@pytest.mark.req("N07.FR.02", "N07.FR.06", "N07.FR.07", "N07.FR.16", "N07.FR.17")
def test_tc_n_20_thresholds(csms, station):
    upper, lower = installed(
        csms, monitor(POWER, "UpperThreshold", THRESHOLD_W), monitor(POWER, "LowerThreshold", THRESHOLD_W)
    )
    expect_event(csms, lower, trigger="Alerting")
    transaction = charging(csms, station)
    event = expect_event(csms, upper, trigger="Alerting", transactionId=transaction)
    assert float(event["actualValue"]) > THRESHOLD_W
    assert event["eventNotificationType"] == "CustomMonitor"
    assert {name: event[name] for name in POWER} == POWER
    station.post("/api/sim/evses/1/ev", {"state": "B"})
    event = expect_event(csms, upper, trigger="Alerting", cleared=True)
    assert float(event["actualValue"]) < THRESHOLD_W


@pytest.mark.tc("TC_N_21_CS")
@pytest.mark.req("N07.FR.06")
def test_tc_n_21_a_hard_wired_event(csms, station):
    station.post("/api/sim/evses/1/connectors/0/fault", {"kind": "OtherError"})
    first = report(csms)[0]["id"]
    csms.mark()
    request = next(iter(csms.all("NotifyEvent")))
    (event,) = request["eventData"]
    assert first == 1
    assert (event["trigger"], event["actualValue"], event["variable"]["name"]) == ("Delta", "true", "Problem")


@pytest.mark.tc("TC_N_45_CS", "TC_N_56_CS")
@pytest.mark.req("N07.FR.18", "N07.FR.19")
def test_tc_n_45_and_56_deltas(csms, station):
    power, state = installed(csms, monitor(POWER, "Delta", THRESHOLD_W), monitor(EVSE_STATE))
    station.plug()
    assert expect_event(csms, state, trigger="Delta")["actualValue"] == "Occupied"
    authorize(csms, station)
    assert float(expect_event(csms, power, trigger="Delta")["actualValue"]) > THRESHOLD_W


@pytest.mark.tc("TC_N_61_CS")
def test_tc_n_61_a_delta_is_exceeded_not_reached(csms, station):
    name = "OCPPCommCtrlr/OfflineThreshold"
    where = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
    (number,) = installed(csms, monitor(where))
    before = int(value(csms, name))
    assert change(csms, name, before + 1) == OK
    no_event(csms, number)
    assert change(csms, name, before + 2) == OK
    assert expect_event(csms, number)["actualValue"] == str(before + 2)


@pytest.mark.tc("TC_N_48_CS")
@pytest.mark.req("N07.FR.10")
def test_tc_n_48_a_secret_is_not_told(setup, csms):
    setup.start(network='security_profile = 1\npassword = "0123456789abcdef"')
    where = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    (number,) = installed(csms, monitor(where))
    assert change(csms, "SecurityCtrlr/BasicAuthPassword", "fedcba9876543210") == OK
    assert expect_event(csms, number)["actualValue"] == ""


@pytest.mark.tc("TC_N_24_CS")
@pytest.mark.req("N08.FR.04", "N08.FR.05", "N08.FR.06", "N08.FR.07")
@pytest.mark.parametrize("kind", ["Periodic", "PeriodicClockAligned"])
def test_tc_n_24_periodic_events(csms, station, kind):
    (number,) = installed(csms, monitor(EVSE_STATE, kind, 1))
    for _ in range(3):
        assert expect_event(csms, number, trigger="Periodic")["actualValue"] == "Available"


@pytest.mark.tc("TC_N_22_CS", "TC_N_23_CS")
@pytest.mark.req("N07.FR.04", "N08.FR.03")
@pytest.mark.parametrize(("severity", "kept"), [(5, True), (6, False)])
def test_tc_n_22_and_23_events_while_offline(csms, station, severity, kept):
    assert change(csms, "MonitoringCtrlr/OfflineQueuingSeverity", 5) == OK
    (number,) = installed(csms, monitor(EVSE_STATE, severity=severity))
    network(station, False)
    csms.wait_disconnected()
    station.plug()
    station.wait(lambda: station.status()["evses"][0]["connectors"][0]["status"] == "Occupied", "the plug")
    network(station, True)
    csms.expect("StatusNotification", connectorStatus="Occupied")
    if kept:
        assert any(
            each["variableMonitoringId"] == number and each["actualValue"] == "Occupied"
            for request in csms.wait(lambda: csms.all("NotifyEvent"), "the event")
            for each in request["eventData"]
        )
    else:
        no_event(csms, number)


@pytest.mark.tc("TC_N_51_CS")
@pytest.mark.req("N07.FR.11")
def test_tc_n_51_a_new_threshold_clears_the_old_one(csms, station):
    (number,) = installed(csms, monitor(POWER, "UpperThreshold", THRESHOLD_W))
    charging(csms, station)
    expect_event(csms, number, trigger="Alerting")
    installed(csms, monitor(POWER, "UpperThreshold", 22000, id=number))
    expect_event(csms, number, trigger="Alerting", cleared=True)


@pytest.mark.tc("TC_N_52_CS")
@pytest.mark.req("N07.FR.12")
def test_tc_n_52_a_removed_threshold_tells_nothing(csms, station):
    (number,) = installed(csms, monitor(POWER, "UpperThreshold", THRESHOLD_W))
    charging(csms, station)
    expect_event(csms, number, trigger="Alerting")
    assert clear(csms, number) == [OK]
    assert ask(csms, POWER, criteria=["ThresholdMonitoring"]) == "EmptyResultSet"
    station.card()
    csms.expect("TransactionEvent", triggerReason="StopAuthorized")
    no_event(csms, number)


@pytest.mark.tc("TC_N_53_CS")
@pytest.mark.req("N07.FR.13", "N07.FR.14")
def test_tc_n_53_monitors_survive_a_restart(setup, csms, station):
    (number,) = installed(csms, monitor(POWER, "UpperThreshold", THRESHOLD_W))
    charging(csms, station)
    expect_event(csms, number, trigger="Alerting")
    csms.mark()
    station.post("/api/sim/power_cut")
    setup.restart(wait=False)
    expect_event(csms, number, trigger="Alerting", cleared=True)
    assert [each["id"] for each in report(csms, criteria=["ThresholdMonitoring"])] == [number]
