"""`python -m cross.machine [TARGET ...]`: a whole emulated machine, its kernel and systemd, with a bundle set up on it.

The station there talks to a CSMS on this machine. What is looked at is in cross/inspection.py, which is carried out in the
machine; docs/common/boards.md tells what was seen.
"""

import argparse
import hashlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cross.bundle import UPDATER, build_updater, pack
from cross.disk import make_disk, make_system_root
from cross.report import Report, commit
from cross.running import PROJECT, WORK, NotFetched, StepFailed, install_packages, run
from cross.targets import TARGETS, Target, chosen
from cross.toolchain import install_compilers
from cross.wheelhouse import REQUIREMENTS, make

DEFAULT = "aarch64-cp311"
NOT_FETCHED = 75
LIMIT_S = 2400.0
"""For everything in the machine, which is ten to twenty times slower than one of metal."""

SYSTEMS = {"aarch64": ("qemu-system-aarch64", "cortex-a72"), "armv7l": ("qemu-system-arm", "cortex-a15")}
PROGRAMS = {name: ("qemu-system-arm",) for name, _ in SYSTEMS.values()}
CALL = 2
"""The message type of a request in an OCPP frame."""

DEFECTIVE, DEFECT = "ocpp/station/program.py", b'raise SystemExit("this release does not run")\n'

MARK = "inspection: "
NETWORK = "[Match]\nName=e*\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n"
INSPECTION = """[Unit]
Description=Looks at the charging station
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/usr/bin/python3 /bundles/inspection.py {ports}
[Install]
WantedBy=multi-user.target
"""


def make_defective(wheelhouse: Path, folder: Path) -> Path:
    """A copy of a wheelhouse whose pilotwire installs and checks a station file, and dies when it is to run."""
    shutil.copytree(wheelhouse, folder)
    wheel = next(folder.glob("pilotwire-*.whl"))
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with zipfile.ZipFile(wheel) as archive:
        members = [(member, archive.read(member)) for member in archive.infolist()]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members:
            archive.writestr(member, DEFECT if member.filename == DEFECTIVE else data)
    wrong = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements = folder / REQUIREMENTS
    requirements.write_text(requirements.read_text().replace(right, wrong))
    return folder


def furnish(root: Path, target: Target, wheelhouse: Path, ports: tuple[int, int]) -> None:
    """Put into a system what is to be tried out, and nothing that a board would not have beside it."""
    bundles = root / "bundles"
    bundles.mkdir()
    key = WORK / "machines" / "key.pem"
    run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key])
    run(["openssl", "ec", "-in", key, "-pubout", "-out", bundles / "key.pub"])
    for name, version in (("one", "1.0"), ("two", "2.0")):
        pack(target, wheelhouse, bundles, key=key, version=version).rename(bundles / f"{name}.tar.zst")
    with TemporaryDirectory() as folder:
        defective = make_defective(wheelhouse, Path(folder) / "wheelhouse")
        pack(target, defective, bundles, key=key, version="3.0").rename(bundles / "three.tar.zst")
    build_updater(bundles / UPDATER)
    shutil.copy(PROJECT / "cross" / "inspection.py", bundles)
    etc = root / "etc"
    wanted = etc / "systemd" / "system" / "multi-user.target.wants"
    wanted.mkdir(parents=True, exist_ok=True)
    (wanted.parent / "inspection.service").write_text(INSPECTION.format(ports=" ".join(map(str, ports))))
    (wanted / "inspection.service").symlink_to("../inspection.service")
    (wanted / "systemd-networkd.service").symlink_to("/lib/systemd/system/systemd-networkd.service")
    (wanted.parent / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    for name in ("serial-getty@ttyAMA0.service", "getty@tty1.service"):
        (wanted.parent / name).symlink_to("/dev/null")
    (etc / "systemd" / "network").mkdir(parents=True, exist_ok=True)
    (etc / "systemd" / "network" / "10-wired.network").write_text(NETWORK)


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def csms(log: Path, ports: tuple[int, int]) -> Iterator[None]:
    """The development CSMS on this machine; its traffic goes into a file."""
    command = [sys.executable, "-m", "ocpp.station.cli", "csms"]
    listen, api = ports
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--listen", f"127.0.0.1:{listen}", "--api", f"127.0.0.1:{api}"],
            cwd=PROJECT,
            stdout=output,
            stderr=output,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def told(api: int) -> list[dict[str, Any]]:
    """Everything that the station and the CSMS said."""
    with urllib.request.urlopen(f"http://127.0.0.1:{api}/api/stations/CS1/messages", timeout=30) as answer:
        return list(json.load(answer))


def emulate(target: Target, folder: Path) -> str:
    """Boot the machine in a folder and wait until it switches itself off; gives what its serial console showed."""
    program, processor = SYSTEMS[target.architecture.name]
    disk = f"file={folder / 'disk'},format=raw,if=none,id=disk"
    words = [program, "-M", "virt", "-cpu", processor, "-smp", "2", "-m", "1024", "-nographic", "-no-reboot"]
    words += ["-kernel", str(folder / "kernel"), "-initrd", str(folder / "initramfs")]
    words += ["-append", "console=ttyAMA0 quiet panic=-1 systemd.show_status=no"]
    words += ["-drive", disk, "-device", "virtio-blk-device,drive=disk"]
    words += [
        "-netdev",
        "user,id=wire",
        "-device",
        "virtio-net-device,netdev=wire",
        "-monitor",
        "none",
        "-serial",
        "stdio",
    ]
    return run(words, timeout_s=LIMIT_S)


def findings(console: str) -> list[str]:
    """What the inspection found, a line each. Raises StepFailed unless all was as it should be, to the end."""
    lines = [line.partition(MARK)[2].strip() for line in console.splitlines() if MARK in line]
    if not lines or lines[-1] != "done" or any(line.startswith("FAILED") for line in lines):
        raise StepFailed("\n".join([*lines, "the inspection did not come to its end:", console[-3000:]]))
    return lines[:-1]


def check_transactions(messages: list[dict[str, Any]]) -> str:
    """What a CSMS was told of transactions: raises StepFailed unless each came in order and whole, to its end.

    An event may come twice in a row: that is what a station does whose power failed before it had read the answer.
    """
    events: dict[str, list[tuple[int, str]]] = {}
    repeated = 0
    for message in messages:
        frame = json.loads(message["frame"])
        if message["from"] != "station" or frame[0] != CALL or frame[2] != "TransactionEvent":
            continue
        payload = frame[3]
        number, kind, transaction = payload["seqNo"], payload["eventType"], payload["transactionInfo"]["transactionId"]
        found = events.setdefault(transaction, [])
        if (number, kind) in found[-1:]:
            repeated += 1
        else:
            found.append((number, kind))
    for transaction, found in events.items():
        kinds = [kind for _, kind in found]
        whole = [number for number, _ in found] == list(range(len(found)))
        if not whole or kinds[0] != "Started" or kinds[-1] != "Ended" or "Ended" in kinds[:-1]:
            raise StepFailed(f"the CSMS was told of transaction {transaction}: {found}")
    if not events:
        raise StepFailed("the CSMS was told of no transaction")
    again = f"; {repeated} events came again after a kill" if repeated else ""
    return f"the CSMS was told of {len(events)} transactions, in order and each to its end{again}"


def try_out(target: Target, wheelhouse: Path) -> None:
    """Everything; raises StepFailed when something is not as it should be."""
    started, tried = time.monotonic(), commit()
    folder = WORK / "machines" / target.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ports = (free_port(), free_port())
    pristine = make_system_root(target)
    root = folder / "root"
    shutil.copytree(pristine, root, symlinks=True)
    furnish(root, target, wheelhouse, ports)
    make_disk(target, root, folder)
    shutil.rmtree(root)
    print(f"{target.name}: a disk was made ({time.monotonic() - started:.0f} s)", flush=True)
    log = folder / "csms.log"
    try:
        with csms(log, ports):
            console = emulate(target, folder)
            messages = told(ports[1])
    finally:
        (folder / "disk").unlink(missing_ok=True)
    (folder / "console.log").write_text(console)
    seen = [*findings(console), check_transactions(messages)]
    print("\n".join(f"* {line}" for line in seen))
    print(f"{target.name}: inspected ({time.monotonic() - started:.0f} s)", flush=True)
    Report.note(target, machine=seen, machine_commit=tried)


def main() -> None:
    """The command."""
    known = [name for name in TARGETS if name.split("-")[0] in SYSTEMS]
    parser = argparse.ArgumentParser(
        prog="cross.machine", description="Try a bundle out under its own kernel and systemd."
    )
    parser.add_argument("targets", nargs="*", help=f"{', '.join(known)} ({DEFAULT})")
    parser.add_argument("--wheelhouse", type=Path, default=PROJECT / "dist" / "wheelhouse", help="(dist/wheelhouse)")
    options = parser.parse_args()
    try:
        install_compilers()
        install_packages(PROGRAMS)
        for target in chosen(options.targets or [DEFAULT]):
            wheelhouse = make(target, options.wheelhouse / target.name)
            try_out(target, wheelhouse)
    except NotFetched as error:
        print(f"cross.machine: {error}", file=sys.stderr)
        sys.exit(NOT_FETCHED)
    except (StepFailed, ValueError, KeyError, OSError) as error:
        sys.exit(f"cross.machine: {error}")


if __name__ == "__main__":
    main()
