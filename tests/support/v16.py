"""What many test cases begin with."""

CARD = "04A2B3C4D5E6F7"


def authorize_and_start(csms, station, connector: int = 1):
    """Card on a plugged connector, until the car charges; gives StartTransaction."""
    station.card(CARD, connector)
    csms.expect("Authorize", idTag=CARD)
    start = csms.expect("StartTransaction", connectorId=connector, idTag=CARD)
    csms.expect("StatusNotification", connectorId=connector, status="Charging")
    return start


def plug_and_start(csms, station, connector: int = 1):
    """A whole beginning, until the car charges."""
    station.plug(connector)
    csms.expect("StatusNotification", connectorId=connector, status="Preparing")
    return authorize_and_start(csms, station, connector)


def change(csms, key: str, value: object) -> str:
    return csms.call("ChangeConfiguration", {"key": key, "value": str(value)})["status"]


def network(station, up: bool) -> None:
    station.post("/api/sim/network", {"up": up})
