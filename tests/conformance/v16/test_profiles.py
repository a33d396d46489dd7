"""Local list, reservation, smart charging, firmware and diagnostics (TC_042 to TC_060, TC_066, TC_067, TC_072)."""

import datetime

import pytest
from support.file_server import file_server
from support.v16 import CARD, change, plug_and_start

PARENT = "PARENT01"


def iso(seconds: float = 0) -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def server():
    with file_server() as server:
        yield server


# -- local authorization list -----------------------------------------------------------------------------------------


def send_list(csms, version, kind="Full", *entries):
    wish = {"listVersion": version, "updateType": kind, "localAuthorizationList": list(entries)}
    return csms.call("SendLocalList", wish)["status"]


def entry(tag, status="Accepted"):
    return {"idTag": tag, "idTagInfo": {"status": status}}


@pytest.mark.tc("1.6-TC_042_1", "1.6-TC_043_1")
@pytest.mark.req("1.6-5.10", "1.6-5.15")
def test_tc_042_1_043_1_without_the_profile(setup, csms):
    setup.start(variables={"LocalAuthListCtrlr/Available": False})
    assert csms.call("GetLocalListVersion") == {"listVersion": -1}
    assert send_list(csms, 1) == "NotSupported"


@pytest.mark.tc("1.6-TC_042_2")
def test_tc_042_2_an_empty_list_has_version_0(csms, station):
    assert csms.call("GetLocalListVersion") == {"listVersion": 0}


@pytest.mark.tc("1.6-TC_043_2", "1.6-TC_043_3")
def test_tc_043_a_full_list_replaces(setup, csms, station):
    change(csms, "LocalAuthListEnabled", "true")
    assert send_list(csms, 3, "Full", entry("A"), entry("B")) == "Accepted"
    assert csms.call("GetLocalListVersion") == {"listVersion": 3}
    station.post("/api/sim/power_cut")
    setup.restart()
    assert csms.call("GetLocalListVersion") == {"listVersion": 3}


@pytest.mark.tc("1.6-TC_043_4")
def test_tc_043_a_differential_list_changes(csms, station):
    change(csms, "LocalAuthListEnabled", "true")
    change(csms, "LocalPreAuthorize", "true")
    assert send_list(csms, 1, "Full", entry("A")) == "Accepted"
    assert send_list(csms, 2, "Differential", entry(CARD), {"idTag": "A"}) == "Accepted"
    station.plug()
    station.card()
    csms.expect("StartTransaction", idTag=CARD)
    assert csms.all("Authorize") == []


@pytest.mark.tc("1.6-TC_043_5")
def test_tc_043_an_old_version_is_a_mismatch(csms, station):
    change(csms, "LocalAuthListEnabled", "true")
    assert send_list(csms, 5, "Full", entry("A")) == "Accepted"
    assert send_list(csms, 4, "Differential", entry("B")) == "VersionMismatch"
    assert csms.call("GetLocalListVersion") == {"listVersion": 5}


# -- firmware and diagnostics -----------------------------------------------------------------------------------------


def update_firmware(csms, location, after=0, **more):
    return csms.call("UpdateFirmware", {"location": location, "retrieveDate": iso(after), **more})


@pytest.mark.tc("1.6-TC_044_1")
@pytest.mark.req("1.6-5.19", "1.6-4.5")
def test_tc_044_1_firmware_is_downloaded_and_installed(setup, csms, server):
    setup.start(simulation="firmware_install_s = 0.1")
    assert update_firmware(csms, server.offer("/new.bin", b"new firmware")) == {}
    for status in ("Downloading", "Downloaded", "Installing"):
        csms.expect("FirmwareStatusNotification", status=status)
    setup.restart(wait=False)
    csms.expect("BootNotification")
    csms.expect("FirmwareStatusNotification", status="Installed")


@pytest.mark.tc("1.6-TC_044_2")
def test_tc_044_2_a_download_fails(csms, station, server):
    update_firmware(csms, server.url + "none.bin", retries=0)
    for status in ("Downloading", "DownloadFailed"):
        csms.expect("FirmwareStatusNotification", status=status)


@pytest.mark.tc("1.6-TC_044_3")
def test_tc_044_3_an_installation_fails(setup, csms, server):
    setup.start(simulation="firmware_install_s = 0.1")
    update_firmware(csms, server.offer("/bad.bin", b"BROKEN firmware"))
    for status in ("Downloading", "Downloaded", "Installing", "InstallationFailed"):
        csms.expect("FirmwareStatusNotification", status=status)


@pytest.mark.tc("1.6-TC_045_1")
@pytest.mark.req("1.6-5.9", "1.6-4.4")
def test_tc_045_1_diagnostics_are_uploaded(csms, station, server):
    answer = csms.call("GetDiagnostics", {"location": server.url})
    csms.expect("DiagnosticsStatusNotification", status="Uploading")
    csms.expect("DiagnosticsStatusNotification", status="Uploaded")
    assert list(server.files) == ["/logs/" + answer["fileName"]]


@pytest.mark.tc("1.6-TC_045_2")
def test_tc_045_2_an_upload_fails(csms, station, server):
    server.answers = [500]
    csms.call("GetDiagnostics", {"location": server.url, "retries": 0})
    csms.expect("DiagnosticsStatusNotification", status="Uploading")
    csms.expect("DiagnosticsStatusNotification", status="UploadFailed")


# -- reservation ------------------------------------------------------------------------------------------------------


def reserve(csms, connector=1, seconds=300, reservation=1, **more):
    wish = {"connectorId": connector, "expiryDate": iso(seconds), "idTag": CARD, "reservationId": reservation, **more}
    return csms.call("ReserveNow", wish)["status"]


@pytest.mark.tc("1.6-TC_046")
@pytest.mark.req("1.6-5.13")
def test_tc_046_a_reserved_connector_starts_for_its_driver_only(csms, station):
    assert reserve(csms) == "Accepted"
    csms.expect("StatusNotification", connectorId=1, status="Reserved")
    station.card("OTHER", 1)
    csms.nothing("StartTransaction")
    station.card(CARD, 1)
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    station.plug()
    csms.expect("StartTransaction", connectorId=1, idTag=CARD, reservationId=1)
    csms.expect("StatusNotification", connectorId=1, status="Charging")


@pytest.mark.tc("1.6-TC_047")
def test_tc_047_a_reservation_expires(csms, station):
    assert reserve(csms, seconds=2) == "Accepted"
    csms.expect("StatusNotification", connectorId=1, status="Reserved")
    csms.expect("StatusNotification", connectorId=1, status="Available")


@pytest.mark.tc("1.6-TC_048_1")
def test_tc_048_1_a_faulted_connector_cannot_be_reserved(csms, station):
    station.post("/api/sim/evses/1/connectors/1/fault", {"kind": "GroundFailure", "active": True})
    csms.expect("StatusNotification", connectorId=1, status="Faulted")
    assert reserve(csms) == "Faulted"


@pytest.mark.tc("1.6-TC_048_2")
def test_tc_048_2_an_occupied_connector_cannot_be_reserved(csms, station):
    station.plug()
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    assert reserve(csms) == "Occupied"


@pytest.mark.tc("1.6-TC_048_3")
def test_tc_048_3_an_unavailable_connector_cannot_be_reserved(csms, station):
    csms.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    assert reserve(csms) == "Unavailable"


@pytest.mark.tc("1.6-TC_048_4", "1.6-TC_050_4")
@pytest.mark.parametrize("connector", [0, 1])
def test_tc_048_4_050_4_without_reservations_it_is_rejected(setup, csms, connector):
    setup.start(variables={"ReservationCtrlr/Enabled": False})
    assert reserve(csms, connector) == "Rejected"


@pytest.mark.tc("1.6-TC_049")
def test_tc_049_a_reservation_of_the_charge_point(csms, station):
    (key,) = csms.call("GetConfiguration", {"key": ["ReserveConnectorZeroSupported"]})["configurationKey"]
    assert key["value"] == "true"
    assert reserve(csms, 0) == "Accepted"
    station.plug(2)
    station.card(CARD, 2)
    csms.expect("StartTransaction", connectorId=2, idTag=CARD, reservationId=1)


@pytest.mark.tc("1.6-TC_050_1", "1.6-TC_050_2", "1.6-TC_050_3")
@pytest.mark.parametrize("why", ["Faulted", "Occupied", "Unavailable"])
def test_tc_050_a_charge_point_that_cannot_be_reserved_says_why(csms, station, why):
    for connector in (1, 2):
        if why == "Faulted":
            station.post(f"/api/sim/evses/{connector}/connectors/1/fault", {"kind": "GroundFailure", "active": True})
            csms.expect("StatusNotification", connectorId=connector, status="Faulted")
        elif why == "Occupied":
            station.plug(connector)
            csms.expect("StatusNotification", connectorId=connector, status="Preparing")
        else:
            csms.call("ChangeAvailability", {"connectorId": connector, "type": "Inoperative"})
    assert reserve(csms, 0) == why


@pytest.mark.tc("1.6-TC_051")
@pytest.mark.req("1.6-5.1")
def test_tc_051_a_reservation_is_cancelled(csms, station):
    assert reserve(csms, reservation=9) == "Accepted"
    csms.expect("StatusNotification", connectorId=1, status="Reserved")
    assert csms.call("CancelReservation", {"reservationId": 9}) == {"status": "Accepted"}
    csms.expect("StatusNotification", connectorId=1, status="Available")


@pytest.mark.tc("1.6-TC_052")
def test_tc_052_an_unknown_reservation_cannot_be_cancelled(csms, station):
    assert csms.call("CancelReservation", {"reservationId": 9}) == {"status": "Rejected"}


@pytest.mark.tc("1.6-TC_053")
def test_tc_053_the_parent_may_use_a_reservation(csms, station):
    csms.always("Authorize", {"idTagInfo": {"status": "Accepted", "parentIdTag": PARENT}})
    assert reserve(csms, parentIdTag=PARENT) == "Accepted"
    csms.expect("StatusNotification", connectorId=1, status="Reserved")
    station.card("RELATIVE", 1)
    csms.expect("StatusNotification", connectorId=1, status="Preparing")
    station.plug()
    csms.expect("StartTransaction", connectorId=1, idTag="RELATIVE", reservationId=1)


def test_a_reservation_survives_a_power_cut(setup, csms, station):
    assert reserve(csms) == "Accepted"
    csms.expect("StatusNotification", connectorId=1, status="Reserved")
    station.post("/api/sim/power_cut")
    setup.restart(wait=False)
    csms.expect("BootNotification")
    csms.expect("StatusNotification", connectorId=1, status="Reserved")


# -- smart charging ---------------------------------------------------------------------------------------------------


def profile(purpose, limit, *, number=1, level=0, transaction=None, **schedule):
    periods = [{"startPeriod": 0, "limit": limit}]
    found = {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": iso(-10),
            "duration": 86400,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": periods,
            **schedule,
        },
    }
    return {**found, "transactionId": transaction} if transaction is not None else found


def set_profile(csms, connector, wanted):
    return csms.call("SetChargingProfile", {"connectorId": connector, "csChargingProfiles": wanted})["status"]


def limit_of(station, evse=1):
    return station.status()["evses"][evse - 1]["limit"]["current_a"]


def wait_limit(station, amperes, evse=1):
    station.wait(lambda: limit_of(station, evse) == amperes, f"a limit of {amperes} A, not {limit_of(station, evse)}")


@pytest.mark.tc("1.6-TC_056")
@pytest.mark.req("1.6-5.16")
def test_tc_056_a_default_profile_limits_what_is_delivered(csms, station):
    assert set_profile(csms, 0, profile("TxDefaultProfile", 10)) == "Accepted"
    plug_and_start(csms, station)
    wait_limit(station, 10)


@pytest.mark.tc("1.6-TC_057")
def test_tc_057_a_profile_for_the_transaction(csms, station):
    plug_and_start(csms, station)
    wanted = profile("TxProfile", 8, transaction=csms.next_transaction_id)
    assert set_profile(csms, 1, wanted) == "Accepted"
    wait_limit(station, 8)
    station.card()
    csms.expect("StopTransaction")
    station.wait(lambda: limit_of(station) != 8, "the profile goes with its transaction")


@pytest.mark.tc("1.6-TC_058_1")
def test_tc_058_1_without_a_transaction_it_is_rejected(csms, station):
    assert set_profile(csms, 1, profile("TxProfile", 8)) == "Rejected"


@pytest.mark.tc("1.6-TC_058_2")
def test_tc_058_2_for_another_transaction_it_is_rejected(csms, station):
    plug_and_start(csms, station)
    assert set_profile(csms, 1, profile("TxProfile", 8, transaction=1)) == "Rejected"


@pytest.mark.tc("1.6-TC_059")
@pytest.mark.req("1.6-5.11")
def test_tc_059_a_remote_start_with_a_profile(csms, station):
    wanted = profile("TxProfile", 7)
    answer = csms.call("RemoteStartTransaction", {"idTag": CARD, "connectorId": 1, "chargingProfile": wanted})
    assert answer == {"status": "Accepted"}
    station.plug()
    csms.expect("StartTransaction", idTag=CARD)
    wait_limit(station, 7)


@pytest.mark.tc("1.6-TC_060")
def test_tc_060_a_remote_start_with_a_profile_that_does_not_fit_is_rejected(csms, station):
    wanted = profile("TxDefaultProfile", 7)
    answer = csms.call("RemoteStartTransaction", {"idTag": CARD, "connectorId": 1, "chargingProfile": wanted})
    assert answer == {"status": "Rejected"}


def composite(csms, connector=1, duration=300, unit="A"):
    wish = {"connectorId": connector, "duration": duration, "chargingRateUnit": unit}
    return csms.call("GetCompositeSchedule", wish)


@pytest.mark.tc("1.6-TC_066")
@pytest.mark.req("1.6-5.7")
def test_tc_066_the_composite_schedule_merges(csms, station):
    assert set_profile(csms, 0, profile("ChargePointMaxProfile", 20, number=1)) == "Accepted"
    assert set_profile(csms, 1, profile("TxDefaultProfile", 10, number=2)) == "Accepted"
    answer = composite(csms)
    assert (answer["status"], answer["connectorId"]) == ("Accepted", 1)
    schedule = answer["chargingSchedule"]
    assert schedule["duration"] == 300
    assert [(each["startPeriod"], each["limit"]) for each in schedule["chargingSchedulePeriod"]] == [(0, 10.0)]


@pytest.mark.tc("1.6-TC_066")
def test_tc_066_the_composite_schedule_in_watts(csms, station):
    assert set_profile(csms, 1, profile("TxDefaultProfile", 10)) == "Accepted"
    (period,) = composite(csms, unit="W")["chargingSchedule"]["chargingSchedulePeriod"]
    assert period["limit"] == 3 * 230 * 10


@pytest.mark.tc("1.6-TC_067")
@pytest.mark.req("1.6-5.5")
@pytest.mark.parametrize(
    "criterion",
    [
        {"id": 1},
        {"connectorId": 1},
        {"chargingProfilePurpose": "TxDefaultProfile"},
        {"stackLevel": 3},
        {"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 3},
        {},
    ],
    ids=str,
)
def test_tc_067_profiles_are_cleared_by_every_criterion(csms, station, criterion):
    assert set_profile(csms, 1, profile("TxDefaultProfile", 10, level=3)) == "Accepted"
    assert csms.call("ClearChargingProfile", {**criterion, **({"stackLevel": 2} if not criterion else {})}) == (
        {"status": "Unknown"} if not criterion else {"status": "Accepted"}
    )
    (period,) = composite(csms)["chargingSchedule"]["chargingSchedulePeriod"]
    assert period["limit"] == (10 if not criterion else 32)


@pytest.mark.tc("1.6-TC_072")
def test_tc_072_the_higher_stack_level_counts_while_it_holds(csms, station):
    assert set_profile(csms, 1, profile("TxDefaultProfile", 10, number=1, level=0)) == "Accepted"
    high = profile("TxDefaultProfile", 16, number=2, level=1, startSchedule=iso(-5), duration=100)
    assert set_profile(csms, 1, high) == "Accepted"
    periods = composite(csms)["chargingSchedule"]["chargingSchedulePeriod"]
    assert [each["limit"] for each in periods] == [16, 10]
    assert 95 <= periods[1]["startPeriod"] <= 100


def test_profiles_survive_a_power_cut(setup, csms, station):
    assert set_profile(csms, 1, profile("TxDefaultProfile", 10)) == "Accepted"
    station.post("/api/sim/power_cut")
    setup.restart()
    (period,) = composite(csms)["chargingSchedule"]["chargingSchedulePeriod"]
    assert period["limit"] == 10
