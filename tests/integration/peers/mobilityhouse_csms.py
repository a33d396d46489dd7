"""A CSMS written on the library `ocpp` (mobilityhouse) with the schema validation it ships; runs in its own environment.

It shares nothing with pilotwire. Prints a JSON line for everything that happens; commands come as JSON lines on stdin:
{"action": ..., "payload": ...} is sent to the station after the library has validated it.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime

import websockets

from ocpp import messages

VERSIONS = {"ocpp1.6": "1.6", "ocpp2.0.1": "2.0.1", "ocpp2.1": "2.1"}
ACCEPTED = {"status": "Accepted"}


def say(kind, **more):
    print(json.dumps({"kind": kind, **more}, default=float), flush=True)


def now():
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


class Csms:
    def __init__(self, version):
        self.version = version
        self.transactions = 0

    def answer(self, action, payload):
        info = "idTagInfo" if self.version == "1.6" else "idTokenInfo"
        if action == "BootNotification":
            return {"currentTime": now(), "interval": 60, **ACCEPTED}
        if action == "Heartbeat":
            return {"currentTime": now()}
        if action == "Authorize":
            return {info: ACCEPTED}
        if action == "StartTransaction":
            self.transactions += 1
            return {"transactionId": self.transactions, "idTagInfo": ACCEPTED}
        if action == "StopTransaction":
            return {"idTagInfo": ACCEPTED}
        if action == "TransactionEvent":
            return {"idTokenInfo": ACCEPTED} if "idToken" in payload else {}
        if action == "GetCertificateStatus":
            return {"ocspResult": "MAo=", **ACCEPTED}
        if action == "Get15118EVCertificate":
            return {"exiResponse": "gJhAAA==", **ACCEPTED}
        if action in ("DataTransfer", "SignCertificate", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule"):
            return ACCEPTED
        return {}


async def serve(connection):
    version = VERSIONS[connection.subprotocol]
    csms = Csms(version)
    say("connected", version=version, path=connection.request.path)
    pending = {}

    async def commands():
        loop = asyncio.get_running_loop()
        number = 0
        while True:
            line = await loop.run_in_executor(None, sys.stdin.readline)
            if not line:
                return
            wish = json.loads(line)
            number += 1
            call = messages.Call(f"peer-{number}", wish["action"], wish["payload"])
            await messages.validate_payload(call, version)
            pending[call.unique_id] = call
            await connection.send(call.to_json())

    task = asyncio.ensure_future(commands())
    try:
        async for raw in connection:
            message = messages.unpack(raw)
            if isinstance(message, messages.Call):
                await take_call(connection, csms, message, version)
            elif isinstance(message, messages.CallResult):
                call = pending.pop(message.unique_id)
                message.action = call.action
                await check(message, version)
                say("answer", action=call.action, payload=message.payload)
            else:
                say("error", id=message.unique_id, code=message.error_code, description=message.error_description)
    except websockets.ConnectionClosed:
        pass
    finally:
        task.cancel()
    say("gone")


async def take_call(connection, csms, call, version):
    if not await check(call, version):
        await connection.send(json.dumps([4, call.unique_id, "FormationViolation", "", {}]))
        return
    say("call", action=call.action, payload=call.payload)
    result = messages.CallResult(call.unique_id, csms.answer(call.action, call.payload), call.action)
    await messages.validate_payload(result, version)
    await connection.send(result.to_json())


async def check(message, version):
    try:
        await messages.validate_payload(message, version)
    except Exception as error:
        say("invalid", action=message.action, payload=message.payload, error=repr(error))
        return False
    return True


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=sys.argv[1:], max_size=2**24) as server:
        say("listening", port=server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
