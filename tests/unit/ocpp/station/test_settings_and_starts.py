"""Whatever a technician sets by the local API, read-only variables and all of them at once: the program starts again."""

import json

import pytest

from ocpp.station.configuration import load
from ocpp.station.local_api.routes import Routes
from ocpp.station.local_api.server import Request
from ocpp.station.program import Program

STATION = """
[station]
id = "CS001"
[[network]]
url = "ws://127.0.0.1:9/ocpp"
version = "{version}"
security_profile = 0
[[evse]]
[[evse.connector]]
[local_api]
listen = "off"
"""

VALUES = [
    "", " ", "0", "-1", "1", "2", "3", "1.5", "2147483647", "-2147483648", "99999999999999999999", "1e308", "NaN", "inf", "true",
    "false", "x" * 500, "x" * 2500, "é", "\u0000", "a,b,c", ",,,", "../../etc/passwd", "ws://[", "http://csms/#a", "%s%n",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2,3", "3,2,1",
]  # fmt: skip


@pytest.fixture(params=["1.6", "2.0.1", "2.1"])
def configuration(request, tmp_path):
    file = tmp_path / "station.toml"
    file.write_text(STATION.format(version=request.param))
    return load(file)


async def life(configuration, during=None):
    """From the start to a station that is whole, and to its end."""
    program = Program(configuration)
    try:
        program.charge_point.complete()
        program.parts.start()
        program.charge_point.start(program.parts.plugged)
        program.view.status()
        assert program.profiles()
        return await during(program) if during is not None else None
    finally:
        await program.charge_point.stop()
        program.parts.stop()
        program.database.close()
        program._directory.release()


async def names(program):
    return [str(each) for each in program.model.entries()] + [f"keys/{each.name}" for each in program.keys]


async def test_whatever_a_technician_sets_the_program_starts_again(configuration):
    known = await life(configuration, names)
    assert len(known) > 100
    taken = 0
    for value in VALUES:

        async def put(program, value=value):
            routes, accepted = Routes(program), 0
            for name in known:
                answer = await routes.dispatch(
                    Request("POST", "/api/variables", {}, json.dumps({name: value}).encode())
                )
                assert answer.status in (200, 400, 404), (name, value, answer.body)
                accepted += answer.status == 200
            return accepted

        taken += await life(configuration, put)
        await life(configuration)

        async def put_back(program):
            for name in known:
                await Routes(program).dispatch(Request("POST", "/api/variables", {}, json.dumps({name: None}).encode()))

        await life(configuration, put_back)
    assert taken > 100
