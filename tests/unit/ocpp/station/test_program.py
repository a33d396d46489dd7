"""A whole station in one process, where its end is not one that somebody asked for."""

import asyncio

import pytest

from ocpp.station.configuration import load
from ocpp.station.program import Program

STATION = """
[station]
id = "CS001"
[[network]]
url = "ws://127.0.0.1:1/ocpp"
version = "2.0.1"
security_profile = 0
[[evse]]
[[evse.connector]]
[local_api]
listen = "off"
"""


@pytest.mark.parametrize("begun", [False, True], ids=["at its start", "in service"])
async def test_what_the_connection_fails_with_ends_the_program_with_a_word(tmp_path, monkeypatch, begun):
    path, in_service = tmp_path / "station.toml", asyncio.Event()
    path.write_text(STATION)
    program = Program(load(path))

    async def fails() -> None:
        if begun:
            await in_service.wait()
        raise LookupError("a defect of the connection")

    async def at_once() -> None:
        pass

    monkeypatch.setattr(program.charge_point, "run", fails)
    if begun:
        monkeypatch.setattr(program.charge_point, "introduced", at_once)
    with pytest.raises(LookupError, match="a defect of the connection"):
        await program.run(in_service.set)
    assert in_service.is_set() is begun
