"""Damaged telegrams and maps of meters: never anything but the parser's own error, and never a value out of nothing.

PILOTWIRE_FUZZ_EXAMPLES=100000 fuzzes for longer.
"""

import contextlib
import os

from hypothesis import given, settings
from hypothesis import strategies as st
from support.d0_meter import framed
from support.sml_meter import content, entry, telegram

from hal import iec62056, sml
from hal.errors import DriverError
from hal.meters import register_map
from hal.meters.obis import DLMS_UNITS, quantities

EXAMPLES = int(os.environ.get("PILOTWIRE_FUZZ_EXAMPLES", "400"))
PIECES = [
    sml.ESCAPE,
    sml.BEGIN,
    b"\x76",
    b"\x77",
    b"\x00",
    b"\x8f\x8f",
    b"\x7f",
    b"/",
    b"!",
    b"\x02",
    b"\x03",
    b"\r\n",
    b"(",
]
INNER = content(entry("1.8.0", 123_456), entry("16.7.0", -5, unit=27, scaler=0), entry("96.1.0", b"x" * 30, unit=None))
LINES = b"F.F(00)\r\n1-0:1.8.0*255(0012345.678*kWh)\r\n1.7.0(011.250*kW)\r\n32.7.0(230.1*V)(12)\r\n"
MAP = (
    b'title = "t"\ndocument = "d"\nfunction = 4\n[[entries]]\nmeasurand = "Energy.Active.Import.Register"\naddress = 72\n'
    b'type = "float32"\nscale = 1000\n[[entries]]\nmeasurand = "Voltage"\nphase = "L1-N"\naddress = 0\ntype = "float32"\n'
)


def damage(draw, frame: bytes) -> bytes:
    """Cuts, insertions, doublings and other bytes, a few of them."""
    damaged = bytearray(frame)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(damaged)))
        what = draw(st.sampled_from(["cut", "piece", "double", "bytes", "end"]))
        if what == "cut":
            del damaged[at : at + draw(st.integers(1, 20))]
        elif what == "piece":
            damaged[at:at] = draw(st.sampled_from(PIECES))
        elif what == "double":
            damaged[at:at] = damaged[at : at + draw(st.integers(1, 40))]
        elif what == "bytes":
            damaged[at : at + 1] = draw(st.binary(max_size=4))
        else:
            del damaged[at:]
    return bytes(damaged)


def pieces(draw, data: bytes) -> list[bytes]:
    step = draw(st.integers(1, 200))
    return [data[start : start + step] for start in range(0, len(data), step)]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_no_sml_telegram_does_harm(data):
    telegrams = sml.Telegrams()
    stream = damage(data.draw, telegram(INNER)) + telegram(damage(data.draw, INNER)) + telegram(INNER) * 2
    found = [inner for piece in pieces(data.draw, stream) for inner in telegrams.feed(piece)]
    assert INNER in found
    for inner in found:
        with contextlib.suppress(sml.SmlError):
            told = [(each.code, each.amount, DLMS_UNITS.get(each.unit or 0, "?")) for each in sml.values(inner)]
            assert all(each.value.is_finite() for each in quantities(told))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_no_d0_telegram_does_harm(data):
    readouts = iec62056.Readouts()
    stream = damage(data.draw, framed(LINES)) + framed(damage(data.draw, LINES)) + framed(LINES) * 3
    found = [inner for piece in pieces(data.draw, stream) for inner in readouts.feed(piece)]
    assert LINES + b"!\r\n" in found
    for inner in found:
        with contextlib.suppress(iec62056.D0Error):
            assert all(each.value.is_finite() for each in quantities(iec62056.values(inner)))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_no_map_of_registers_does_harm(data):
    with contextlib.suppress(DriverError):
        text = damage(data.draw, MAP).decode("utf-8", "replace")
        for block in register_map.parse(text, "fuzzed").blocks():
            assert 1 <= block.count <= register_map.MAX_REGISTERS
