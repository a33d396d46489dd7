"""Builds pyx/**/*.pyx into the packages they mirror: pyx/ocpp/_native/framing.pyx becomes ocpp._native.framing.

PILOTWIRE_BUILD=debug switches to bounds checks, warnings and line tracing; "sanitize" to the address and undefined behaviour
sanitizers of the compiler, "fuzz" to what a fuzzer needs, both for builds beside the ordinary one (`make sanitize`, `make fuzz`).
"""

import os
import runpy
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
SOURCES = Path("pyx")
MESSAGES = Path("ocpp/messages/_generated")
ACTIONS = {"v16.py": 39, "v201.py": 64, "v2.py": 91}
"""How many actions each version has: a package that lacks one could not talk to its CSMS."""
BUILD = os.environ.get("PILOTWIRE_BUILD", "release")
DEBUG = BUILD == "debug"

RELEASE_DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "binding": False,  # plain C methods: kept ones (`call = writer.call`) are called much faster
    "freethreading_compatible": False,
}
FLAGS = {
    "release": ["-O2", "-fvisibility=hidden"],
    "debug": ["-O1", "-g", "-Wsign-compare", "-Wconversion"],
    "sanitize": [
        *("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize=object-size"),
        *("-fno-sanitize-recover=undefined", "-fno-wrapv"),  # Python's own flag hides what overflows
    ],
    "fuzz": ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=fuzzer-no-link,address"],
}
LINK_FLAGS = {"sanitize": ["-fsanitize=address,undefined"], "fuzz": ["-fsanitize=fuzzer-no-link,address"]}
DEBUG_DIRECTIVES = {"language_level": 3, "boundscheck": True, "wraparound": False, "linetrace": True}


def native_extensions():
    """One extension per .pyx, named by its path below pyx/."""
    macros = [("CYTHON_TRACE", "1")] if DEBUG else []
    return [
        Extension(
            ".".join(source.relative_to(SOURCES).with_suffix("").parts),
            [str(source)],
            extra_compile_args=FLAGS[BUILD],
            extra_link_args=LINK_FLAGS.get(BUILD, []),
            define_macros=macros,
        )
        for source in sorted(Path(SOURCES).rglob("*.pyx"))
    ]


def check_messages():
    """Raise SystemExit where the generated message types are not all there."""
    for name, least in ACTIONS.items():
        path = MESSAGES / name
        found = len(runpy.run_path(str(path)).get("ACTIONS", ())) if path.is_file() else 0
        if found < least:
            raise SystemExit(f"{path} has {found} of {least} actions: write it anew with `make generate SPEC=FOLDER`")


class BuildNative(build_ext):
    """Cythonizes when a build is really asked for, so that reading metadata needs no Cython."""

    def finalize_options(self):
        from Cython.Build import cythonize

        check_messages()
        self.distribution.ext_modules = cythonize(
            self.distribution.ext_modules,
            include_path=[str(SOURCES)],
            compiler_directives=DEBUG_DIRECTIVES if DEBUG else RELEASE_DIRECTIVES,
            build_dir=None if DEBUG else "build/cython",
            force=DEBUG,
        )
        super().finalize_options()


os.chdir(ROOT)
setup(ext_modules=native_extensions(), cmdclass={"build_ext": BuildNative})
