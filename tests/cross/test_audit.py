"""auditwheel beside readelf: one judge more, who has to agree."""

import json
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cross import audit
from cross.audit import check, platform_tag
from cross.running import StepFailed
from cross.targets import ARMV7, TARGETS, X86_64, Release, Target

MODERN = TARGETS["x86_64-cp311"]
DATED = Target(X86_64, Release(suite="stretch", python="3.11", glibc=24))
POWER = "#include <math.h>\ndouble f(double x) { return pow(x, 1.5); }\n"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads libraries of Linux")


def build(folder: Path, *options: str, code: str = POWER, compiler: str = "gcc", machine: str = "x86_64") -> Path:
    """A wheel with one library, with everything that auditwheel wants to see in one."""
    source, library = folder / "f.c", folder / "f.so"
    source.write_text(code)
    subprocess.run([compiler, "-shared", "-fPIC", "-Wl,-s", source, "-o", library, *options], check=True)
    files = {
        "f/f.so": library.read_bytes(),
        "f-1.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_{machine}\n".encode(),
        "f-1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: f\nVersion: 1\n",
    }
    files["f-1.dist-info/RECORD"] = "".join(f"{name},,\n" for name in files).encode()
    wheel = folder / f"f-1-cp311-cp311-linux_{machine}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return wheel


@pytest.mark.skipif(platform.machine() != "x86_64" or shutil.which("gcc") is None, reason="no compiler")
class TestAWheel:
    def test_gets_the_first_tag_that_auditwheel_knows_and_readelf_agrees_with(self, tmp_path: Path) -> None:
        # pow() got a new version in glibc 2.29; the manylinux project has images of 2.28 and 2.31.
        assert platform_tag(build(tmp_path, "-lm"), MODERN) == "manylinux_2_31_x86_64"

    def test_with_old_symbols_only_gets_the_oldest_tag(self, tmp_path: Path) -> None:
        assert platform_tag(build(tmp_path, code="int f(void) { return 1; }"), MODERN) == "manylinux_2_17_x86_64"

    def test_that_needs_a_newer_c_library_than_the_board_has_is_refused(self, tmp_path: Path) -> None:
        wheel = build(tmp_path, "-lm")
        with pytest.raises(StepFailed, match=r"needs glibc 2\.31; stretch has 2\.24"):
            platform_tag(wheel, DATED)
        with pytest.raises(StepFailed, match=r"needs glibc 2\.31"):
            check(wheel, DATED)
        check(wheel, MODERN)

    def test_with_a_library_that_no_board_has_is_refused(self, tmp_path: Path) -> None:
        own = tmp_path / "libown.so"
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", own], input=b"int g(void) { return 1; }", check=True
        )
        wheel = build(tmp_path, str(own), f"-Wl,-rpath,{tmp_path}", code="int g(void);\nint f(void) { return g(); }")
        with pytest.raises(StepFailed, match=r"unfit for x86_64.*libown"):
            check(wheel, MODERN)

    def test_of_another_machine_is_refused_with_auditwheels_reason(self, tmp_path: Path) -> None:
        wheel = build(tmp_path, "-lm", machine="armv7l")
        with pytest.raises(StepFailed, match="no ELF executable or shared library file"):
            check(wheel, Target(ARMV7, MODERN.release))

    def test_about_which_the_two_disagree_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said = json.dumps({"overall_tag": "manylinux_2_24_x86_64", "external_libs": {}, "unsupported_isa": False})
        monkeypatch.setattr(audit, "SHOW", ["echo", f"a warning first\n{said}\n"])
        with pytest.raises(StepFailed, match=r"readelf says manylinux_2_29_x86_64, auditwheel says glibc 2\.24"):
            platform_tag(build(tmp_path, "-lm"), MODERN)

    def test_about_which_auditwheel_says_nothing_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audit, "SHOW", ["false"])
        with pytest.raises(StepFailed, match="does not say"):
            check(build(tmp_path, "-lm"), MODERN)


def test_auditwheel_reads_wheels_of_other_architectures(tmp_path: Path) -> None:
    compiler = f"{ARMV7.triple}-gcc"
    if shutil.which(compiler) is None:
        pytest.skip("no compiler for ARM")
    wheel = build(tmp_path, "-lm", compiler=compiler, machine="armv7l")
    assert platform_tag(wheel, Target(ARMV7, MODERN.release)) == "manylinux_2_31_armv7l"


def test_a_wheel_without_libraries_runs_anywhere(tmp_path: Path) -> None:
    wheel = tmp_path / "pure-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pure/__init__.py", "")
    assert platform_tag(wheel, DATED) == "any"
    check(wheel, DATED)
