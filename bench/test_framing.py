"""Frames: bytes to typed, validated message and back; floor `orjson` alone, peers msgspec in two steps and mobilityhouse."""

import json
import subprocess
from functools import cache
from pathlib import Path

import msgspec
import orjson
import pytest
from frames import CALLS, RESULT, frame, result_frame

from ocpp._native import codec as codec_module
from ocpp.messages import catalogue

ROOT = Path(__file__).parents[1]
MOBILITYHOUSE = ROOT / ".venvs/mobilityhouse/bin/python"
MESSAGE_ID = "19223201-7b1c-4c53-9d35-2f9f0a1b2c3d"

INBOUND = [*CALLS, "1.6 StartTransaction.conf"]


def _frame(name):
    return frame(name) if name in CALLS else result_frame()


@pytest.mark.parametrize("name", INBOUND)
def test_inbound_floor(benchmark, role, name):
    role(f"inbound: {name}", "floor", "orjson.loads")
    benchmark(orjson.loads, _frame(name))


@pytest.mark.parametrize("name", INBOUND)
def test_inbound(benchmark, role, name):
    role(f"inbound: {name}", "ours", "pilotwire, typed and validated")
    version, action, _ = CALLS.get(name, RESULT)
    codec = catalogue(version)
    raw = _frame(name)
    assert codec_module.read(raw, codec.requests, MESSAGE_ID, codec.response_codec(action)).message is not None
    benchmark(codec_module.read, raw, codec.requests, MESSAGE_ID, codec.response_codec(action))


@pytest.mark.parametrize("name", INBOUND)
def test_inbound_two_steps(benchmark, role, name):
    role(f"inbound: {name}", "peer", "msgspec in two steps")
    version, action, _ = CALLS.get(name, RESULT)
    codec = catalogue(version)
    kind = codec.request_type(action) if name in CALLS else codec.response_type(action)
    envelope = msgspec.json.Decoder(list[msgspec.Raw])
    payload = msgspec.json.Decoder(kind)
    raw = _frame(name)
    benchmark(lambda: payload.decode(envelope.decode(raw)[-1]))


@cache
def _mobilityhouse():
    frames = {name: (*CALLS.get(name, RESULT)[:2], _frame(name).decode()) for name in INBOUND}
    command = [str(MOBILITYHOUSE), "-P", str(ROOT / "bench/peers/mobilityhouse_bench.py")]
    done = subprocess.run(command, input=json.dumps(frames), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", INBOUND)
def test_inbound_mobilityhouse(benchmark, role, name):
    if not MOBILITYHOUSE.exists():
        pytest.skip("the peer 'ocpp' is not installed: make peers")
    role(f"inbound: {name}", "peer", "mobilityhouse ocpp 2.1.0")
    seconds = _mobilityhouse()[name]
    # Measured in its own process and environment; what is timed here is a stand-in with that duration.
    benchmark.extra_info["measured_elsewhere"] = True
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.stats.stats.data = [seconds]


@pytest.mark.parametrize("name", list(CALLS))
def test_outbound_floor(benchmark, role, name):
    role(f"outbound: {name}", "floor", "msgspec.json.encode")
    version, action, payload = CALLS[name]
    message = catalogue(version).decode_request(action, json.dumps(payload).encode())
    benchmark(msgspec.json.Encoder().encode, message)


@pytest.mark.parametrize("name", list(CALLS))
def test_outbound(benchmark, role, name):
    role(f"outbound: {name}", "ours", "pilotwire, whole frame")
    version, action, payload = CALLS[name]
    codec = catalogue(version)
    message = codec.decode_request(action, json.dumps(payload).encode())
    benchmark(codec.writer.call, MESSAGE_ID, action, message)


@pytest.mark.parametrize("name", list(CALLS))
def test_outbound_orjson(benchmark, role, name):
    role(f"outbound: {name}", "peer", "orjson.dumps of ready dicts")
    _, action, payload = CALLS[name]
    benchmark(orjson.dumps, [2, MESSAGE_ID, action, payload])
