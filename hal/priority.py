"""Threads that must not wait for others: those that see the pilot, and the safety loop."""

import logging
import os

PRIORITY = 10
"""Of SCHED_FIFO: above everything ordinary, below the kernel's own threads (50)."""

log = logging.getLogger(__name__)

_told = False


def urgent() -> bool:
    """Give the calling thread real-time priority; False, said once, where the user may not (CAP_SYS_NICE, LimitRTPRIO)."""
    global _told
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError as error:
        if not _told:
            _told = True
            log.info("threads that watch over contactors get no real-time priority: %s", error.strerror)
        return False
    return True
