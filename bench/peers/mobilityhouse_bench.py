"""Times the library `ocpp` (mobilityhouse) on frames given as JSON on stdin: unpack, validate, build the typed call."""

import asyncio
import json
import statistics
import sys
import time

from ocpp import messages
from ocpp.charge_point import camel_to_snake_case


async def inbound(frame, version, action):
    message = messages.unpack(frame)
    if isinstance(message, messages.CallResult):
        message.action = action
    await messages.validate_payload(message, version)
    return camel_to_snake_case(message.payload)


async def main():
    outcome = {}
    for name, (version, action, frame) in json.load(sys.stdin).items():
        for _ in range(3):
            await inbound(frame, version, action)
        times = []
        for _ in range(30):
            start = time.perf_counter()
            await inbound(frame, version, action)
            times.append(time.perf_counter() - start)
        outcome[name] = statistics.median(times)
    json.dump(outcome, sys.stdout)


asyncio.run(main())
