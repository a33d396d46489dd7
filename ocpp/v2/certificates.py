"""Certificates: the station's own (A02, A03) and those it measures others by (M03, M04, M05)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ocpp.core.certificates import ACCEPTED, NOT_FOUND, Installed, Outcome
from ocpp.core.context import Context
from ocpp.messages import v2
from ocpp.rpc.endpoint import Handler
from ocpp.security.certificate_folder import Kind

if TYPE_CHECKING:
    from ocpp.security.certificates import HashData

ROOTS = {
    "CSMSRootCertificate": Kind.CSMS_ROOT,
    "ManufacturerRootCertificate": Kind.MANUFACTURER_ROOT,
    "MORootCertificate": Kind.MO_ROOT,
    "V2GRootCertificate": Kind.V2G_ROOT,
    "OEMRootCertificate": Kind.OEM_ROOT,
}

LISTED = {**ROOTS, "V2GCertificateChain": Kind.V2G}

ALSO_LISTED = {"CSMSRootCertificate": (Kind.CSMS_FALLBACK,)}
"""The root before is one for as long as it is kept (M05.FR.12)."""

SIGNED = {"ChargingStationCertificate": Kind.STATION, "V2GCertificate": Kind.V2G}

MAX_INFO_LENGTH = 500


class Certificates:
    """The certificate parts of functional blocks A and M."""

    def __init__(self, context: Context) -> None:
        self._context = context
        context.signing.send = self._send_request
        context.signing.lingers = False

    @property
    def actions(self) -> Mapping[str, Handler]:
        """See `Block.actions`."""
        return {
            "CertificateSigned": self.certificate_signed,
            "InstallCertificate": self.install_certificate,
            "DeleteCertificate": self.delete_certificate,
            "GetInstalledCertificateIds": self.get_installed_certificate_ids,
        }

    def callbacks_complete(self) -> None:
        """See `Block.callbacks_complete`."""
        self._context.signals.accepted.listen(self._context.signing.review)

    async def sign(self, *kinds: Kind) -> None:
        """SignCertificate, because the CSMS asks for it (A02)."""
        for kind in kinds:
            await self._context.signing.request(kind)

    async def _send_request(self, kind: Kind, request: str) -> bool:
        certificate_type = next(name for name, each in SIGNED.items() if each is kind)
        response: v2.SignCertificateResponse = await self._context.rpc.call(
            v2.SignCertificateRequest(csr=request, certificate_type=v2.CertificateSigningUseEnum(certificate_type))
        )
        return response.status.value == ACCEPTED

    def certificate_signed(self, request: v2.CertificateSignedRequest) -> v2.CertificateSignedResponse:
        """CertificateSigned."""
        kind = Kind.STATION
        if request.certificate_type is not None:
            kind = SIGNED.get(request.certificate_type.value, Kind.V2G)
        outcome = self._context.signing.signed(request.certificate_chain, kind)
        return v2.CertificateSignedResponse(
            status=v2.CertificateSignedStatusEnum(outcome.status), status_info=_info(outcome)
        )

    def install_certificate(self, request: v2.InstallCertificateRequest) -> v2.InstallCertificateResponse:
        """M05."""
        outcome = self._context.certificates.install(ROOTS[request.certificate_type.value], request.certificate)
        return v2.InstallCertificateResponse(
            status=v2.InstallCertificateStatusEnum(outcome.status), status_info=_info(outcome)
        )

    def delete_certificate(self, request: v2.DeleteCertificateRequest) -> v2.DeleteCertificateResponse:
        """M04."""
        from ocpp.security.certificates import HashData

        data = request.certificate_hash_data
        wanted = HashData(data.hash_algorithm.value, data.issuer_name_hash, data.issuer_key_hash, data.serial_number)
        outcome = self._context.certificates.delete(wanted)
        return v2.DeleteCertificateResponse(
            status=v2.DeleteCertificateStatusEnum(outcome.status), status_info=_info(outcome)
        )

    def get_installed_certificate_ids(
        self, request: v2.GetInstalledCertificateIdsRequest
    ) -> v2.GetInstalledCertificateIdsResponse:
        """M03: without a type, everything."""
        wanted = [each.value for each in request.certificate_type or ()] or list(LISTED)
        kinds = [kind for name in wanted for kind in (LISTED[name], *ALSO_LISTED.get(name, ()))]
        found = list(self._context.certificates.installed(*kinds))
        return v2.GetInstalledCertificateIdsResponse(
            status=v2.GetInstalledCertificateStatusEnum(ACCEPTED if found else NOT_FOUND),
            certificate_hash_data_chain=[_chain(each) for each in found] or None,
        )


def _chain(installed: Installed) -> v2.CertificateHashDataChain:
    name = next(
        name for name, kind in LISTED.items() if installed.kind is kind or installed.kind in ALSO_LISTED.get(name, ())
    )
    return v2.CertificateHashDataChain(
        certificate_type=v2.GetCertificateIdUseEnum(name),
        certificate_hash_data=_hash(installed.data),
        child_certificate_hash_data=[_hash(each) for each in installed.children] or None,
    )


def _hash(data: HashData) -> v2.CertificateHashData:
    return v2.CertificateHashData(
        hash_algorithm=v2.HashAlgorithmEnum(data.algorithm),
        issuer_name_hash=data.issuer_name_hash,
        issuer_key_hash=data.issuer_key_hash,
        serial_number=data.serial_number,
    )


def _info(outcome: Outcome) -> v2.StatusInfo | None:
    if not outcome.reason:
        return None
    return v2.StatusInfo(reason_code=outcome.reason, additional_info=outcome.text[:MAX_INFO_LENGTH] or None)
