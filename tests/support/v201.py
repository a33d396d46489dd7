"""What many test cases of OCPP 2.0.1 begin with: variables, and the reusable states of the certification document."""

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
