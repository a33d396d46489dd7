import re

import pytest
from support.processes import ROOT

from ocpp.station.configuration import load
from ocpp.station.documentation import pages, write


@pytest.mark.parametrize("name", pages())
def test_the_committed_page_is_that_of_the_tables(name, tmp_path):
    write(tmp_path)
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == (tmp_path / name).read_text(encoding="utf-8"), (
        "run make docs"
    )


@pytest.mark.parametrize("file", sorted((ROOT / "docs/examples").glob("*.toml")), ids=lambda file: file.name)
def test_every_example_station_file_is_fine(file):
    assert load(file).warnings == ()


PAGES = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_of_a_page_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://")):
            assert ((ROOT / page).parent / target).exists(), target
