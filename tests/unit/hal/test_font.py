import string

from hal.font import BANDS, HEIGHT, WIDTH, glyphs


def test_every_band_is_drawn_whole():
    for characters, *rows in BANDS:
        assert len(rows) == HEIGHT
        for row in rows:
            assert len(row) == len(characters) * (WIDTH + 1) - 1
            assert set(row) <= set("#. ")


def test_it_has_every_character_of_ascii_and_no_two_letters_look_alike():
    font = glyphs()
    printable = string.printable[:95]
    assert set(printable) <= set(font)
    assert len({font[each] for each in printable}) == 95


def test_a_glyph_is_its_columns_from_the_left_with_bit_0_on_top():
    assert glyphs()["L"] == bytes([0x7F, 0x40, 0x40, 0x40, 0x40])
    assert glyphs()["'"] == bytes([0x00, 0x04, 0x03, 0x00, 0x00])
