"""What is fuzzed: each target takes any bytes and raises only where the code under test breaks its promise.

`test_targets.py` runs them all on seeds, corpus and small damage to both; `make fuzz` lets atheris look for more.
"""

import asyncio
import contextlib
import json
import struct
import tempfile
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

from hal import front_end, iec62056, sml
from hal.drivers import pn532_frames, token_text
from hal.errors import DriverError, MeterError, ReaderError
from hal.meters import ocmf, register_map
from hal.meters.obis import DLMS_UNITS, quantities
from ocpp._native import framing
from ocpp._native.schedule import Curve, Limits, Track
from ocpp._native.variables import VariableIndex
from ocpp.errors import ConfigurationError, PayloadError
from ocpp.messages import Catalogue, catalogue
from ocpp.rpc.session import CallAnswered, CallReceived, FrameToSend, SendReceived, Session
from ocpp.station import configuration
from ocpp.station.local_api.server import LocalApiServer, Request, Response
from ocpp.versions import OcppVersion

MAX_ANSWER = 2000
VERSIONS = tuple(OcppVersion)
GOOD = b'[2,"after","TriggerMessage",{"requestedMessage":"Heartbeat"}]'


class Target(NamedTuple):
    """`run` is given any bytes; `seeds` are some that make sense."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


# -- frames and messages ----------------------------------------------------------------------------------------------


def frames(data: bytes) -> None:
    """The envelope alone."""
    with contextlib.suppress(framing.FrameDefect):
        frame = framing.scan(data)
        assert bytes(frame) == bytes(frame.payload)
        assert len(frame.message_id) <= framing.MAX_MESSAGE_ID
    if data:
        framing.has_loose_time(data)


def sessions(data: bytes) -> None:
    """Whole frames from a peer, by every version; the session works on afterwards."""
    for version in VERSIONS:
        session = Session(catalogue(version))
        event = session.receive(data)
        assert event is None or isinstance(event, CallReceived | SendReceived | CallAnswered | FrameToSend)
        if isinstance(event, FrameToSend):
            answer = json.loads(event.frame)
            assert answer[0] in (4, 5)
            assert len(event.frame) <= MAX_ANSWER
        assert isinstance(session.receive(GOOD), CallReceived)


def answers(data: bytes) -> None:
    """A CALLRESULT or CALLERROR to a call in flight: it settles the call, whatever the rest looks like."""
    action, _, rest = data.partition(b"|")
    for version in VERSIONS:
        messages = catalogue(version)
        name = chosen(action, messages)
        session = Session(messages)
        session.pending_id = "id"
        session._pending = messages.response_codec(name)
        event = session.receive(b'[3,"id",' + rest + b"]")
        assert isinstance(event, CallAnswered), (name, event)
        assert (event.response is None) is (event.error is not None)
        assert session.pending_id is None


def requests(data: bytes) -> None:
    """The decoder of every action, exactly; what it takes it can write, and read again as the same."""
    action, _, payload = data.partition(b"|")
    for version in VERSIONS:
        messages = catalogue(version)
        name = chosen(action, messages)
        with contextlib.suppress(PayloadError):
            message = messages.decode_request(name, payload)
            assert messages.decode_request(name, messages.encode(message)) == message


def chosen(text: bytes, messages: Catalogue) -> str:
    """The action of that name; of those that are answered, some other for a name that there is not."""
    known = answered(messages.version)
    name = text.decode("ascii", "replace")
    return name if name in known else known[sum(text) % len(known)]


@cache
def answered(version: OcppVersion) -> list[str]:
    actions = catalogue(version).shapes.tables.ACTIONS
    return sorted(action for action, (_, response) in actions.items() if response is not None)


# -- arithmetic and look-ups ------------------------------------------------------------------------------------------


class Step(NamedTuple):
    start: int
    limit: float
    phases: int | None


def schedules(data: bytes) -> None:
    """Periods and times of any numbers."""
    numbers = [value for (value,) in struct.iter_unpack("<d", data[: len(data) // 8 * 8])][:64]
    wholes = [value for (value,) in struct.iter_unpack("<q", data[: len(data) // 8 * 8])][:64]
    steps = [Step(wholes[n], numbers[n], wholes[n] % 5 or None) for n in range(len(numbers))]
    curve = Curve(steps)
    assert len(curve) == len(steps)
    if not curve.sound or len(numbers) < 4:
        return
    start, duration, recurrency, at = numbers[:4]
    with contextlib.suppress(ValueError, OverflowError):
        track = Track("profile", curve, wholes[0] % 2 == 0, start, duration, recurrency, None, None)
        limits = Limits([[track]], 32.0, 3, 16.0, 3, 230.0)
        assert 0 <= limits.at(at).current_a <= 32.0
        limits.next_change(at)
        assert len(limits.slices(at, 3600.0, 16, 64)) <= 16


def lookups(data: bytes) -> None:
    """Additions, removals and readings of variables by any name, against a plain dictionary."""
    index, plain = VariableIndex(), {}
    for command in data.decode("utf-8", "replace").splitlines()[:64]:
        kind, name = command[:1], command[1:40]
        name = name.casefold()  # names are compared without regard to case
        key = (name[:4], None, len(name) % 3 or None, None, name[4:], None)
        if kind == "+" and key not in plain:
            plain[key] = Entry()
            index.add(*key, plain[key])
        elif kind == "-" and key in plain:
            index.remove(*key)
            del plain[key]
        assert index.find(*key) is plain.get(key)
        assert len(index) == len(plain)


class Entry:
    """Stands for `ocpp.device_model.entry.Entry`."""


# -- what stands on a wire of the board -------------------------------------------------------------------------------


def sml_telegrams(data: bytes) -> None:
    """SML, in pieces."""
    telegrams = sml.Telegrams()
    for piece in pieces(data):
        for inner in telegrams.feed(piece):
            with contextlib.suppress(sml.SmlError):
                told = [(each.code, each.amount, DLMS_UNITS.get(each.unit or 0, "?")) for each in sml.values(inner)]
                assert all(each.value.is_finite() for each in quantities(told))
    with contextlib.suppress(sml.SmlError):
        sml.values(data)


def d0_telegrams(data: bytes) -> None:
    """IEC 62056-21, in pieces."""
    readouts = iec62056.Readouts()
    for piece in pieces(data):
        for inner in readouts.feed(piece):
            with contextlib.suppress(iec62056.D0Error):
                assert all(each.value.is_finite() for each in quantities(iec62056.values(inner)))
    with contextlib.suppress(iec62056.D0Error):
        iec62056.identification(data[:64])
    with contextlib.suppress(iec62056.D0Error):
        iec62056.values(data)


def pieces(data: bytes) -> list[bytes]:
    size = 1 + (data[0] if data else 0) % 61
    return [data[at : at + size] for at in range(0, len(data), size)]


class Registers:
    """A Modbus meter of which every register is what the fuzzer says."""

    def __init__(self, data: bytes) -> None:
        self._words = [word for (word,) in struct.iter_unpack(">H", data[: len(data) // 2 * 2])] or [0]

    def read(self, unit: int, function: int, address: int, count: int) -> list[int]:
        return [self._words[(address + n) % len(self._words)] for n in range(count)]

    def write(self, unit: int, address: int, values: list[int]) -> None:
        """Takes everything."""


def registers(data: bytes) -> None:
    """Every register map that comes along, on registers of any content."""
    line = Registers(data)
    for name in register_map.names():
        made = register_map.by_name(name)
        for block in made.blocks():
            with contextlib.suppress(MeterError):
                words = line.read(1, block.function, block.address, block.count)
                for found in made.quantities(block, words):
                    assert isinstance(found.value, Decimal)
                    assert found.value.is_finite()


def maps(data: bytes) -> None:
    """The text of a register map."""
    with contextlib.suppress(DriverError):
        for block in register_map.parse(data.decode("utf-8", "replace"), "fuzzed").blocks():
            assert 1 <= block.count <= register_map.MAX_REGISTERS


def signed_texts(data: bytes) -> None:
    """OCMF out of registers of any content."""
    how = register_map.Signing(
        address=0, registers=max(1, min(len(data) // 2, 200)), command_address=0, command=1, ready_address=0,
        ready_value=int.from_bytes(data[:2], "big") if len(data) > 1 else 0, busy_value=None,
    )  # fmt: skip
    made = register_map.Ocmf(start=how, end=how, now=how)
    signer = ocmf.Signer(Registers(data), 1, made, limit=60, public_key="")
    with contextlib.suppress(MeterError):
        signer._text(how)


def pn532(data: bytes) -> None:
    """Answers of a card reader, in pieces."""
    found = pn532_frames.Frames()
    for piece in pieces(data):
        with contextlib.suppress(ReaderError):
            for answer in found.feed(piece):
                pn532_frames.target_uid(answer.data)
    assert len(pn532_frames.first_frame(data)) <= len(data)
    with contextlib.suppress(ReaderError):
        pn532_frames.target_uid(data)


def readers(data: bytes) -> None:
    """Texts of a serial card reader, in every form."""
    for message in token_text.Messages().feed(b"\r" + data + b"\r"):
        for form in ("hex", "decimal", "wiegand26", "wiegand34", "text"):
            for checksum in ("none", "xor"):
                with contextlib.suppress(ReaderError):
                    found = token_text.token(message, token_text.TextOptions(format=form, checksum=checksum))
                    assert token_text.MIN_CHARS <= len(found) <= token_text.MAX_CHARS


def front_ends(data: bytes) -> None:
    """Frames of a microcontroller, in pieces; what is sound is found behind any noise."""
    decoder = front_end.Decoder()
    for piece in pieces(data):
        for frame in decoder.feed(piece):
            for kind in (front_end.Command, front_end.State, front_end.Info):
                found = kind.unpack(frame.payload)
                assert found is None or kind.unpack(found.pack()) == found
    good = front_end.encode(front_end.Frame(7, 1, b"payload"))
    assert any(frame.payload == b"payload" for frame in decoder.feed(good * 12))


# -- what people and browsers send ------------------------------------------------------------------------------------


@cache
def folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="pilotwire-fuzz-"))


def station_files(data: bytes) -> None:
    """A station file: it is read, or every mistake is told."""
    path = folder() / "station.toml"
    path.write_bytes(data)
    with contextlib.suppress(ConfigurationError):
        configuration.load(path)


class Writer:
    """In the place of a StreamWriter."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def write(self, data: bytes) -> None:
        self.sent += data

    def can_write_eof(self) -> bool:
        return False

    async def drain(self) -> None:
        """Everything is taken at once."""

    def close(self) -> None:
        """Nothing to close."""


async def echo(request: Request) -> Response:
    return Response(200, {"method": request.method, "path": request.path, "query": request.query})


@cache
def loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def http(data: bytes) -> None:
    """A connection to the local API; whatever comes, the answers are HTTP and none says 500."""

    async def converse() -> bytes:
        reader, writer = asyncio.StreamReader(), Writer()
        reader.feed_data(data)
        reader.feed_eof()
        await LocalApiServer(echo, token="token")._accept(reader, writer)  # type: ignore[arg-type]
        return bytes(writer.sent)

    sent = loop().run_until_complete(converse())
    assert not sent or sent.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 5" not in sent


EXAMPLE = (Path(__file__).parents[2] / "docs/examples/simulator-201.toml").read_bytes()
LINES = b"F.F(00)\r\n1-0:1.8.0*255(0012345.678*kWh)\r\n1.7.0(011.250*kW)\r\n32.7.0(230.1*V)(12)\r\n!\r\n"
MAP = (
    b'title = "t"\ndocument = "d"\nfunction = 4\n[[entries]]\nmeasurand = "Energy.Active.Import.Register"\naddress = 72\n'
    b'type = "float32"\nscale = 1000\n[[entries]]\nmeasurand = "Voltage"\nphase = "L1-N"\naddress = 0\ntype = "float32"\n'
)

TARGETS = {
    "frames": Target(
        frames, (GOOD, b'[3,"1",{}]', b'[4,"1","GenericError","",{}]', b'[2,"\\u0041","B",{}]', b'[3,"1",null]')
    ),
    "sessions": Target(sessions, (GOOD, b'[2,"1","Reset",{"type":"Hard"}]', b'[6,"1","NotifyPeriodicEventStream",{}]')),
    "answers": Target(
        answers,
        (
            b'BootNotification|{"status":"Accepted","currentTime":"2026-11-30T20:26:54.262064","interval":300}',
            b'StartTransaction|{"transactionId":4711,"idTagInfo":{"status":"Accepted","expiryDate":null}}',
            b'TransactionEvent|{"totalCost":1.5,"idTokenInfo":{"status":"accepted","cacheExpiryDateTime":"x"}}',
            b"Heartbeat|null",
            b'Authorize|{"idTagInfo":{"status":"Accepted","parentIdTag":7}}',
        ),
    ),
    "requests": Target(
        requests,
        (
            b'SetChargingProfile|{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0}}',
            b'GetVariables|{"getVariableData":[{"component":{"name":"A"},"variable":{"name":"B"}}]}',
            b'Reset|{"type":"Immediate","evseId":1}',
        ),
    ),
    "schedules": Target(schedules, (struct.pack("<4d", 0.0, 6.0, 60.0, 16.0), struct.pack("<4q", 0, 60, 120, 3600))),
    "lookups": Target(lookups, (b"+OCPPCommCtrlr\n+Other\n-OCPPCommCtrlr\n?x", "+ä€\n+ä\n-ä€".encode())),
    "sml": Target(
        sml_telegrams, (sml.ESCAPE + sml.BEGIN + b"\x76\x05\x01\x02\x03\x04\x62\x00\x62\x00\x72\x63\x01\x01\x76",)
    ),
    "iec62056": Target(d0_telegrams, (b"/ABC5xyz\r\n\r\n" + LINES, b"\x02" + LINES + b"\x03\x11")),
    "registers": Target(registers, (struct.pack(">8H", 0x4248, 0, 0x7FC0, 0, 0xFFFF, 0xFFFF, 0x8000, 1),)),
    "maps": Target(maps, (MAP,)),
    "ocmf": Target(signed_texts, (b"\0\1OCMF|{}|{}\0\0",)),
    "pn532": Target(pn532, (pn532_frames.frame(0x4A, b"\1\0"), b"\0\0\xff\0\xff\0", b"\1\1\0\4\x08\4\1\2\3\4")),
    "readers": Target(readers, (b"04A2B3C4\r\n", b"\x0212345678\x03", b"0F")),
    "front_ends": Target(front_ends, (front_end.encode(front_end.Frame(1, 2, front_end.Command().pack())),)),
    "station_files": Target(station_files, (EXAMPLE, b"[station]\nid = 1\n[[evse]]\n[[evse.connector]]\n")),
    "http": Target(
        http,
        (
            b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"POST /api/x?a=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token\r\nContent-Length: 2\r\n\r\n{}",
            b"HEAD //[x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ),
    ),
}
"""By the name under which `make fuzz TARGETS=...` and the folders of the corpus know them."""
