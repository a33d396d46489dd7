"""Plug and charge over DataTransfer: the 1.6 extension for ISO 15118.

Vendor `org.openchargealliance.iso15118pnc`: messages of 2.0.1 in JSON, as `data` of DataTransfer. Written from memory of
that white paper; see docs/v16/README.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from ocpp.core.certificates import ACCEPTED, NOT_FOUND, Outcome
from ocpp.core.context import Context
from ocpp.core.contracts import ContractQuery, OcspQuery
from ocpp.core.ev_link import EvCertificateAnswer
from ocpp.core.identity import AuthorizationInfo, AuthorizationStatus
from ocpp.errors import CallError
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler
from ocpp.security.certificate_folder import Kind
from ocpp.v16.transferred import Transferred, read

if TYPE_CHECKING:
    from ocpp.security.certificates import HashData

VENDOR = "org.openchargealliance.iso15118pnc"

ROOTS = {
    "V2GRootCertificate": Kind.V2G_ROOT,
    "MORootCertificate": Kind.MO_ROOT,
    "CSMSRootCertificate": Kind.CSMS_ROOT,
    "ManufacturerRootCertificate": Kind.MANUFACTURER_ROOT,
    "OEMRootCertificate": Kind.OEM_ROOT,
}
LISTED = {**ROOTS, "V2GCertificateChain": Kind.V2G}

MAX_CERTIFICATE = 5500
"""Characters of InstallCertificateRequest.certificate."""

MAX_CHAIN = 10_000
"""Characters of CertificateSignedRequest.certificateChain."""

MAX_CERTIFICATE_TYPES = 16
"""Names of kinds in one message; there are half a dozen."""

V2G_CERTIFICATE = "V2GCertificate"
SIGNING_TRIGGERS = frozenset({"SignCertificate", "SignV2GCertificate"})
"""Both names that Central Systems use for it: in this extension there is no other certificate to sign."""

log = logging.getLogger(__name__)


class CertificateHash(Transferred, frozen=True):
    """CertificateHashDataType of 2.0.1."""

    hash_algorithm: Literal["SHA256", "SHA384", "SHA512"]
    issuer_name_hash: Annotated[str, msgspec.Meta(max_length=128)]
    issuer_key_hash: Annotated[str, msgspec.Meta(max_length=128)]
    serial_number: Annotated[str, msgspec.Meta(max_length=40)]


class InstallCertificate(Transferred, frozen=True):
    """A root certificate to install."""

    certificate_type: str
    certificate: Annotated[str, msgspec.Meta(max_length=MAX_CERTIFICATE)]


class DeleteCertificate(Transferred, frozen=True):
    """A certificate to delete."""

    certificate_hash_data: CertificateHash


class GetInstalledCertificateIds(Transferred, frozen=True):
    """Which certificates to list; none: all."""

    certificate_type: Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_CERTIFICATE_TYPES)] | None = None


class CertificateSigned(Transferred, frozen=True):
    """The certificate that was asked for."""

    certificate_chain: Annotated[str, msgspec.Meta(max_length=MAX_CHAIN)]
    certificate_type: str | None = None


class TriggerMessage(Transferred, frozen=True):
    """A message to send: one of `SIGNING_TRIGGERS`."""

    requested_message: str


class IdTokenInfo(Transferred, frozen=True):
    """What the CSMS says about a contract."""

    status: str


class AuthorizeAnswer(Transferred, frozen=True):
    """The answer to Authorize."""

    id_token_info: IdTokenInfo
    certificate_status: str | None = None


class EvCertificate(Transferred, frozen=True):
    """The answer to Get15118EVCertificate."""

    status: str
    exi_response: str | None = None


class CertificateStatus(Transferred, frozen=True):
    """The answer to GetCertificateStatus."""

    status: str
    ocsp_result: str | None = None


class Status(Transferred, frozen=True):
    """An answer that is a status."""

    status: str


class PlugAndCharge:
    """The extension: the same domain as in 2.x behind other messages."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._messages: dict[str, tuple[type[Transferred], Callable[[Any], dict[str, Any]]]] = {
            "InstallCertificate": (InstallCertificate, self._install),
            "DeleteCertificate": (DeleteCertificate, self._delete),
            "GetInstalledCertificateIds": (GetInstalledCertificateIds, self._list),
            "CertificateSigned": (CertificateSigned, self._signed),
            "TriggerMessage": (TriggerMessage, self._trigger),
        }
        self._sign_station = context.signing.send

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`: DataTransfer itself belongs to the Core profile."""
        return {}

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        contracts = self._context.contracts
        contracts.ask, contracts.forward, contracts.ask_status = self.ask, self.forward, self.ask_status
        self._context.signing.send = self.sign
        self._context.data_transfer.setdefault(VENDOR, self.data_transfer)
        self._context.signals.accepted.listen(contracts.review)

    # -- what the CSMS asks ---------------------------------------------------------------------------------------

    async def data_transfer(self, message_id: str | None, data: Any) -> tuple[str, Any]:
        """What the CSMS sends; the answer's data is the response of 2.0.1."""
        if message_id not in self._messages:
            return "UnknownMessageId", None
        kind, handle = self._messages[message_id]
        message = read(kind, data, message_id)
        if message is None:
            return "Rejected", None
        return "Accepted", msgspec.json.encode(handle(message)).decode()

    def _install(self, message: InstallCertificate) -> dict[str, Any]:
        kind = ROOTS.get(message.certificate_type)
        if kind is None:
            return {"status": "Rejected"}
        return _status(self._context.certificates.install(kind, message.certificate))

    def _delete(self, message: DeleteCertificate) -> dict[str, Any]:
        from ocpp.security.certificates import HashData

        data = message.certificate_hash_data
        wanted = HashData(data.hash_algorithm, data.issuer_name_hash, data.issuer_key_hash, data.serial_number)
        return _status(self._context.certificates.delete(wanted))

    def _list(self, message: GetInstalledCertificateIds) -> dict[str, Any]:
        wanted = [LISTED[name] for name in message.certificate_type or LISTED if name in LISTED]
        found = list(self._context.certificates.installed(*wanted)) if wanted else []
        names = {kind: name for name, kind in LISTED.items()}
        chains = [
            {
                "certificateType": names[each.kind],
                "certificateHashData": _hash(each.data),
                **({"childCertificateHashData": [_hash(child) for child in each.children]} if each.children else {}),
            }
            for each in found
        ]
        if not chains:
            return {"status": NOT_FOUND}
        return {"status": ACCEPTED, "certificateHashDataChain": chains}

    def _signed(self, message: CertificateSigned) -> dict[str, Any]:
        if (message.certificate_type or V2G_CERTIFICATE) != V2G_CERTIFICATE:
            return {"status": "Rejected"}
        return _status(self._context.signing.signed(message.certificate_chain, Kind.V2G))

    def _trigger(self, message: TriggerMessage) -> dict[str, Any]:
        if message.requested_message not in SIGNING_TRIGGERS:
            return {"status": "NotImplemented"}
        self._context.clock.call_later(0.0, lambda: self._context.rpc.spawn(self._context.signing.request(Kind.V2G)))
        return {"status": ACCEPTED}

    # -- what the station asks ------------------------------------------------------------------------------------

    async def _call(self, message_id: str, data: dict[str, Any], answer: type[Any]) -> Any:
        """Raises RpcError, also for an answer that is none."""
        request = v16.DataTransferRequest(
            vendor_id=VENDOR, message_id=message_id, data=msgspec.json.encode(data).decode()
        )
        response: v16.DataTransferResponse = await self._context.rpc.call(request)
        if response.status.value != ACCEPTED:
            raise CallError("NotSupported", f"{message_id}: {response.status.value}")
        found = read(answer, response.data, f"the answer to {message_id}")
        if found is None:
            raise CallError("FormationViolation", f"the answer to {message_id} cannot be read")
        return found

    async def sign(self, kind: Kind, request: str) -> bool:
        """SignCertificate towards EVs; the station's own certificate goes the way of the white paper."""
        if kind is not Kind.V2G:
            return await self._sign_station(kind, request) if self._sign_station is not None else False
        answer: Status = await self._call(
            "SignCertificate", {"csr": request, "certificateType": V2G_CERTIFICATE}, Status
        )
        return answer.status == ACCEPTED

    async def ask(self, query: ContractQuery) -> tuple[AuthorizationInfo, str]:
        """Authorize with a contract."""
        data: dict[str, Any] = {"idToken": query.token.value}
        if query.hashes:
            data["iso15118CertificateHashData"] = [_ocsp(each) for each in query.hashes]
        if query.chain is not None:
            data["certificate"] = query.chain
        answer: AuthorizeAnswer = await self._call("Authorize", data, AuthorizeAnswer)
        known = answer.id_token_info.status in set(AuthorizationStatus)
        status = AuthorizationStatus(answer.id_token_info.status) if known else AuthorizationStatus.INVALID
        return AuthorizationInfo(status=status), answer.certificate_status or ""

    async def forward(self, schema: str, action: str, exi: str) -> EvCertificateAnswer:
        """Get15118EVCertificate."""
        data = {"iso15118SchemaVersion": schema, "action": action, "exiRequest": exi}
        answer: EvCertificate = await self._call("Get15118EVCertificate", data, EvCertificate)
        return EvCertificateAnswer(answer.status == ACCEPTED, answer.exi_response or "")

    async def ask_status(self, query: OcspQuery) -> str | None:
        """GetCertificateStatus."""
        answer: CertificateStatus = await self._call(
            "GetCertificateStatus", {"ocspRequestData": _ocsp(query)}, CertificateStatus
        )
        return answer.ocsp_result if answer.status == ACCEPTED else None


def _status(outcome: Outcome) -> dict[str, Any]:
    return {"status": outcome.status}


def _hash(data: HashData) -> dict[str, str]:
    return {
        "hashAlgorithm": data.algorithm,
        "issuerNameHash": data.issuer_name_hash,
        "issuerKeyHash": data.issuer_key_hash,
        "serialNumber": data.serial_number,
    }


def _ocsp(query: OcspQuery) -> dict[str, str]:
    return {**_hash(query.data), "responderURL": query.responder}
