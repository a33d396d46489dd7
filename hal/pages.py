"""Texts on small displays: broken into lines and pages, characters that a display does not have replaced."""

import unicodedata
from collections.abc import Collection

MAX_PAGES = 32
"""Pages of all texts together; nobody waits for more."""

SPELLED = {
    "€": "EUR",
    "£": "GBP",
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ł": "l",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "…": "...",
    "·": ".",
    "•": "*",
    "×": "x",
}
"""What is written for characters that no decomposition gives."""

UNKNOWN = "?"


def spelled(text: str, known: Collection[str]) -> str:
    """The text in characters that are known: accents are left out, some characters are spelled, the rest is `UNKNOWN`.

    Line breaks stay; other white space is a space.
    """
    return "".join(_spelled(character, known) for character in unicodedata.normalize("NFC", text))


def _spelled(character: str, known: Collection[str]) -> str:
    if character == "\n" or character in known:
        return character
    if character.isspace():
        return " "
    instead = SPELLED.get(character)
    if instead is None and character.lower() in SPELLED:
        instead = SPELLED[character.lower()].upper()
    if instead is None:
        instead = unicodedata.normalize("NFKD", character)
        instead = "".join(each for each in instead if not unicodedata.combining(each))
    if not instead:
        return ""  # an accent of its own
    return instead if all(each in known for each in instead) else UNKNOWN


def lines(text: str, columns: int) -> list[str]:
    """The text in lines of at most so many characters, broken between words where that is possible."""
    found: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            while len(word) > columns:
                room = columns - len(line) - 1 if line else columns
                if room < 1:
                    found.append(line)
                    line, room = "", columns
                line = f"{line} {word[:room]}".lstrip()
                word = word[room:]
                found.append(line)
                line = ""
            if line and len(line) + 1 + len(word) > columns:
                found.append(line)
                line = word
            else:
                line = f"{line} {word}".strip()
        found.append(line)
    return found


def pages(texts: tuple[str, ...], columns: int, rows: int) -> list[tuple[str, ...]]:
    """What to show one after the other: each page has `rows` lines of `columns` characters. Never empty; blank for no text."""
    found: list[tuple[str, ...]] = []
    for text in texts:
        wrapped = lines(text, columns)
        for start in range(0, len(wrapped), rows):
            page = wrapped[start : start + rows]
            found.append(tuple(line.ljust(columns) for line in page + [""] * (rows - len(page))))
            if len(found) == MAX_PAGES:
                return found
    return found or [(" " * columns,) * rows]
