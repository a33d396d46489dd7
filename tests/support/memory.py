"""What a process holds in memory, as the kernel tells."""

from pathlib import Path


def resident_kib(figure: str = "VmRSS", pid: int | str = "self") -> int:
    """Resident memory of a process in KiB, now (VmRSS) or at most so far (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{figure}:"):
            return int(line.split()[1])
    raise LookupError(f"the kernel says no {figure} of process {pid}")
