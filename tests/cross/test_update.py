"""Upgrade and return, carried out in a folder that stands for a board's root."""

import hashlib
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.bundles import make_bundle, make_key, quick_call, release_that_runs

from cross.update import releases, request, trial
from cross.update.bundle import parse
from cross.update.command import main
from cross.update.layout import Layout, Trial, UnfitError, UpdateError
from cross.update.releases import install

ACCEPTED = {"boot_status": "Accepted"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Board:
    """A folder with the updater's commands carried out in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private, self.public = make_key(folder)
        self.layout = Layout(folder / "root")
        self.restarts = 0

    def bundle(self, version: str, *, broken: bool = False) -> Path:
        return make_bundle(self.folder, version, key=self.private, broken=broken)

    def command(self, *words: str | Path) -> int:
        return main(["--root", str(self.layout.root), *map(str, words)])

    def watch(self, *answers: dict[str, str] | None) -> str:
        """Watch the trial while the station answers so, the last answer for ever."""
        left = list(answers)

        def status(layout: Layout) -> dict[str, str] | None:
            return left.pop(0) if len(left) > 1 else left[0]

        def restart() -> None:
            self.restarts += 1

        return trial.watch(self.layout, restart=restart, status=status, clock=Clock())

    @property
    def runs(self) -> str:
        return release_that_runs(self.layout.home)

    @property
    def trial(self) -> Trial:
        found = self.layout.load_trial()
        assert found is not None
        return found


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setattr(releases, "_call", quick_call)
    board = Board(tmp_path)
    assert board.command("setup", board.bundle("1.0"), "--key", board.public) == 0
    return board


class TestASetup:
    def test_installs_the_release_and_what_belongs_to_the_system(self, board: Board) -> None:
        assert board.runs == "1.0"
        assert {each.name for each in board.layout.units.iterdir()} == {
            "pilotwire.service",
            "pilotwire-trial.service",
            "pilotwire-update.path",
            "pilotwire-update.service",
        }
        assert (board.layout.rules / "99-pilotwire.rules").exists()
        assert "CHANGE-ME" in board.layout.station_file.read_text()
        assert board.trial.outcome == "good"  # there is nothing to return to

    def test_needs_nothing_but_python_and_the_bundle(self, tmp_path: Path) -> None:
        board = Board(tmp_path)
        bundle = make_bundle(tmp_path, "1.0", key=board.private, real=True)
        assert board.command("setup", bundle, "--key", board.public) == 0
        assert board.runs == "1.0"

    def test_leaves_an_updater_that_runs_by_itself(self, board: Board) -> None:
        command = [sys.executable, "-I", board.layout.updater, "--root", board.layout.root, "status"]
        assert "current   1.0-" in subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def test_is_refused_where_a_release_runs_already(self, board: Board) -> None:
        assert board.command("setup", board.bundle("1.1"), "--key", board.public) == 1


class TestAnUpgrade:
    def test_that_reaches_its_csms_stays(self, board: Board) -> None:
        assert board.command("install", board.bundle("2.0")) == 0
        trial.guard(board.layout)
        assert board.watch(None, {"boot_status": "Pending"}, ACCEPTED) == "good"
        assert (board.runs, board.restarts) == ("2.0", 0)
        assert trial.confirm(board.layout, clock=Clock())

    def test_stays_where_the_systems_files_cannot_be_renewed(
        self, board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        board.command("install", board.bundle("2.0"))

        def read_only(layout: Layout, release: Path) -> None:
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(releases, "put_system_files", read_only)
        assert board.watch(ACCEPTED) == "good"
        assert board.runs == "2.0"
        assert "Read-only file system" in capsys.readouterr().out

    def test_that_never_answers_is_taken_back_after_its_time(self, board: Board) -> None:
        board.command("install", board.bundle("2.0"))
        assert board.watch(None) == "failed"
        assert (board.runs, board.restarts) == ("1.0", 1)
        assert board.trial.reason == "after 600 s its local API did not answer"
        assert not trial.confirm(board.layout, clock=Clock())

    def test_that_is_not_accepted_is_taken_back_after_its_time(self, board: Board) -> None:
        board.command("install", board.bundle("2.0"))
        assert board.watch({"boot_status": "Rejected"}) == "failed"
        assert board.runs == "1.0"
        assert board.trial.reason == "after 600 s its BootNotification is Rejected"

    def test_that_crashes_at_every_start_is_taken_back_by_the_start_after_the_last(self, board: Board) -> None:
        board.command("install", board.bundle("2.0"))
        for _ in range(trial.MAX_STARTS):
            assert board.command("guard") == 0
            assert board.runs == "2.0"
        assert board.command("guard") == 0
        assert board.runs == "1.0"
        assert "did not live" in board.trial.reason

    def test_taken_back_does_not_come_again_by_itself(self, board: Board) -> None:
        board.command("install", board.bundle("2.0"))
        board.watch(None)
        for _ in range(2 * trial.MAX_STARTS):
            board.command("guard")
        assert board.runs == "1.0"

    def test_that_does_not_take_the_station_file_is_not_switched_to(self, board: Board) -> None:
        assert board.command("install", board.bundle("2.0", broken=True)) == 1
        assert board.runs == "1.0"
        assert [each.name[:3] for each in board.layout.releases.iterdir()] == ["1.0"]

    def test_keeps_one_previous_release_and_no_more(self, board: Board) -> None:
        for version in ("2.0", "3.0"):
            board.command("install", board.bundle(version))
            board.watch(ACCEPTED)
        assert sorted(each.name[:3] for each in board.layout.releases.iterdir()) == ["2.0", "3.0"]

    def test_can_be_taken_back_by_hand(self, board: Board) -> None:
        board.command("install", board.bundle("2.0"))
        board.watch(ACCEPTED)
        assert board.command("rollback") == 0
        assert board.runs == "1.0"
        assert board.command("rollback") == 1

    def test_whose_switch_a_power_cut_prevented_counts_as_failed(self, board: Board) -> None:
        board.layout.save_trial(Trial("2.0-lost", board.layout.name_of(board.layout.current)))
        trial.guard(board.layout)
        assert (board.runs, board.trial.outcome) == ("1.0", "failed")


class TestADowngrade:
    """An old bundle has the right signature for ever."""

    @pytest.fixture(autouse=True)
    def upgraded(self, board: Board) -> None:
        assert board.command("install", board.bundle("2.0")) == 0
        assert board.watch(ACCEPTED) == "good"

    def test_is_refused_before_anything_is_written(
        self, board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("cross.update.bundle._write", lambda *_: pytest.fail("it was unpacked"))
        assert board.command("install", board.bundle("1.5")) == request.EXIT_UNFIT
        assert "1.5 is older than 2.0, which runs" in capsys.readouterr().err
        assert (board.runs, board.trial.release[:3], board.trial.outcome) == ("2.0", "2.0", "good")

    def test_that_somebody_at_the_board_asks_for_is_tried_like_any_other_release(self, board: Board) -> None:
        assert board.command("install", "--allow-downgrade", board.bundle("1.5")) == 0
        assert board.runs == "1.5"
        assert board.watch(None) == "failed"
        assert board.runs == "2.0"

    def test_to_a_release_candidate_of_what_runs_is_one_too(self, board: Board) -> None:
        assert board.command("install", board.bundle("2.0rc1")) == request.EXIT_UNFIT
        assert board.command("install", board.bundle("2.0.post1")) == 0

    def test_is_not_what_returning_to_the_release_that_is_kept_is(self, board: Board) -> None:
        assert board.command("rollback") == 0
        assert board.runs == "1.0"
        assert board.command("install", board.bundle("1.5")) == 0  # newer than what runs now
        assert board.runs == "1.5"

    def test_to_the_release_that_is_kept_does_not_touch_it(
        self, board: Board, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = board.folder / "pilotwire-1.0-"
        (bundle,) = board.folder.glob(f"{kept.name}*.tar.zst")
        assert board.command("install", "--allow-downgrade", bundle) == request.EXIT_UNFIT
        assert "return to it with rollback" in capsys.readouterr().err
        assert board.command("rollback") == 0
        assert board.runs == "1.0"

    def test_over_ocpp_is_answered_with_the_status_for_an_unfit_image(self, board: Board) -> None:
        board.layout.spool.mkdir(parents=True)
        shutil.copy(board.bundle("1.5"), board.layout.spool / request.BUNDLE)
        (board.layout.spool / request.REQUEST).write_text('{"token": "x", "allow_downgrade": true}')
        assert request.serve(board.layout, key=lambda: board.layout.key, say=lambda text: None) == request.EXIT_UNFIT
        assert board.runs == "2.0"


class TestARequestOfTheStation:
    def serve_when_asked(self, board: Board) -> threading.Thread:
        def serve() -> None:
            waiting = threading.Event()
            for _ in range(400):
                if (board.layout.spool / request.REQUEST).exists():
                    request.serve(board.layout, key=lambda: board.layout.key, say=lambda text: None)
                    return
                waiting.wait(0.05)

        thread = threading.Thread(target=serve)
        thread.start()
        return thread

    def ask(self, board: Board, bundle: Path) -> tuple[int, str]:
        server = self.serve_when_asked(board)
        try:
            return request.ask(board.layout, bundle, limit_s=60)
        finally:
            server.join()

    def test_is_answered_with_the_status_for_a_restart(self, board: Board) -> None:
        status, text = self.ask(board, board.bundle("2.0"))
        assert status == request.EXIT_RESTART, text
        assert board.runs == "2.0"
        assert not list(board.layout.spool.iterdir())

    def test_with_a_bundle_of_somebody_else_is_answered_with_the_status_for_that(self, board: Board) -> None:
        private, _ = make_key(board.folder, "other")
        status, text = self.ask(board, make_bundle(board.folder, "2.0", key=private))
        assert (status, text) == (request.EXIT_UNFIT, "the bundle is not signed with this board's key")
        assert board.runs == "1.0"

    def test_for_what_runs_already_is_no_failure(self, board: Board) -> None:
        bundle = board.bundle("2.0")
        assert self.ask(board, bundle)[0] == request.EXIT_RESTART
        # The power fails before the station has noted that; it asks again, and the trial still has to be told from success.
        assert self.ask(board, bundle)[0] == request.EXIT_RESTART
        board.watch(ACCEPTED)
        assert self.ask(board, bundle) == (request.EXIT_ACTIVE, f"{board.trial.release} runs already")

    def test_that_is_a_link_to_a_file_of_roots_is_not_followed(self, board: Board) -> None:
        board.layout.spool.mkdir(parents=True)
        (board.layout.spool / request.REQUEST).write_text('{"token": "x"}')
        (board.layout.spool / request.BUNDLE).symlink_to(board.layout.station_file)
        assert request.serve(board.layout, key=lambda: None, say=lambda text: None) == request.EXIT_FAILED
        assert not (board.layout.spool / request.REQUEST).exists()

    def test_for_an_image_that_is_not_what_its_name_says_is_unfit(self, board: Board) -> None:
        bundle = board.bundle("2.0")
        named = board.folder / f"{hashlib.sha256(b'what was verified').hexdigest()}.bin"
        shutil.copy(bundle, named)
        status, text = request.ask(board.layout, named, clock=Clock(), limit_s=10)
        assert (status, "not what its name says" in text) == (request.EXIT_UNFIT, True)
        assert not list(board.layout.spool.iterdir())
        good = board.folder / f"{hashlib.sha256(bundle.read_bytes()).hexdigest()}.bin"
        shutil.copy(bundle, good)
        assert self.ask(board, good)[0] == request.EXIT_RESTART

    def test_whose_bundle_was_exchanged_is_unfit_although_it_is_signed(self, board: Board) -> None:
        board.layout.spool.mkdir(parents=True)
        shutil.copy(board.bundle("2.0"), board.layout.spool / request.BUNDLE)
        wanted = hashlib.sha256(b"another one").hexdigest()
        (board.layout.spool / request.REQUEST).write_text(json.dumps({"token": "x", "sha256": wanted}))
        key = board.layout.key
        assert request.serve(board.layout, key=lambda: key, say=lambda text: None) == request.EXIT_UNFIT
        assert board.runs == "1.0"

    def test_that_nobody_serves_ends_with_a_hint(self, board: Board) -> None:
        status, text = request.ask(board.layout, board.bundle("2.0"), clock=Clock(), limit_s=10)
        assert status == request.EXIT_FAILED
        assert "pilotwire-update.path" in text


class TestABundle:
    def test_without_a_signature_is_refused_by_a_board_that_asks_for_one(self, board: Board) -> None:
        with pytest.raises(UnfitError, match="not signed"):
            install(board.layout, make_bundle(board.folder, "2.0"), key=board.public)

    def test_that_was_cut_short_is_refused(self, board: Board) -> None:
        bundle = board.bundle("2.0")
        bundle.write_bytes(bundle.read_bytes()[:-1000])
        with pytest.raises(UnfitError, match=r"damaged|not what was signed"):
            install(board.layout, bundle, key=board.public)
        assert not board.layout.incoming.exists()

    def test_that_is_something_else_is_refused(self, board: Board) -> None:
        file = board.folder / "noise"
        file.write_bytes(b"\x00" * 5000)
        with pytest.raises(UnfitError, match="damaged"):
            install(board.layout, file, key=board.public)

    def test_whose_version_cannot_be_ordered_is_neither_made_nor_taken(self, board: Board) -> None:
        with pytest.raises(ValueError, match="latest is no version"):
            make_bundle(board.folder, "latest", key=board.private)
        manifest = {"release": "latest-0", "version": "latest", "machine": "x", "python": "3.11", "files": {}}
        with pytest.raises(UnfitError, match="latest is no version"):
            parse(json.dumps(manifest).encode())

    def test_is_the_same_bytes_when_it_is_made_again(self, tmp_path: Path) -> None:
        first, second = tmp_path / "1", tmp_path / "2"
        for folder in (first, second):
            folder.mkdir()
        bundles = [make_bundle(folder, "1.0").read_bytes() for folder in (first, second)]
        assert bundles[0] == bundles[1]


def test_a_board_that_was_never_told_whom_to_trust_takes_nothing(tmp_path: Path) -> None:
    assert main(["--root", str(tmp_path / "root"), "install", str(make_bundle(tmp_path, "1.0"))]) == 1
    with pytest.raises(UpdateError):
        raise UnfitError("an unfit bundle is a failed update, too")
