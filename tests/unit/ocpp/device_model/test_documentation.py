import pytest
from support.processes import ROOT

from ocpp.device_model.documentation import pages, write
from ocpp.device_model.keys_table import KEYS


@pytest.mark.parametrize("name", pages())
def test_the_committed_page_is_that_of_the_tables(name, tmp_path):
    write(tmp_path)
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == (tmp_path / name).read_text(encoding="utf-8"), (
        "run make docs"
    )


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_says_what_it_does(key):
    assert key.meaning
