import pytest

from cross.running import NotFetched, StepFailed, fetch, run


def test_a_program_that_fails_says_what_it_said_last():
    with pytest.raises(StepFailed, match="ended with 3:\nno such chip"):
        run(["sh", "-c", "echo no such chip; exit 3"])
    assert run(["echo", "fine"]) == "fine\n"


def test_what_could_not_be_fetched_is_told_from_what_is_wrong():
    with pytest.raises(NotFetched, match="unreachable"):
        fetch(["sh", "-c", "echo unreachable; exit 100"])
    with pytest.raises(NotFetched):
        fetch(["/nowhere/at/all"])
