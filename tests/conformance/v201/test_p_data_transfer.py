"""Data transfer (block P)."""

import pytest


@pytest.mark.tc("TC_P_01_CS")
@pytest.mark.req("P01.FR.05")
def test_tc_p_01_an_unknown_vendor_is_told(csms, station):
    answer = csms.call("DataTransfer", {"vendorId": "org.openchargealliance.testnobody"})
    assert answer["status"] == "UnknownVendorId"
