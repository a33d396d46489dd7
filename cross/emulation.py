"""A board's Debian on this machine: a root folder in which programs of another architecture run, and start others.

The kernel hands foreign programs to qemu by a `binfmt_misc` of the run's own user namespace, so that nothing changes for
the rest of the machine and no rights are needed (Linux 6.7 and later).
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from cross.debian import make_root
from cross.running import WORK, install_packages, run
from cross.targets import Target

TOOLS = ("openssl", "python3-minimal", "dash")
"""What a board has beside Python, as far as installing needs it."""

PROGRAMS: Mapping[str, tuple[str, ...]] = {"qemu-arm-static": ("qemu-user-static",), "unshare": ("util-linux",)}

MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
"""Which bits of a program's beginning count: neither the operating system's mark nor shared or fixed addresses."""

ENTER = """
set -eu
root=$1 name=$2 magic=$3 mask=$4 qemu=$5; shift 5
mount -t binfmt_misc none "$root/mnt"
printf '%s' ":pilotwire-$name:M::$magic:$mask:$qemu:F" > "$root/mnt/register"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"
"""


class Machine:
    """An emulated board. Files put below `root` are seen by its programs as below /."""

    def __init__(self, target: Target, root: Path) -> None:
        self.target = target
        self.root = root
        self._qemu = shutil.which(target.architecture.qemu) or target.architecture.qemu

    def run(self, command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout_s: float = 1800.0) -> str:
        """Run a program of the board and give what it prints; raises StepFailed when it fails."""
        architecture = self.target.architecture
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **(env or {})}
        enter = [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            ENTER,
        ]
        words = ["enter", str(self.root), architecture.name, architecture.magic, MASK, self._qemu]
        host = {**environment, "PATH": "/usr/local/sbin:/usr/sbin:/sbin:" + environment["PATH"]}
        return run([*enter, *words, *command], env=host, timeout_s=timeout_s)

    def python(self, *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = 1800.0) -> str:
        """Run the system's Python there; see `run`."""
        return self.run(["/usr/bin/python3", *arguments], env=env, timeout_s=timeout_s)


def boot(target: Target, name: str = "board") -> Machine:
    """A fresh board with nothing on it but Debian's Python and what that needs.

    `name` tells apart boards of the same target. Raises StepFailed where emulation is not to be had.
    """
    install_packages(PROGRAMS)
    pristine = make_root(target, WORK / "roots" / target.name, TOOLS)
    root = WORK / "boards" / f"{target.name}-{name}"
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(pristine, root, symlinks=True)
    for folder, mode in (
        ("mnt", 0o755),
        ("proc", 0o755),
        ("dev", 0o755),
        ("tmp", 0o1777),
        ("root", 0o700),
        ("etc", 0o755),
    ):
        (root / folder).mkdir(exist_ok=True)
        (root / folder).chmod(mode)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="ascii")
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n", encoding="ascii")
    return Machine(target, root)
