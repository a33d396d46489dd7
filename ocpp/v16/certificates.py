"""Certificates by the security white paper (A02, A03, M03 to M05)."""

from __future__ import annotations

from collections.abc import Mapping

from ocpp.core.certificates import ACCEPTED, NOT_FOUND
from ocpp.core.context import Context
from ocpp.messages import v16
from ocpp.rpc.endpoint import Handler
from ocpp.security.certificate_folder import Kind

KINDS = {
    "CentralSystemRootCertificate": Kind.CSMS_ROOT,
    "ManufacturerRootCertificate": Kind.MANUFACTURER_ROOT,
}


class Certificates:
    """Root certificates, and the charge point's own one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        context.signing.send = self._send_request
        context.signing.repeats = False  # a repetition without the operator is not recommended (A02 error handling)

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

    async def sign(self) -> None:
        """SignCertificate, because the Central System asks for it (A02)."""
        await self._context.signing.request()

    async def _send_request(self, kind: Kind, request: str) -> bool:
        response: v16.SignCertificateResponse = await self._context.rpc.call(v16.SignCertificateRequest(csr=request))
        return response.status.value == ACCEPTED

    def certificate_signed(self, request: v16.CertificateSignedRequest) -> v16.CertificateSignedResponse:
        """CertificateSigned."""
        outcome = self._context.signing.signed(request.certificate_chain)
        return v16.CertificateSignedResponse(status=v16.CertificateSignedStatusEnum(outcome.status))

    def install_certificate(self, request: v16.InstallCertificateRequest) -> v16.InstallCertificateResponse:
        """InstallCertificate (M05)."""
        outcome = self._context.certificates.install(KINDS[request.certificate_type.value], request.certificate)
        return v16.InstallCertificateResponse(status=v16.InstallCertificateStatusEnum(outcome.status))

    def delete_certificate(self, request: v16.DeleteCertificateRequest) -> v16.DeleteCertificateResponse:
        """DeleteCertificate (M04)."""
        from ocpp.security.certificates import HashData

        data = request.certificate_hash_data
        wanted = HashData(data.hash_algorithm.value, data.issuer_name_hash, data.issuer_key_hash, data.serial_number)
        outcome = self._context.certificates.delete(wanted)
        return v16.DeleteCertificateResponse(status=v16.DeleteCertificateStatusEnum(outcome.status))

    def get_installed_certificate_ids(
        self, request: v16.GetInstalledCertificateIdsRequest
    ) -> v16.GetInstalledCertificateIdsResponse:
        """GetInstalledCertificateIds (M03)."""
        found = [each.data for each in self._context.certificates.installed(KINDS[request.certificate_type.value])]
        return v16.GetInstalledCertificateIdsResponse(
            status=v16.GetInstalledCertificateStatusEnum(ACCEPTED if found else NOT_FOUND),
            certificate_hash_data=[
                v16.CertificateHashData(
                    hash_algorithm=v16.HashAlgorithmEnum(each.algorithm),
                    issuer_name_hash=each.issuer_name_hash,
                    issuer_key_hash=each.issuer_key_hash,
                    serial_number=each.serial_number,
                )
                for each in found
            ]
            or None,
        )
