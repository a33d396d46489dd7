"""How a station introduces itself in OCPP 1.6."""

from datetime import datetime

from ocpp.core.boot import BootAnswer
from ocpp.core.introduction import Introduction
from ocpp.messages import v16
from ocpp.rpc.permission import BootState


class Introduction16(Introduction):
    """OCPP 1.6, which cuts texts to its own lengths and takes no reason."""

    major = 1

    async def introduce(self, reason: str) -> BootAnswer:
        """See `Introduction.introduce`."""
        identity = self.surroundings.identity
        serial = identity.serial_number
        request = v16.BootNotificationRequest(
            charge_point_vendor=identity.vendor[:20],
            charge_point_model=identity.model[:20],
            charge_point_serial_number=serial[:25] if serial else None,
            charge_box_serial_number=(identity.charge_box_serial_number or serial or "")[:25] or None,
            firmware_version=identity.firmware_version[:50] if identity.firmware_version else None,
            iccid=identity.iccid[:20] if identity.iccid else None,
            imsi=identity.imsi[:20] if identity.imsi else None,
        )
        response: v16.BootNotificationResponse = await self.endpoint.call(request)
        return BootAnswer(BootState(response.status.value), response.interval, response.current_time)

    async def beat(self) -> datetime:
        """See `Introduction.beat`."""
        response: v16.HeartbeatResponse = await self.endpoint.call(v16.HeartbeatRequest())
        return response.current_time
