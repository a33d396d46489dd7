"""The keeper of safe outputs: a real process beside a real station process that dies in every way."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from support.waiting import DEADLINE_S, until

from hal.keeper import Keeper, Plan, SafeFile, make_safe

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

STATION = textwrap.dedent(
    """
    import sys, time
    from hal.keeper import Keeper, SafeFile

    keeper = Keeper((SafeFile(sys.argv[1], "safe"),))
    keeper.start()
    keeper.pulse()
    print(keeper._process.pid, flush=True)
    while True:
        keeper.pulse()
        time.sleep(0.01)
    """
)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def ignores(pid: int, number: int) -> bool:
    with open(f"/proc/{pid}/status") as status:
        mask = next(line.split()[1] for line in status if line.startswith("SigIgn:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.fixture
def output(tmp_path):
    path = tmp_path / "output"
    path.write_text("danger")
    return path


@pytest.fixture
def station(output):
    """A station process with its keeper's process id."""
    command = [sys.executable, "-c", STATION, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.keeper = int(process.stdout.readline())
        yield process
        process.kill()
    until(lambda: not alive(process.keeper))


def test_a_station_that_is_killed_leaves_its_outputs_safe(station, output):
    station.kill()
    until(lambda: output.read_text() == "safe")
    until(lambda: not alive(station.keeper))


def test_a_station_that_hangs_is_killed(station, output):
    os.kill(station.pid, signal.SIGSTOP)
    until(lambda: output.read_text() == "safe")
    assert station.wait(DEADLINE_S) == -signal.SIGKILL


def test_the_keeper_does_not_go_before_the_station(station, output):
    until(lambda: all(ignores(station.keeper, number) for number in STOPPING))
    for number in STOPPING:
        os.kill(station.keeper, number)
    assert alive(station.keeper)
    station.kill()
    until(lambda: output.read_text() == "safe")


def test_after_an_orderly_end_nothing_is_touched(output):
    keeper = Keeper((SafeFile(str(output), "safe"),))
    keeper.start()
    keeper.pulse()
    keeper.stop(safe=True)
    assert output.read_text() == "danger"


def test_a_part_that_could_not_be_made_safe_is_left_to_the_keeper(output):
    keeper = Keeper((SafeFile(str(output), "safe"),))
    keeper.start()
    keeper.pulse()
    keeper.stop(safe=False)
    assert output.read_text() == "safe"


def test_a_keeper_that_is_lost_is_noticed_and_can_be_started_again(output):
    keeper = Keeper((SafeFile(str(output), "safe"),))
    keeper.start()
    keeper._process.kill()
    until(lambda: keeper.pulse() or keeper.lost)
    assert "keeper" in keeper.check(0.0)
    keeper.start()
    keeper.pulse()
    assert keeper.check(0.0) == ""
    keeper.stop(safe=True)


def test_one_output_that_fails_does_not_stop_the_others(output, tmp_path):
    said: list[str] = []
    ticks = iter([0.0, 9.0])
    plan = Plan((SafeFile(str(tmp_path / "missing"), "0"), SafeFile(str(output), "safe")))
    assert not make_safe(plan, said.append, lambda: next(ticks))
    assert output.read_text() == "safe"
    assert len(said) == 1
    assert "missing" in said[0]
