"""Scheduling of a process that watches over contactors: it goes before others, and some of its threads before the rest.

A thread of real-time priority alone is not enough: it may have to wait for an ordinary thread of the same interpreter,
which in turn waits for a busy machine.
"""

import contextlib
import logging
import os
import sys

PRIORITY = 10
"""Of SCHED_FIFO: above everything ordinary, below the kernel's own threads (50)."""

NICE = -15
"""Of all threads of the process."""

SWITCH_S = 0.0005
"""How soon a busy thread lets another one go on (sys.setswitchinterval): a thread asks anew after every access to a bus."""

log = logging.getLogger(__name__)


def preferred() -> bool:
    """Let every thread of the process go before other processes, and threads take turns sooner; for the program to call once.

    False, with a warning, where the user may not: that needs CAP_SYS_NICE, or LimitNICE and LimitRTPRIO in the service's unit.
    """
    sys.setswitchinterval(SWITCH_S)
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as group:
        group.write(str(NICE))  # where the kernel shares time between sessions first, nice counts within one only
    try:
        for thread in os.listdir("/proc/self/task"):
            os.setpriority(os.PRIO_PROCESS, int(thread), NICE)
    except OSError as error:
        log.warning(
            "on a busy machine contactors may open late: the process may not raise its priority (%s)", error.strerror
        )
        return False
    return True


def urgent() -> bool:
    """Give the calling thread real-time priority; False where the user may not, which `preferred` has told."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True
