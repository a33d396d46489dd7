"""The trial of a new release: it has to reach its CSMS, or at least to answer, or the previous one returns."""

import http.client
import json
import time
import tomllib
from collections.abc import Callable
from typing import Any, Protocol

from .layout import Layout, Trial, read_json
from .releases import commit, take_back

MAX_STARTS = 5
"""Starts during a trial, a planned one included, before the release counts as one that cannot live."""

TRIAL_S = 600.0
"""Time for the first BootNotification to be accepted: modem, clock and a slow CSMS included."""

POLL_S = 2.0
REQUEST_TIMEOUT_S = 5.0
MAX_ANSWER = 1 << 20
DEFAULT_API = "127.0.0.1:8077"


class Clock(Protocol):
    """Python's `time`, save in tests."""

    def monotonic(self) -> float:
        """Seconds since any moment."""

    def sleep(self, seconds: float, /) -> object:
        """Wait."""


def ask_status(layout: Layout) -> dict[str, Any] | None:
    """What the station's local API says of it; None when it does not answer or is not there."""
    try:
        api = tomllib.loads(layout.station_file.read_text(encoding="utf-8")).get("local_api", {})
        listen, token = str(api.get("listen", DEFAULT_API)), api.get("token")
        host, _, port = listen.rpartition(":")
        connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=REQUEST_TIMEOUT_S)
        try:
            connection.request("GET", "/api/status", headers={"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            found = json.loads(answer.read(MAX_ANSWER)) if answer.status == http.HTTPStatus.OK else None
        finally:
            connection.close()
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return None
    return found if isinstance(found, dict) else None


def guard(layout: Layout) -> Trial | None:
    """Before every start of the station: count it, and return to the previous release after too many."""
    trial = layout.load_trial()
    if trial is None or trial.outcome:
        return trial
    if layout.name_of(layout.current) != trial.release:
        take_back(layout, trial, "the power failed before it was put in place")
        return trial
    trial.starts += 1
    layout.save_trial(trial)
    if trial.starts > MAX_STARTS:
        take_back(layout, trial, f"it was started {MAX_STARTS} times and did not live to reach its CSMS")
    return trial


def watch(
    layout: Layout,
    *,
    restart: Callable[[], None],
    reload: Callable[[], None] = lambda: None,
    status: Callable[[Layout], dict[str, Any] | None] = ask_status,
    clock: Clock = time,
    limit_s: float = TRIAL_S,
) -> str:
    """Beside a release on trial: keep it once its BootNotification was accepted, or take it back after `limit_s`.

    `restart` restarts the station after that, `reload` makes the system read its units anew after a release was kept.
    Gives the outcome; empty when there is no trial.
    """
    deadline = clock.monotonic() + limit_s
    seen = "its local API did not answer"
    while (trial := layout.load_trial()) is not None and not trial.outcome:
        found = status(layout)
        if found is not None:
            if found.get("boot_status") == "Accepted":
                commit(layout, trial)
                reload()
                break
            seen = f"its BootNotification is {found.get('boot_status') or 'not answered'}"
        if clock.monotonic() >= deadline:
            take_back(layout, trial, f"after {limit_s:.0f} s {seen}")
            restart()
            break
        clock.sleep(POLL_S)
    return trial.outcome if trial is not None else ""


def confirm(layout: Layout, *, clock: Clock = time, limit_s: float = 2 * TRIAL_S) -> bool:
    """Wait for the outcome of the trial: whether the release stays. Without a trial there is nothing to confirm."""
    deadline = clock.monotonic() + limit_s
    while clock.monotonic() < deadline:
        trial = layout.load_trial()
        if trial is None or trial.outcome:
            return trial is not None and trial.outcome == "good"
        clock.sleep(POLL_S)
    return False


def describe(layout: Layout) -> str:
    """For people."""
    trial = layout.load_trial()
    lines = [
        f"current   {layout.name_of(layout.current) or 'none'}",
        f"previous  {layout.name_of(layout.previous) or 'none'}",
    ]
    if trial is not None:
        lines.append(
            f"trial     {trial.release}: {trial.outcome or f'goes on, {trial.starts} starts'} {trial.reason}".rstrip()
        )
    result = read_json(layout.result_file)
    if result:
        lines.append(f"request   ended with {result.get('status')}: {result.get('text', '')}")
    return "\n".join(lines)
