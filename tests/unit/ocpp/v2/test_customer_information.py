import pytest

TOKEN = {"idToken": "04A2B3C4D5E6F7", "type": "ISO14443"}


@pytest.mark.req("N09.FR.03", "N10.FR.05")
@pytest.mark.parametrize("clear", [False, True])
async def test_without_the_disk_nothing_is_told_or_forgotten(station, clear):
    wish = {"requestId": 1, "report": True, "clear": clear, "idToken": TOKEN}
    station.database.close()
    answer = await station.csms.call(station.clock, "CustomerInformation", wish)
    assert answer[2]["status"] == "Rejected"
    await station.settle()
    assert station.csms.of("NotifyCustomerInformation") == []
