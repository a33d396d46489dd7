"""ISO15118Ctrlr (Part 2, section ISO 15118 related)."""

from ocpp.device_model.standard.rows import RO, boolean, text

TABLE = {
    "ISO15118Ctrlr/Available": boolean(False, RO, persistent=False),
    "ISO15118Ctrlr/Enabled": boolean(True),
    "ISO15118Ctrlr/PnCEnabled": boolean(True),
    "ISO15118Ctrlr/CentralContractValidationAllowed": boolean(False),
    "ISO15118Ctrlr/ContractValidationOffline": boolean(True),
    "ISO15118Ctrlr/V2GCertificateInstallationEnabled": boolean(True),
    "ISO15118Ctrlr/ContractCertificateInstallationEnabled": boolean(True),
    "ISO15118Ctrlr/RequestMeteringReceipt": boolean(False, RO),
    "ISO15118Ctrlr/SeccId": text("", high=50),
    "ISO15118Ctrlr/CountryName": text("", high=2),
    "ISO15118Ctrlr/OrganizationName": text("", high=50),
}
