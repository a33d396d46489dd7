import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cross.elf import inspect, manylinux_tag
from cross.running import StepFailed
from cross.targets import ARMV7, X86_64

SOURCE = "#include <math.h>\ndouble f(double x) { return pow(x, 1.5); }\n"


def wheel_with_library(folder: Path, *options: str, code: str = SOURCE) -> Path:
    source, library = folder / "f.c", folder / "f.so"
    source.write_text(code)
    subprocess.run(["gcc", "-shared", "-fPIC", *options, source, "-o", library, "-lm"], check=True)
    wheel = folder / "f-1-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(library, "f/f.so")
    return wheel


@pytest.mark.skipif(sys.platform != "linux", reason="reads libraries of Linux")
class TestALibrary:
    def test_tells_its_machine_and_what_it_needs(self, tmp_path: Path) -> None:
        (library,) = inspect(wheel_with_library(tmp_path, "-Wl,-s"))
        assert library.machine == X86_64.machine
        assert library.needed == {"libm.so.6", "libc.so.6"} or library.needed == {"libm.so.6"}
        assert library.stripped
        assert library.alignment >= 4096

    def test_gets_the_tag_of_the_newest_symbol_it_uses(self, tmp_path: Path) -> None:
        # pow() got a new version in glibc 2.29, and the tag may not promise less.
        assert manylinux_tag(wheel_with_library(tmp_path, "-Wl,-s"), X86_64) == "manylinux_2_29_x86_64"

    def test_that_uses_old_symbols_only_gets_the_oldest_tag_there_is(self, tmp_path: Path) -> None:
        wheel = wheel_with_library(tmp_path, "-Wl,-s", code="int f(void) { return 1; }")
        assert manylinux_tag(wheel, X86_64) == "manylinux_2_17_x86_64"

    def test_with_symbols_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StepFailed, match="symbols"):
            manylinux_tag(wheel_with_library(tmp_path, "-g"), X86_64)

    def test_of_another_machine_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StepFailed, match="not for ARM"):
            manylinux_tag(wheel_with_library(tmp_path, "-Wl,-s"), ARMV7)

    def test_linked_with_what_a_board_may_lack_is_refused(self, tmp_path: Path) -> None:
        wheel = wheel_with_library(tmp_path, "-Wl,-s", "-Wl,--no-as-needed", "-lstdc++")
        with pytest.raises(StepFailed, match=r"libstdc\+\+"):
            manylinux_tag(wheel, X86_64)


def test_a_wheel_without_libraries_runs_anywhere(tmp_path: Path) -> None:
    wheel = tmp_path / "pure.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pure/__init__.py", "")
    assert manylinux_tag(wheel, ARMV7) == "any"
