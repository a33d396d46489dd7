"""How the development CSMS answers what stations send: it accepts everything."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ocpp.versions import OcppVersion

HEARTBEAT_INTERVAL_S = 60

_ACCEPTED = {"status": "Accepted"}


class Behaviour:
    """Standard answers, as plain payloads. `next_transaction_id` numbers 1.6 transactions."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._transaction_id = 0

    def answer(self, version: OcppVersion, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The answer to a station's call."""
        standard = self._standard(version, action, payload)
        return standard if standard is not None else {}

    def _standard(self, version: OcppVersion, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        token_info = "idTagInfo" if version is OcppVersion.V16 else "idTokenInfo"
        if action == "BootNotification":
            return {**_ACCEPTED, "currentTime": self._time(), "interval": HEARTBEAT_INTERVAL_S}
        if action == "Heartbeat":
            return {"currentTime": self._time()}
        if action == "Authorize":
            return {token_info: _ACCEPTED}
        if action == "StartTransaction":
            self._transaction_id += 1
            return {"transactionId": self._transaction_id, "idTagInfo": _ACCEPTED}
        if action == "StopTransaction":
            return {"idTagInfo": _ACCEPTED} if "idTag" in payload else {}
        if action == "TransactionEvent":
            return {"idTokenInfo": _ACCEPTED} if "idToken" in payload else {}
        if action in ("DataTransfer", "SignCertificate", "Get15118EVCertificate", "GetCertificateStatus"):
            return {"status": "Rejected" if action != "SignCertificate" else "Accepted"}
        return None

    def _time(self) -> str:
        return self._now().replace(microsecond=0).isoformat().replace("+00:00", "Z")
