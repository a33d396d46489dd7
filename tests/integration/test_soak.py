"""Days of service on a driven clock; `make soak` runs a month of it."""

import logging
from itertools import pairwise

import pytest
from support.file_server import file_server
from support.soak import MOST_MIB_MORE, MOST_OBJECTS_MORE, Soak, refuse

from ocpp.versions import OcppVersion


@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201], ids=str)
async def test_days_leave_nothing_behind_and_every_transaction_is_booked_once(tmp_path, version, caplog):
    """With an outage and a firmware update on the second day, and a power cut on the third."""
    caplog.set_level(logging.CRITICAL + 1)  # what pytest keeps of the log would count as what the station keeps
    with file_server() as server:
        soak = Soak(tmp_path, version, server, outage_every=2, cut_every=3, update_every=3)
        days = await soak.run(4)
    assert soak.faults(days) == []
    assert soak.mistakes > 3000
    assert (soak.sessions, soak.outages, soak.cuts, soak.installer.installed) == (64, 10, 1, 1)
    assert all(after.objects < before.objects + MOST_OBJECTS_MORE for before, after in pairwise(days)), days


@pytest.mark.parametrize("version", list(OcppVersion), ids=str)
def test_refused_frames_leave_nothing_behind(version, caplog):
    caplog.set_level(logging.CRITICAL + 1)
    count, gained = refuse(version, 1500)
    assert count > 28_000
    assert gained < MOST_MIB_MORE / 2
