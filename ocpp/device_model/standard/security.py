"""SecurityCtrlr (Part 2, section Security related)."""

from ocpp.device_model.definition import DataType, Definition, Mutability
from ocpp.device_model.standard.rows import RO, RW, boolean, integer, seconds, text

MAX_CERTIFICATES = 100
"""Certificates the station keeps, of all kinds together."""

TABLE = {
    "SecurityCtrlr/BasicAuthPassword": Definition(
        data_type=DataType.STRING, mutability=Mutability.WRITE_ONLY, low=16, high=40, persistent=False
    ),
    "SecurityCtrlr/Identity": text("", RO, high=48, persistent=False),
    "SecurityCtrlr/OrganizationName": text("", RW, high=64),
    "SecurityCtrlr/CertificateEntries": integer(0, RO, persistent=False, high=MAX_CERTIFICATES),
    "SecurityCtrlr/SecurityProfile": integer(0, RO, high=3),
    "SecurityCtrlr/AdditionalRootCertificateCheck": boolean(False, RO),
    "SecurityCtrlr/AllowSecurityProfileDowngrade": boolean(False, RO),
    "SecurityCtrlr/AllowCSMSTLSWildcards": boolean(False),
    "SecurityCtrlr/MaxCertificateChainSize": integer(10000, RO, constant=True, high=10000),
    "SecurityCtrlr/CertSigningWaitMinimum": seconds(30),
    "SecurityCtrlr/CertSigningRepeatTimes": integer(2, high=100),
}
