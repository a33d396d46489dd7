"""Transactions (block E): messages that the CSMS fails to process."""

from itertools import pairwise

import pytest
from support.conformance import Refusal

TIMEOUT_S = 1


@pytest.fixture
def gaps(csms, visit):
    """How long after each other the first event of a transaction is sent, and never again."""

    def measure(configured: int, sent: int) -> list[float]:
        retries = {
            "OCPPCommCtrlr/MessageAttempts[TransactionEvent]": configured,
            "OCPPCommCtrlr/MessageAttemptInterval[TransactionEvent]": 1,
        }
        driver = visit(variables=retries, network=f"security_profile = 0\nmessage_timeout_s = {TIMEOUT_S}")
        driver.authorize()
        driver.station.plug(requests_energy=False)
        for _ in range(sent):
            csms.expect("TransactionEvent", seqNo=0)
        csms.nothing("BootNotification", within=sent + TIMEOUT_S + 0.5)
        times = [call.at for call in csms.calls if call.fits("TransactionEvent", {"seqNo": 0})]
        assert len(times) == sent
        return [later - earlier for earlier, later in pairwise(times)]

    return measure


def about(*seconds: float):
    return pytest.approx(list(seconds), abs=0.6)


@pytest.mark.tc("TC_E_41_CS")
@pytest.mark.req("E13.FR.01", "E13.FR.02", "E13.FR.03", "E13.FR.04")
def test_tc_e_41_no_answer(csms, gaps):
    csms.silent = {"TransactionEvent"}
    assert gaps(3, 3) == about(1 + TIMEOUT_S, 2 + TIMEOUT_S)


@pytest.mark.tc("TC_E_42_CS")
@pytest.mark.req("E13.FR.01", "E13.FR.02", "E13.FR.03")
def test_tc_e_42_the_second_attempt_is_answered(csms, gaps):
    csms.answer("TransactionEvent", None)
    assert gaps(3, 2) == about(1 + TIMEOUT_S)


@pytest.mark.tc("TC_E_50_CS")
@pytest.mark.req("E13.FR.01", "E13.FR.02", "E13.FR.03", "E13.FR.04")
def test_tc_e_50_an_error_each_time(csms, gaps):
    csms.always("TransactionEvent", Refusal("InternalError"))
    assert gaps(3, 3) == about(1, 2)


@pytest.mark.tc("TC_E_51_CS")
@pytest.mark.req("E13.FR.01", "E13.FR.02", "E13.FR.03")
def test_tc_e_51_an_error_the_first_time(csms, gaps):
    csms.answer("TransactionEvent", Refusal("InternalError"))
    assert gaps(3, 2) == about(1)
