"""Tokens that the messages of the version spoken cannot carry whole are refused: cut, two cards would be one driver."""

import pytest
from support.station import StationUnderTest

from ocpp.charge_point import IdToken, Indication
from ocpp.v16.core.transactions import _id_tag
from ocpp.versions import OcppVersion

LONGEST = {OcppVersion.V16: 20, OcppVersion.V201: 36, OcppVersion.V21: 255}


@pytest.fixture
async def make_station(tmp_path):
    made = []

    async def make(version, **options):
        made.append(StationUnderTest(tmp_path, version, **options))
        return await made[-1].start()

    yield make
    for station in made:
        await station.stop()


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
@pytest.mark.req("1.6-4.1", "C01.FR.25")
async def test_a_card_that_is_too_long_is_refused_with_a_message_and_nobody_is_asked(make_station, version, caplog):
    station = await make_station(version)
    await station.plug()
    longest = LONGEST[version]
    await station.present("A" * longest + "1")
    assert not station.csms.of("Authorize")
    assert (1, Indication.REFUSED) in station.hardware.indications
    assert f"it has {longest + 1} characters, and the CSMS can be told {longest} of them at most" in caplog.text
    await station.present("A" * longest)
    (asked,) = station.csms.of("Authorize")
    assert (asked["idTag"] if version is OcppVersion.V16 else asked["idToken"]["idToken"]) == "A" * longest
    assert 1 in station.hardware.allowed


@pytest.mark.req("1.6-4.1")
async def test_two_cards_that_differ_beyond_twenty_characters_are_not_one_driver(make_station):
    station = await make_station(OcppVersion.V16)
    await station.plug()
    await station.present("A" * 20)
    await station.draw()
    await station.present("A" * 20 + "X")
    assert not station.csms.of("StopTransaction")
    assert station.charge_point.evses[1].session.transaction is not None


async def test_offline_a_2x_station_takes_what_every_2x_csms_can_be_told(make_station):
    station = await make_station(
        OcppVersion.V21,
        variables={"AuthCtrlr/OfflineTxForUnknownIdEnabled": "true", "TxCtrlr/TxStartPoint": "Authorized"},
    )
    await station.disconnect()
    await station.present("B" * 37)
    assert not station.charge_point.evses[1].session
    await station.present("B" * 36)
    await station.plug()
    assert 1 in station.hardware.allowed


def test_a_stop_transaction_leaves_out_what_it_cannot_tell_whole(caplog):
    assert _id_tag(IdToken("C" * 20)) == "C" * 20
    assert _id_tag(IdToken("C" * 21)) is None
    assert "more than 20 characters" in caplog.text
