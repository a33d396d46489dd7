"""The installed version, as `importlib.metadata` tells it."""

import sys
from importlib import metadata

import pytest

from ocpp.station import installation


def test_it_is_the_version_that_the_standard_library_finds():
    assert installation.version() == metadata.version("pilotwire")


@pytest.mark.parametrize("file", ["pilotwire-1.2.3.dist-info/METADATA", "pilotwire.egg-info/PKG-INFO"])
def test_wheels_and_checkouts_say_it_in_a_file_each(tmp_path, monkeypatch, file):
    path = tmp_path / file
    path.parent.mkdir()
    path.write_text("Metadata-Version: 2.4\nName: pilotwire\nVersion: 1.2.3\n\nVersion: 9\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "nothing"), str(tmp_path)])
    assert installation.version() == "1.2.3"


def test_without_an_installation_it_is_not_known(tmp_path, monkeypatch):
    other = tmp_path / "pilotwire_other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Version: 1.0\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert installation.version() == installation.UNKNOWN
