"""Modules put off until they are used, each in a process of its own."""

import subprocess
import sys

NAME = "wsgiref.headers"
"""A module that neither the interpreter nor the tests import by themselves."""


def run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_module_put_off_is_loaded_by_its_first_use_and_not_by_its_import():
    program = f"""
import sys
from types import ModuleType
from ocpp.station.late import put_off
put_off({{"{NAME}": ()}})
import {NAME}
print(type(sys.modules["{NAME}"]) is ModuleType)
held = {NAME}
print({NAME}.Headers.__name__)
print(type(sys.modules["{NAME}"]) is ModuleType, held.Headers is sys.modules["{NAME}"].Headers)
print("Headers" in vars(held), {NAME} is sys.modules["{NAME}"])
"""
    assert run(program) == ["False", "Headers", "True", "True", "True", "True"]


def test_a_module_that_is_there_already_stays():
    program = f"""
import {NAME} as before
from ocpp.station.late import put_off
put_off({{"{NAME}": ()}})
import {NAME} as after
print(before is after)
"""
    assert run(program) == ["True"]


def test_a_name_that_a_module_does_not_have_is_told_as_ever():
    program = f"""
from ocpp.station.late import put_off
put_off({{"{NAME}": ()}})
import {NAME}
try:
    {NAME}.nothing
except AttributeError as error:
    print(error.name)
"""
    assert run(program) == ["nothing"]


def test_several_threads_may_be_the_first():
    program = f"""
import threading
from ocpp.station.late import put_off
put_off({{"{NAME}": ()}})
import {NAME} as module
found, start = [], threading.Barrier(8)
def use():
    start.wait()
    found.append(module.Headers)
threads = [threading.Thread(target=use) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
print(len(found), len(set(found)))
"""
    assert run(program) == ["8", "1"]


def test_functions_taken_out_of_a_module_load_it_when_they_are_called():
    program = """
import sys
from types import ModuleType
from ocpp.station.late import put_off
put_off({"wsgiref.util": ("guess_scheme", "application_uri")})
from wsgiref.util import guess_scheme
print(type(sys.modules["wsgiref.util"]) is ModuleType)
print(guess_scheme({"HTTPS": "on"}), guess_scheme(environ={}))
print(type(sys.modules["wsgiref.util"]) is ModuleType)
"""
    assert run(program) == ["False", "https", "http", "True"]


def test_what_msgspec_does_without_is_there_when_somebody_asks_for_it():
    program = """
import sys
from ocpp.station.late import UNUSED, put_off
put_off(UNUSED)
import msgspec
print(*(type(sys.modules[name]).__name__ for name in UNUSED))
print(msgspec.json.schema(int)["type"], msgspec.inspect.type_info(int).__class__.__name__)
print(msgspec.msgpack.decode(msgspec.msgpack.encode(7)), msgspec.toml.decode("a = 1")["a"], callable(msgspec.yaml.decode))
print(msgspec.json.schema_components([int])[0][0]["type"])
"""
    assert run(program) == ["_StandIn"] * 7 + ["integer", "IntType", "7", "1", "True", "integer"]
