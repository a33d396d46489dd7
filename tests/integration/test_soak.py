"""Days of service on a driven clock; `make soak` runs a month of it."""

import logging
from itertools import pairwise

import pytest
from support.file_server import file_server
from support.soak import MOST_OBJECTS_MORE, Soak

from ocpp.versions import OcppVersion


@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201], ids=str)
async def test_days_leave_nothing_behind_and_every_transaction_is_booked_once(tmp_path, version, caplog):
    """With an outage and a firmware update on the second day, and a power cut on the third."""
    caplog.set_level(logging.CRITICAL + 1)  # what pytest keeps of the log would count as what the station keeps
    with file_server() as server:
        soak = Soak(tmp_path, version, server, outage_every=2, cut_every=3, update_every=3)
        days = await soak.run(4)
    assert soak.faults(days) == []
    assert (soak.sessions, soak.outages, soak.cuts, soak.installer.installed) == (64, 10, 1, 1)
    assert all(after.objects < before.objects + MOST_OBJECTS_MORE for before, after in pairwise(days)), days
