"""Network connection profiles set by the CSMS (B09, B10)."""

from __future__ import annotations

import logging

import msgspec

from ocpp.connectivity.profile import MAX_MESSAGE_TIMEOUT_S, MIN_MESSAGE_TIMEOUT_S, NetworkProfile
from ocpp.connectivity.slots import readable
from ocpp.core.context import Context
from ocpp.device_model.definition import Attribute, members
from ocpp.device_model.entry import Entry
from ocpp.device_model.model import SetOutcome, SetStatus
from ocpp.errors import ConfigurationError, StorageError
from ocpp.messages import v2
from ocpp.storage.network_slots import NetworkSlotRepository
from ocpp.versions import OcppVersion

PRIORITY = "NetworkConfigurationPriority"

_VERSIONS = {
    "OCPP16": OcppVersion.V16,
    "OCPP201": OcppVersion.V201,
    "OCPP20": OcppVersion.V201,
    "OCPP21": OcppVersion.V21,
}

log = logging.getLogger(__name__)


class NetworkProfiles:
    """Stores profiles in configuration slots; they are used after a reconnect or restart in the order of priority."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._slots = NetworkSlotRepository(context.database)
        self._priority = context.model.entry(f"OCPPCommCtrlr/{PRIORITY}")

    def callbacks_complete(self) -> None:
        """Watch what the CSMS writes into the order of priority."""
        self._context.model.guard(self._check_priority)

    def _check_priority(self, entry: Entry, attribute: Attribute, value: str) -> SetOutcome | None:
        """Every slot named must hold a profile that may be used (B10.FR.02, A05.FR.02)."""
        if entry is not self._priority:
            return None
        stored = readable(self._slots.load())
        for slot in members(value):
            profile = stored.get(int(slot)) if slot.isdecimal() else None
            if profile is None:
                return SetOutcome(SetStatus.REJECTED, "InvalidNetworkConf", f"slot {slot} holds no profile")
            if self._defect(profile):
                return SetOutcome(SetStatus.REJECTED, "InvalidNetworkConf", self._defect(profile))
            if not self._context.upgrade.allows(profile.security_profile):
                return SetOutcome(SetStatus.REJECTED, "NoSecurityDowngrade", f"slot {slot} is less secure")
            missing = self._missing(profile)
            if missing:
                return SetOutcome(SetStatus.REJECTED, "InvalidNetworkConf", missing)
        return None

    @staticmethod
    def _defect(profile: NetworkProfile) -> str:
        try:
            profile.check()
        except ConfigurationError as error:
            return str(error)
        return ""

    def _missing(self, profile: NetworkProfile) -> str:
        """A higher security profile has its prerequisites (A05.FR.02-03)."""
        upgrade = self._context.upgrade
        return upgrade.missing(profile.security_profile) if profile.security_profile > upgrade.current else ""

    def set_network_profile(self, request: v2.SetNetworkProfileRequest) -> v2.SetNetworkProfileResponse:
        """B09."""
        allowed = self._priority.definition.values
        if str(request.configuration_slot) not in allowed:
            return self._response("Rejected", "InvalidConfSlot")
        data = request.connection_data
        if not self._context.upgrade.allows(data.security_profile):
            return self._response("Rejected", "NoSecurityDowngrade")
        if data.ocpp_transport == "SOAP":
            return self._response("Rejected", "InvalidNetworkConf")
        if not MIN_MESSAGE_TIMEOUT_S <= data.message_timeout <= MAX_MESSAGE_TIMEOUT_S:
            wanted = f"messageTimeout must be from {MIN_MESSAGE_TIMEOUT_S} to {MAX_MESSAGE_TIMEOUT_S} s"
            return self._response("Rejected", "InvalidNetworkConf", wanted)
        try:
            profile = self._profile(request.configuration_slot, data)
            profile.check()
        except ConfigurationError as error:
            return self._response("Rejected", "InvalidNetworkConf", str(error))
        try:
            self._slots.put(request.configuration_slot, msgspec.json.encode(profile))
        except StorageError as error:
            log.error("the network profile of the CSMS is not kept: %s", error)
            return self._response("Failed", "InternalError", "the profile cannot be written")
        log.info("network profile %d set by the CSMS: %s", profile.slot, profile.shown_url)
        return self._response("Accepted")

    def _profile(self, slot: int, data: v2.NetworkConnectionProfile) -> NetworkProfile:
        stored = readable(self._slots.load())
        before = stored.get(slot)
        version = _VERSIONS.get(str(data.ocpp_version)) if data.ocpp_version is not None else None
        catalogue = self._context.rpc.catalogue
        spoken = catalogue.version if catalogue is not None else OcppVersion.V201
        password = data.basic_auth_password or (before.password if before is not None else None)
        return NetworkProfile(
            slot=slot,
            url=data.ocpp_csms_url,
            version=version or spoken,
            security_profile=data.security_profile,
            password=password or self._password_in_use(stored),
            interface=str(data.ocpp_interface),
            message_timeout_s=data.message_timeout,
            identity=data.identity,
            ca_file=before.ca_file if before is not None else None,
        )

    def _password_in_use(self, stored: dict[int, NetworkProfile]) -> str | None:
        """2.0.1 has one password for all profiles (SecurityCtrlr.BasicAuthPassword)."""
        connectivity = self._context.connectivity
        active = stored.get(connectivity.status.slot or 0) if connectivity is not None else None
        return active.password if active is not None else None

    @staticmethod
    def _response(status: str, reason: str = "", info: str | None = None) -> v2.SetNetworkProfileResponse:
        return v2.SetNetworkProfileResponse(
            status=v2.SetNetworkProfileStatusEnum(status),
            status_info=v2.StatusInfo(reason_code=reason, additional_info=info[:500] if info else None)
            if reason
            else None,
        )
