"""Bundles for this machine with a make-believe pilotwire inside, installed in a second and without a network."""

import ensurepip
import json
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

from cross.bundle import pack
from cross.index import requirement
from cross.targets import X86_64, Architecture, Release, Target
from cross.update.releases import _call as real_call

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
PROGRAM = """
import json, sys
def main():
    if sys.argv[1] == "check" and {broken!r}:
        print("this release does not know your station file")
        return 2
    print(json.dumps([{version!r}, *sys.argv[1:]]))
    return 0
"""


def this_machine() -> Target:
    """The target that bundles for this machine are made for."""
    arch = Architecture(platform.machine(), "", "", "", X86_64.machine, "", ())
    return Target(arch, Release(suite="", python=VERSION, glibc=0))


def make_key(folder: Path, name: str = "key") -> tuple[Path, Path]:
    """A private and a public key."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private]
    subprocess.run(make, check=True, capture_output=True)
    subprocess.run(["openssl", "ec", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    return private, public


def make_bundle(
    folder: Path, version: str, *, key: Path | None = None, broken: bool = False, real: bool = False
) -> Path:
    """A bundle of that version; a broken one refuses every station file. Only a real one brings pip, which takes its time;
    the others are for `quick_call`.
    """
    wheelhouse = folder / f"wheelhouse-{version}"
    wheelhouse.mkdir()
    wheel = wheelhouse / f"pilotwire-{version}-py3-none-any.whl"
    info = f"pilotwire-{version}.dist-info"
    files = {
        "make_believe.py": PROGRAM.format(version=version, broken=broken),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: pilotwire\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\npilotwire = make_believe:main\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    (wheelhouse / "requirements.txt").write_text(requirement([wheel], "pilotwire", version) + "\n")
    (pip,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    (wheelhouse / pip.name).write_bytes(pip.read_bytes() if real else b"")
    return pack(this_machine(), wheelhouse, folder, key=key)


def release_that_runs(home: Path) -> str:
    """The version that the program behind `current` says it is."""
    shown = subprocess.run(
        [home / "current" / "bin" / "pilotwire", "hello"], check=True, capture_output=True, text=True
    )
    return str(json.loads(shown.stdout)[0])


def quick_call(command: list[str | Path]) -> None:
    """In the place of the updater's own: what venv and pip would do with a make-believe pilotwire."""
    words = [str(word) for word in command]
    if "venv" in words:
        (Path(words[-1]) / "bin").mkdir(parents=True)
    elif "--find-links" in words:
        (wheel,) = Path(words[words.index("--find-links") + 1]).glob("pilotwire-*.whl")
        program = Path(words[words.index("--python") + 1]) / "bin" / "pilotwire"
        text = zipfile.ZipFile(wheel).read("make_believe.py").decode()
        program.write_text(f"#!{sys.executable}\n{text}\nsys.exit(main())\n")
        program.chmod(0o755)
    else:
        real_call(command)
