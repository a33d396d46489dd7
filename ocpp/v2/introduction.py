"""How a station introduces itself in OCPP 2.0.1 and 2.1."""

from datetime import datetime

from ocpp.core.boot import BootAnswer
from ocpp.core.introduction import Introduction
from ocpp.messages import v2
from ocpp.rpc.permission import BootState


class Introduction2(Introduction):
    """2.0.1 or 2.1, whichever the CSMS picked for the connection."""

    major = 2

    async def introduce(self, reason: str) -> BootAnswer:
        """See `Introduction.introduce`."""
        identity = self.surroundings.identity
        modem = None
        if identity.iccid or identity.imsi:
            modem = v2.Modem(iccid=identity.iccid, imsi=identity.imsi)
        request = v2.BootNotificationRequest(
            reason=v2.BootReasonEnum(reason),
            charging_station=v2.ChargingStation(
                model=identity.model,
                vendor_name=identity.vendor,
                serial_number=identity.serial_number,
                firmware_version=identity.firmware_version,
                modem=modem,
            ),
        )
        response: v2.BootNotificationResponse = await self.endpoint.call(request)
        return BootAnswer(BootState(response.status.value), response.interval, response.current_time)

    async def beat(self) -> datetime:
        """See `Introduction.beat`."""
        response: v2.HeartbeatResponse = await self.endpoint.call(v2.HeartbeatRequest())
        return response.current_time
