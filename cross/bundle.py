"""`python -m cross.bundle [--key PEM] [TARGET ...]`: everything a board needs in one signed file, and its installer.

Beside the bundles lies pilotwire-update.pyz, with which a board that has nothing yet is set up; docs/common/flashing.md
says how.
"""

import argparse
import hashlib
import io
import json
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

from cross.building import commit_time
from cross.running import PROJECT, StepFailed, run
from cross.targets import TARGETS, Target, chosen
from cross.toolchain import install_compilers
from cross.update.bundle import MANIFEST, SIGNATURE
from cross.update.version import order
from cross.update.zstandard import compress
from cross.wheelhouse import make

UPDATER = "pilotwire-update.pyz"
SYSTEM = (PROJECT / "cross" / "systemd", PROJECT / "cross" / "board")
"""Units, device rules and the example of a station file."""

MAIN = "from update.command import main\n\nraise SystemExit(main())\n"


def build_updater(file: Path) -> Path:
    """Write the updater as one file that Python runs; the same bytes for the same sources."""
    file.parent.mkdir(parents=True, exist_ok=True)
    sources = {f"update/{each.name}": each.read_bytes() for each in (PROJECT / "cross" / "update").glob("*.py")}
    with file.open("wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted({**sources, "__main__.py": MAIN.encode()}.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return file


def sign(text: bytes, key: Path) -> bytes:
    """A signature over the text. Raises StepFailed for a key that openssl cannot use."""
    with tempfile.TemporaryDirectory() as name:
        file, signature = Path(name) / "text", Path(name) / "signature"
        file.write_bytes(text)
        run(["openssl", "dgst", "-sha256", "-sign", key, "-out", signature, file])
        return signature.read_bytes()


def pack(target: Target, wheelhouse: Path, output: Path, *, key: Path | None = None, version: str = "") -> Path:
    """Make a bundle of a wheelhouse; gives the file in `output`.

    Without `key` it is not signed, and only a board that takes any bundle installs it. `version` is that of pilotwire's
    wheel unless it is given. Raises ValueError for a version that boards could not order.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        files = {f"wheels/{each.name}": each.read_bytes() for each in wheelhouse.iterdir()}
        files |= {f"system/{each.name}": each.read_bytes() for folder in SYSTEM for each in folder.iterdir()}
        files[UPDATER] = build_updater(Path(name) / UPDATER).read_bytes()
    hashes = {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())}
    version = version or next(wheelhouse.glob("pilotwire-*.whl")).name.split("-")[1]
    order(version)
    mark = hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:8]
    manifest = {
        "release": f"{version}-{mark}",
        "version": version,
        "machine": target.architecture.name,
        "python": target.release.python,
        "files": hashes,
    }
    text = json.dumps(manifest, indent=1).encode()
    signature = sign(text, key) if key is not None else b""
    bundle = output / f"pilotwire-{version}-{target.name}.tar.zst"
    bundle.write_bytes(compress(_tar({MANIFEST: text, SIGNATURE: signature, **files})))
    return bundle


def _tar(files: dict[str, bytes]) -> bytes:
    output, moment = io.BytesIO(), commit_time()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), moment
            archive.addfile(member, io.BytesIO(data))
    return output.getvalue()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="cross.bundle", description="Pack what is flashed onto stations.")
    parser.add_argument("targets", nargs="*", help=f"{', '.join(TARGETS)}, an architecture or a Python version (all)")
    key = os.environ.get("PILOTWIRE_BUNDLE_KEY")
    parser.add_argument("--key", type=Path, default=Path(key) if key else None, help="private key (PEM) that signs")
    parser.add_argument("--output", type=Path, default=PROJECT / "dist", help="(dist)")
    options = parser.parse_args()
    try:
        install_compilers()
        for target in chosen(options.targets):
            wheelhouse = make(target, options.output / "wheelhouse" / target.name)
            bundle = pack(target, wheelhouse, options.output, key=options.key)
            print(f"{bundle} {bundle.stat().st_size // 1000} kB{'' if options.key else ', not signed'}")
        print(build_updater(options.output / UPDATER))
    except (StepFailed, ValueError) as error:
        raise SystemExit(f"cross.bundle: {error}") from error


if __name__ == "__main__":
    main()
