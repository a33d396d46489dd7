import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.pages import MAX_PAGES, lines, pages, spelled

ASCII = set(string.printable[:95])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ready", "Ready"),
        ("0,45 €/kWh", "0,45 EUR/kWh"),
        ("Café Ångström", "Cafe Angstrom"),
        ("Straße", "Strasse"),
        ("Øl", "Ol"),
        ("“wait…”", '"wait..."'),
        ("a\tb\nc", "a b\nc"),
        ("充電", "??"),
        ("e\u0301te\u0301", "ete"),
    ],
)
def test_what_the_display_does_not_have_is_spelled(text, expected):
    assert spelled(text, ASCII) == expected


def test_what_the_display_has_stays():
    assert spelled("Käse", ASCII | {"ä"}) == "Käse"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("one two", ["one two"]),
        ("Please present your card", ["Please", "present", "your card"]),
        ("a\n\nb", ["a", "", "b"]),
        ("abcdefghijklm", ["abcdefghij", "klm"]),
        ("ab cdefghijklmnop", ["ab cdefghi", "jklmnop"]),
        ("abcdefghi jklmnopqrstuv", ["abcdefghi", "jklmnopqrs", "tuv"]),
    ],
)
def test_lines_break_between_words(text, expected):
    assert lines(text, 10) == expected


def test_texts_follow_each_other_page_by_page():
    assert pages(("one two three four", "five"), 6, 2) == [
        ("one   ", "two   "),
        ("three ", "four  "),
        ("five  ", "      "),
    ]


def test_no_text_is_a_blank_page():
    assert pages((), 4, 2) == [("    ", "    ")]


def test_pages_are_bounded():
    assert len(pages(("word " * 1000,) * 10, 6, 2)) == MAX_PAGES


@given(st.lists(st.text(max_size=80), max_size=4), st.integers(1, 20), st.integers(1, 4))
def test_whatever_is_shown_fits(texts, columns, rows):
    for page in pages(tuple(texts), columns, rows):
        assert len(page) == rows
        assert all(len(line) == columns for line in page)


@given(st.text(alphabet=st.sampled_from("ab c\n"), max_size=60), st.integers(1, 12))
def test_no_character_gets_lost(text, columns):
    assert "".join("".join(lines(text, columns)).split()) == "".join(text.split())
