"""What many test cases of OCPP 2.0.1 begin with: variables, and the reusable states of the certification document."""

from datetime import UTC, datetime, timedelta
from typing import Any

CARD = "04A2B3C4D5E6F7"
TOKEN = {"idToken": CARD, "type": "ISO14443"}


def variable(name: str, **more: Any) -> dict[str, Any]:
    """Component and variable of `Component[instance]@evse/Variable[instance]`, as messages carry them."""
    component, _, rest = name.partition("/")
    component, _, evse = component.partition("@")
    where = {"evse": {"id": int(evse)}} if evse else {}
    return {"component": {**_named(component), **where}, "variable": _named(rest), **more}


def _named(text: str) -> dict[str, str]:
    name, _, instance = text.partition("[")
    return {"name": name, "instance": instance.rstrip("]")} if instance else {"name": name}


def get(csms, name: str, **more: Any) -> dict[str, Any]:
    """The result of GetVariables for one variable."""
    return csms.call("GetVariables", {"getVariableData": [variable(name, **more)]})["getVariableResult"][0]


def value(csms, name: str) -> str:
    result = get(csms, name)
    assert result["attributeStatus"] == "Accepted", result
    return result["attributeValue"]


def change(csms, name: str, value: object, **more: Any) -> str:
    """The status of SetVariables for one variable."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    wish = {"setVariableData": [variable(name, attributeValue=text, **more)]}
    return csms.call("SetVariables", wish)["setVariableResult"][0]["attributeStatus"]


def network(station, up: bool) -> None:
    station.post("/api/sim/network", {"up": up})


# -- reusable states --------------------------------------------------------------------------------------------------


def connect(csms, station, evse: int = 1) -> None:
    """EVConnectedPreSession."""
    station.plug(evse)
    csms.expect("StatusNotification", evseId=evse, connectorStatus="Occupied")


def authorize(csms, station, evse: int = 1, card: str = CARD) -> None:
    """Authorized."""
    station.card(card, evse)
    csms.expect("Authorize", idToken={"idToken": card})


def charging(csms, station, evse: int = 1, card: str = CARD) -> str:
    """EnergyTransferStarted: plugged, authorised, charging; gives the transaction id."""
    connect(csms, station, evse)
    authorize(csms, station, evse, card)
    event = csms.expect("TransactionEvent", transactionInfo={"chargingState": "Charging"})
    return event["transactionInfo"]["transactionId"]


# -- boot -------------------------------------------------------------------------------------------------------------


def connector_statuses(csms, evses: int = 2) -> dict[int, str]:
    """What the station tells of its connectors next, by EVSE; each exactly once."""
    told = csms.expect_all(*[("StatusNotification", {"connectorId": 1})] * evses)
    return {status["evseId"]: status["connectorStatus"] for status in told}


def booted(setup, reason: str, evses: int = 2) -> dict[int, str]:
    """Booted: after the program has ended for a reset; gives what is told of the connectors."""
    csms = setup.csms
    setup.restart(wait=False)
    csms.expect("BootNotification", reason=reason)
    statuses = connector_statuses(csms, evses)
    csms.expect("SecurityEventNotification", type={"StartupOfTheDevice", "ResetOrReboot"})
    return statuses


# -- tokens -----------------------------------------------------------------------------------------------------------


def id_token(card: str = CARD) -> dict[str, str]:
    return {"idToken": card, "type": "ISO14443"}


def token_info(status: str = "Accepted", group: str | None = None, **more: Any) -> dict[str, Any]:
    """An idTokenInfo."""
    grouped = {"groupIdToken": {"idToken": group, "type": "Central"}} if group is not None else {}
    return {"status": status, **grouped, **more}


def knows(csms, infos: dict[str, dict[str, Any]]) -> None:
    """What the CSMS says of cards from now on, by card, to every question and transaction; others are Accepted."""

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        token = payload.get("idToken")
        return {"idTokenInfo": infos.get(token["idToken"], token_info())} if token is not None else {}

    csms.always("Authorize", answer)
    csms.always("TransactionEvent", answer)


def stop(csms, station, transaction: str, evse: int = 1, card: str = CARD) -> dict[str, Any]:
    """StopAuthorized and EVConnectedPostSession, with a card."""
    station.card(card, evse)
    return csms.expect("TransactionEvent", eventType="Ended", transactionInfo={"transactionId": transaction})


def unplug(csms, station, evse: int = 1) -> None:
    """EVDisconnected."""
    station.unplug(evse)
    csms.expect("StatusNotification", evseId=evse, connectorStatus="Available")


def cached(csms, station, card: str = CARD, status: str = "Accepted", evse: int = 1, **more: Any) -> None:
    """IdTokenCached: the CSMS says it of the card once, and something else later if the test wants so."""
    knows(csms, {card: token_info(status, **more)})
    if status == "Accepted":
        transaction = charging(csms, station, evse, card)
        stop(csms, station, transaction, evse, card)
        unplug(csms, station, evse)
    else:
        authorize(csms, station, evse, card)
        csms.nothing("TransactionEvent", within=0.1)


def listed(csms, infos: dict[str, dict[str, Any]], version: int = 1) -> None:
    """IdTokenLocalAuthList: a full update of the list, by card."""
    entries = [{"idToken": id_token(card), "idTokenInfo": info} for card, info in infos.items()]
    update = {"versionNumber": version, "updateType": "Full", "localAuthorizationList": entries}
    assert csms.call("SendLocalList", update)["status"] == "Accepted"


def offline(csms, station) -> None:
    """The connection is lost, and does not come back by itself."""
    network(station, False)
    csms.wait_disconnected()
    csms.mark()


def energy(station, watt_hours: float, evse: int = 1) -> None:
    """What the meter's register says."""
    station.post(f"/api/sim/evses/{evse}/meter", {"energy_wh": watt_hours})


# -- reservations -----------------------------------------------------------------------------------------------------


def reserve(csms, evse: int | None = 1, card: str = CARD, *, number: int = 1, seconds: float = 300, **more: Any) -> str:
    """The status of ReserveNow; no EVSE: whichever is free."""
    expiry = datetime.now(UTC) + timedelta(seconds=seconds)
    wish = {"id": number, "idToken": id_token(card), "expiryDateTime": expiry.isoformat(), **more}
    place = {"evseId": evse} if evse is not None else {}
    return csms.call("ReserveNow", {**wish, **place})["status"]


def reserved(csms, evse: int = 1, card: str = CARD, **more: Any) -> None:
    """Reserved."""
    assert reserve(csms, evse, card, **more) == "Accepted"
    csms.expect("StatusNotification", evseId=evse, connectorId=1, connectorStatus="Reserved")


def unavailable(csms, evse: int | None = None, evses: int = 2) -> None:
    """Unavailable: one EVSE, or the whole station."""
    place = {"evse": {"id": evse}} if evse is not None else {}
    assert csms.call("ChangeAvailability", {"operationalStatus": "Inoperative", **place}) == {"status": "Accepted"}
    concerned = [evse] if evse is not None else range(1, evses + 1)
    told = {"connectorId": 1, "connectorStatus": "Unavailable"}
    csms.expect_all(*[("StatusNotification", {"evseId": each, **told}) for each in concerned])
