"""Where the holder of a master pass chooses what it stops (C16)."""

import pytest

from ocpp.core.master_pass import CHOICE_S

MASTER_CARD = "04000000000001"
MASTER = {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "SERVICE", "type": "Central"}}}


@pytest.fixture
async def asked(make_station):
    """A station that charges at both EVSEs and waits for a choice."""
    station = await make_station(evses=2, variables={"AuthCtrlr/MasterPassGroupId": "SERVICE"})
    station.charge_point.strategy.charging.admission.master_pass.chooses = True
    await station.charge(1)
    await station.plug(2)
    await station.present("04FFEEDDCCBBAA", (2,))
    station.csms.script("Authorize", MASTER)
    await station.present(MASTER_CARD)
    assert station.charge_point.master_pass_waits
    return station


def ended(station):
    return [event["evse"]["id"] for event in station.events if event["eventType"] == "Ended"]


@pytest.mark.req("C16.FR.01")
async def test_only_what_is_chosen_ends(asked):
    with pytest.raises(LookupError):
        asked.charge_point.master_pass_chosen((3,))
    asked.charge_point.master_pass_chosen((2,))
    await asked.settle()
    assert ended(asked) == [2]
    assert not asked.charge_point.master_pass_waits


async def test_nothing_can_be_chosen_without_a_master_pass(asked):
    asked.charge_point.master_pass_chosen((2,))
    with pytest.raises(ValueError, match="no master pass"):
        asked.charge_point.master_pass_chosen((1,))


async def test_the_question_is_withdrawn_after_a_while(asked):
    await asked.clock.advance(CHOICE_S + 1)
    assert not asked.charge_point.master_pass_waits
    assert ended(asked) == []


async def test_a_second_presentation_asks_again(asked):
    await asked.clock.advance(CHOICE_S - 1)
    asked.csms.script("Authorize", MASTER)
    await asked.present(MASTER_CARD)
    await asked.clock.advance(CHOICE_S - 1)
    assert asked.charge_point.master_pass_waits
