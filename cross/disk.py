"""A disk with a board's Debian on it, a kernel, and the little system in memory that finds the disk."""

import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from cross.debian import Archive, make_root
from cross.emulation import TOOLS
from cross.running import WORK, StepFailed, install_packages, run
from cross.targets import Target

SYSTEM = ("systemd", "udev", "passwd", "login", "mount", "util-linux", "coreutils", "bash", "procps", "base-files")
"""What a board has that starts services, beside Python."""

KERNELS = {"aarch64": "linux-image-arm64", "armv7l": "linux-image-armmp"}
MODULES = ("virtio_mmio", "virtio_blk", "virtio_net", "ext4")
PROGRAMS = {"depmod": ("kmod",), "mke2fs": ("e2fsprogs",)}
DISK_MB = 1500

INIT = """#!/busybox sh
/busybox mount -t proc none /proc
/busybox mount -t devtmpfs none /dev
for module in {modules}; do /busybox insmod /modules/$module || echo "no $module"; done
until [ -b /dev/vda ]; do /busybox sleep 0.1; done
/busybox mount -t ext4 -o noatime /dev/vda /root
/busybox umount /proc
exec /busybox switch_root /root /lib/systemd/systemd
"""


def make_system_root(target: Target) -> Path:
    """A folder with a Debian that boots, made unless it is there; nothing of it was ever started."""
    packages = Archive(target).with_dependencies([*SYSTEM, *TOOLS])
    root = make_root(target, WORK / "roots" / f"{target.name}-system", packages)
    etc = root / "etc"
    (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (etc / "group").write_text("root:x:0:\n")
    for name in ("shadow", "gshadow", "machine-id"):
        (etc / name).write_text("root:*:19000:0:99999:7:::\n" if name == "shadow" else "")
    (etc / "hostname").write_text("board\n")
    (etc / "hosts").write_text("127.0.0.1 localhost board\n")
    for name in ("proc", "sys", "dev", "run", "tmp", "root", "home", "boot"):
        (root / name).mkdir(exist_ok=True)
    return root


def make_disk(target: Target, root: Path, folder: Path) -> None:
    """Write `disk` with what is in `root`, `kernel` and `initramfs` into a folder."""
    install_packages(PROGRAMS)
    kernel = _kernel(target)
    (image,) = (kernel / "boot").glob("vmlinuz-*")
    shutil.copy(image, folder / "kernel")
    (folder / "initramfs").write_bytes(_initramfs(target, kernel, image.name.removeprefix("vmlinuz-")))
    with (folder / "disk").open("wb") as stream:
        stream.truncate(DISK_MB << 20)
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", root, folder / "disk"])


def _kernel(target: Target) -> Path:
    """The kernel's package, unpacked."""
    archive = Archive(target)
    folder = WORK / "kernels" / target.architecture.debian / target.release.suite
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        name = archive.depends(KERNELS[target.architecture.name], "linux-image-")
        archive.unpack([name, "busybox-static"], folder)
        run(["depmod", "-b", folder, name.removeprefix("linux-image-")])
        (folder / "made").touch()
    return folder


def _initramfs(target: Target, kernel: Path, version: str) -> bytes:
    modules = _modules(kernel / "lib" / "modules" / version)
    files = [(f"modules/{file.name}", file.read_bytes(), 0o644) for file in modules]
    busybox = next(file for file in (kernel / "bin" / "busybox", kernel / "usr" / "bin" / "busybox") if file.exists())
    files.append(("busybox", busybox.read_bytes(), 0o755))
    files.append(("init", INIT.format(modules=" ".join(file.name for file in modules)).encode(), 0o755))
    return _cpio(("proc", "dev", "root", "modules"), files)


def _modules(folder: Path) -> list[Path]:
    """The files of the modules, each after those that it needs."""
    lines = (folder / "modules.dep").read_text().splitlines()
    needs = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    built_in = {Path(line).name for line in (folder / "modules.builtin").read_text().splitlines()}
    found: list[str] = []
    for module in MODULES:
        paths = [path for path in needs if Path(path).name.partition(".")[0] == module]
        if not paths and f"{module}.ko" not in built_in:
            raise StepFailed(f"the kernel in {folder} has no {module}")
        found += [each for path in paths for each in [*reversed(needs[path]), path] if each not in found]
    # ext4 asks for its checksum by a name that no module bears.
    sums = [path for path in needs if Path(path).name.startswith("crc32c_generic.")]
    return [folder / path for path in dict.fromkeys([*sums, *found])]


def _cpio(folders: Iterable[str], files: Iterable[tuple[str, bytes, int]]) -> bytes:
    """An archive as the kernel unpacks it (newc)."""
    members = [(name, b"", stat.S_IFDIR | 0o755) for name in folders]
    members += [(name, data, stat.S_IFREG | mode) for name, data, mode in files]
    output = bytearray()
    for number, (name, data, mode) in enumerate([*members, ("TRAILER!!!", b"", 0)], 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        output += b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
        output += bytes(-len(output) % 4) + data
        output += bytes(-len(output) % 4)
    return bytes(output)
