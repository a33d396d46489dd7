"""Plug and charge: contracts that EVs present (C07), certificates they ask for (M01, M02), and the status of the
station's own certificates towards EVs (M06).
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ocpp.clock import Clock, Timer
from ocpp.core.admission import Admission
from ocpp.core.authorization import Authorizer
from ocpp.core.certificates import ACCEPTED, Certificates
from ocpp.core.ev_link import EvCertificateAnswer, EvLink
from ocpp.core.evse import Evses
from ocpp.core.identity import EMAID, AuthorizationInfo, IdToken
from ocpp.device_model import DeviceModel
from ocpp.errors import RpcError, SecurityError
from ocpp.security.certificate_folder import Kind
from ocpp.storage.state import StateRepository

if TYPE_CHECKING:
    from cryptography import x509

    from ocpp.security.certificates import HashData

PNC_ENABLED = "ISO15118Ctrlr/PnCEnabled"
MAX_CHAIN = 4
"""Certificates of a contract chain that AuthorizeRequest has room for."""

MAX_CHAIN_LENGTH = 5500
"""Characters of a chain in AuthorizeRequest.certificate."""

MAX_EXI_LENGTH = 5600
"""Characters of an EXI request or response in 2.0.1."""

OCSP_REFRESH = timedelta(days=7)
"""How old a cached status may become (M06.FR.10)."""

OCSP_CHECK_INTERVAL_S = 6 * 3600.0
OCSP_KEY = "ocsp_of_v2g"

INSTALL, UPDATE = "Install", "Update"

log = logging.getLogger(__name__)


class OcspQuery(msgspec.Struct, frozen=True):
    """What somebody needs to ask for the status of a certificate (OCSPRequestDataType)."""

    data: "HashData"
    responder: str


class ContractQuery(msgspec.Struct, frozen=True):
    """What the CSMS is asked about a contract (C07.FR.02, .06): the chain only where it has to validate it."""

    token: IdToken
    hashes: tuple[OcspQuery, ...]
    chain: str | None


class Contracts:
    """Contracts and certificates of EVs. The messages are supplied by the blocks of the version spoken."""

    def __init__(
        self,
        *,
        certificates: Certificates,
        authorizer: Authorizer,
        admission: Admission,
        evses: Evses,
        model: DeviceModel,
        clock: Clock,
        state: StateRepository,
        link: EvLink,
    ) -> None:
        self._certificates = certificates
        self._authorizer = authorizer
        self._admission = admission
        self._evses = evses
        self._clock = clock
        self._state = state
        self._link = link
        self._model = model
        self._enabled = model.boolean(PNC_ENABLED)
        self._central = model.boolean("ISO15118Ctrlr/CentralContractValidationAllowed")
        self._offline = model.boolean("ISO15118Ctrlr/ContractValidationOffline")
        self._installs = model.boolean("ISO15118Ctrlr/ContractCertificateInstallationEnabled")
        self._timer: Timer | None = None
        self._refreshing = False
        self.seen: Callable[[HashData, str], None] = lambda data, emaid: None
        """Hears of every contract that may charge, so that its customer is known (N09)."""
        self.online: Callable[[], bool] = lambda: False
        self.spawn: Callable[[Awaitable[None]], object] = lambda work: None
        self.ask: Callable[[ContractQuery], Awaitable[tuple[AuthorizationInfo, str]]] | None = None
        """Asks the CSMS about a contract; gives what it says of token and certificate. Raises RpcError."""
        self.forward: Callable[[str, str, str], Awaitable[EvCertificateAnswer]] | None = None
        """Hands an EV's request (schema version, action, EXI) to the CSMS. Raises RpcError."""
        self.ask_status: Callable[[OcspQuery], Awaitable[str | None]] | None = None
        """Asks the CSMS for an OCSP response (base64 of DER); None when it has none. Raises RpcError."""

    # -- contracts ------------------------------------------------------------------------------------------------

    async def presented(self, evse_id: int, emaid: str, chain: str) -> bool:
        """An EV presents its contract: leaf first, PEM. Gives whether it may charge, which the EV is told, too."""
        token = IdToken(emaid, EMAID)
        info = await self._authorize(token, chain) if self._enabled.value else None
        accepted = info is not None and info.accepted
        if info is not None and accepted:
            self._note(emaid, chain)
            self._admission.decide(token, info, [self._evses[evse_id]], by_vehicle=True)
            session = self._evses[evse_id].session
            held = session.authorization if session is not None else None
            accepted = held is not None and held.token.matches(token)
        self._link.authorization(evse_id, accepted)
        return accepted

    def _note(self, emaid: str, pem: str) -> None:
        from ocpp.security import certificates

        leaf, *others = certificates.read_chain(pem)
        roots = (each.certificate for each in self._certificates.store.all(Kind.MO_ROOT, Kind.V2G_ROOT))
        issuer = next((each for each in (*others, *roots) if certificates.issued(leaf, each)), None)
        self.seen(certificates.hash_data(leaf, issuer), emaid)

    async def _authorize(self, token: IdToken, pem: str) -> AuthorizationInfo | None:
        from ocpp.security import certificates

        try:
            chain = certificates.read_chain(pem)[:MAX_CHAIN]
            issuers = self._validate(chain)
        except SecurityError as error:
            log.warning("the contract certificate is refused: %s", error)
            return None
        if not self.online() or self.ask is None:
            return self._authorize_offline(token, validated=issuers is not None)
        if issuers is None and not self._central.value:
            log.warning("the root of the contract certificate is not installed, and the CSMS may not be asked")
            return None
        query = ContractQuery(
            token, self._hashes(chain, issuers or chain[1:]), pem[:MAX_CHAIN_LENGTH] if issuers is None else None
        )
        try:
            info, certificate_status = await self.ask(query)
        except RpcError as error:
            log.warning("the CSMS was not able to check the contract (%s): offline rules apply", error)
            return self._authorize_offline(token, validated=issuers is not None)
        if certificate_status not in ("", ACCEPTED):
            log.warning("the CSMS refuses the contract certificate: %s", certificate_status)
            return None
        self._authorizer.remember(token, info)
        return info

    def _validate(self, chain: "list[x509.Certificate]") -> "list[x509.Certificate] | None":
        """The issuers up to an installed root; None when no root fits. SecurityError when the chain itself is bad."""
        from ocpp.security import chains

        now = self._certificates.now()
        roots = [each.certificate for each in self._certificates.store.all(Kind.MO_ROOT, Kind.V2G_ROOT)]
        chains.check_chain(chain, (), now)
        try:
            return chains.check_chain(chain, roots, now)[1:] if roots else None
        except SecurityError as error:
            log.info("no installed root for the contract certificate: %s", error)
            return None

    def _authorize_offline(self, token: IdToken, *, validated: bool) -> AuthorizationInfo | None:
        """C07.FR.07-12."""
        if not self._offline.value or not validated:
            return None
        return self._authorizer.authorize_offline(token)

    @staticmethod
    def _hashes(chain: "list[x509.Certificate]", issuers: "list[x509.Certificate]") -> tuple[OcspQuery, ...]:
        found = []
        for certificate in chain:
            query = _ocsp_query(certificate, issuers)
            if query is not None:
                found.append(query)
        return tuple(found)

    def suspend(self) -> None:
        """No plug and charge until the next start: the CSMS has no certificate towards EVs for us (A02.FR.21)."""
        if self._enabled.value:
            log.warning("plug and charge is off until the next start")
            self._model.set_until_restart(PNC_ENABLED, "false")

    # -- certificates for EVs -------------------------------------------------------------------------------------

    async def certificate_requested(self, evse_id: int, schema: str, action: str, exi: str) -> EvCertificateAnswer:
        """CertificateInstallationReq or CertificateUpdateReq of an EV (M01, M02): the CSMS answers it."""
        answer = EvCertificateAnswer(False)
        if self._installs.value and self.forward is not None and len(exi) <= MAX_EXI_LENGTH:
            try:
                answer = await self.forward(schema, action, exi)
            except RpcError as error:
                log.warning("the EV's request for a certificate was not answered: %s", error)
        self._link.certificate(evse_id, answer)
        return answer

    # -- the station's own certificate towards EVs ----------------------------------------------------------------

    def review(self) -> None:
        """Refresh the cached statuses that are missing or a week old (M06.FR.06-07, .10); and look again later."""
        self.stop()
        self._timer = self._clock.call_later(OCSP_CHECK_INTERVAL_S, self.review)
        if self.online() and not self._refreshing and self._certificates.has_any(Kind.V2G):
            self._refreshing = True
            self.spawn(self._refresh())

    async def _refresh(self) -> None:
        try:
            cached = self._state.get(OCSP_KEY, {})
            kept = {}
            for name, query in self._own_queries().items():
                entry = cached.get(name)
                if entry is None or not self._fresh(entry):
                    entry = await self._status(query)
                if entry is not None:
                    kept[name] = entry
            if kept != cached:
                self._state.put(OCSP_KEY, kept)
        finally:
            self._refreshing = False

    async def _status(self, query: OcspQuery) -> dict[str, str] | None:
        if self.ask_status is None:
            return None
        try:
            response = await self.ask_status(query)
        except RpcError as error:
            log.warning("the status of certificate %s was not told: %s", query.data.serial_number, error)
            return None
        if response is None:
            log.warning("the CSMS has no status for certificate %s", query.data.serial_number)
            return None
        return {"at": self._clock.now().isoformat(), "response": response}

    def _fresh(self, entry: dict[str, str]) -> bool:
        return self._clock.now() - datetime.fromisoformat(entry["at"]) < OCSP_REFRESH

    def _own_queries(self) -> dict[str, OcspQuery]:
        """What to ask, by certificate, for the chain in use."""
        from ocpp.security import certificates

        found: dict[str, OcspQuery] = {}
        usable = self._certificates.store.newest(Kind.V2G, self._certificates.now())
        if usable:
            issuers = [*usable[0].chain, *(each.certificate for each in self._certificates.store.all(Kind.V2G_ROOT))]
            for certificate in usable[0].chain:
                query = _ocsp_query(certificate, issuers)
                if query is not None:
                    found[certificates.fingerprint(certificate)] = query
        return found

    def statuses(self) -> dict[str, str]:
        """The cached OCSP responses (base64 of DER) by fingerprint, for the ISO 15118 controller to staple."""
        return {name: entry["response"] for name, entry in self._state.get(OCSP_KEY, {}).items()}

    def stop(self) -> None:
        """No timers any more."""
        if self._timer is not None:
            self._timer.cancel()


def _ocsp_query(certificate: "x509.Certificate", issuers: "list[x509.Certificate]") -> OcspQuery | None:
    """None for a certificate that names no OCSP responder, or whose issuer is not there."""
    from ocpp.security import certificates

    responder = certificates.ocsp_responder(certificate)
    issuer = next((each for each in issuers if certificates.issued(certificate, each)), None)
    if not responder or issuer is None:
        return None
    return OcspQuery(certificates.hash_data(certificate, issuer), responder)
