"""Another security profile: what may follow what, the attempt, and the way back when it fails (A05)."""

import logging
from typing import Any

import msgspec

from ocpp.connectivity.profile import (
    BASIC,
    TLS_BASIC,
    TLS_CLIENT_CERTIFICATE,
    NetworkProfile,
)
from ocpp.connectivity.slots import readable
from ocpp.core.certificates import Certificates
from ocpp.device_model import DeviceModel
from ocpp.device_model.definition import members
from ocpp.security.certificate_folder import Kind
from ocpp.security.event_log import SecurityLog
from ocpp.storage.database import Database
from ocpp.storage.network_slots import NetworkSlotRepository
from ocpp.storage.state import StateRepository

PRIORITY = "OCPPCommCtrlr/NetworkConfigurationPriority"
RECONFIGURED = "ReconfigurationOfSecurityParameters"

TRIAL_KEY = "security_upgrade"

LEAST_PASSWORD, LARGEST_PASSWORD = 16, 40
"""Characters of AuthorizationKey and BasicAuthPassword (A00.FR.205)."""

log = logging.getLogger(__name__)


class SecurityUpgrade:
    """Prepares a higher profile, and settles it or takes it back as the connection attempts turn out."""

    def __init__(
        self,
        model: DeviceModel,
        database: Database,
        state: StateRepository,
        certificates: Certificates,
        security: SecurityLog,
    ) -> None:
        self._model = model
        self._database = database
        self._state = state
        self._certificates = certificates
        self._security = security
        self._slots = NetworkSlotRepository(database)
        self._current = model.integer("SecurityCtrlr/SecurityProfile")
        self._downgrade = model.boolean("SecurityCtrlr/AllowSecurityProfileDowngrade")
        self._attempts = model.integer("OCPPCommCtrlr/NetworkProfileConnectionAttempts")
        self._failures = 0

    @property
    def current(self) -> int:
        """The security profile in force."""
        return self._current.value

    def allows(self, security_profile: int) -> bool:
        """Whether the CSMS may lead there: upwards always, down from 3 to 2 where it is allowed, never to 1 (A00.FR.005)."""
        if self.current == TLS_CLIENT_CERTIFICATE and security_profile == TLS_BASIC:
            return self._downgrade.value
        return security_profile >= self.current

    # -- prerequisites --------------------------------------------------------------------------------------------

    def missing(self, security_profile: int) -> str:
        """The certificate that a security profile needs and the station has not (1.6 A05.FR.03-04; 2.x A05.FR.02-03)."""
        if security_profile >= TLS_BASIC and not self._certificates.has(Kind.CSMS_ROOT):
            return f"security profile {security_profile} needs a valid CSMS root certificate"
        if security_profile == TLS_CLIENT_CERTIFICATE and not self._certificates.has(Kind.STATION):
            return "security profile 3 needs a valid certificate of the station"
        return ""

    # -- 1.6: the key ---------------------------------------------------------------------------------------------

    def prepare(self, wanted: int, active_slot: int | None) -> str:
        """Change the network profile in use to security profile `wanted`; gives what is missing, "" when it is done.

        A slot that holds a profile of that very security profile is taken as it is; otherwise the one in use is
        raised, its URL becoming wss://. What was before is kept until the new one has connected.
        """
        stored = self._profiles()
        if not stored:
            return "no network profile is configured"
        slot = active_slot if active_slot in stored else next(iter(stored))
        before = stored[slot]
        ready = next((each for each in stored.values() if each.security_profile == wanted), None)
        after = ready or _raised(before, wanted)
        missing = _password_missing(after) or self.missing(wanted)
        if missing:
            return missing
        with self._database.transaction():
            order = self._model.value(PRIORITY)
            trial = {"slot": before.slot, "profile": msgspec.json.encode(before).decode(), "priority": order}
            self._state.put(TRIAL_KEY, trial)
            self._slots.put(after.slot, msgspec.json.encode(after))
            rest = [slot for slot in members(order) if int(slot) != after.slot]
            self._order([str(after.slot), *rest] if after.slot != before.slot else list(members(order)))
        self._failures = 0
        self._security.record(RECONFIGURED, f"security profile {wanted} is tried")
        return ""

    def _order(self, slots: list[str]) -> None:
        self._model.set_inside(self._model.entry(PRIORITY), ",".join(slots))

    # -- how the attempts turn out --------------------------------------------------------------------------------

    def failed(self, profile: NetworkProfile) -> bool:
        """An attempt failed; after the last one of a trial the profile before comes back (A05.FR.08). Whether it did."""
        trial = self._trial()
        if trial is None:
            return False
        self._failures += 1
        if self._failures < max(1, self._attempts.value):
            return False
        log.error("no connection with security profile %d; back to the one before", profile.security_profile)
        with self._database.transaction():
            self._slots.put(trial["slot"], trial["profile"].encode())
            self._model.set_inside(self._model.entry(PRIORITY), trial["priority"])
            self._state.put(TRIAL_KEY, None)
        self._security.record(RECONFIGURED, "the security profile before is in force again")
        return True

    def connected(self, profile: NetworkProfile) -> None:
        """A connection is open: another security profile, first in the order, is settled (A05.FR.06).

        Less secure profiles are removed; nothing leads back to them (A00.FR.005).
        """
        first = next(iter(members(self._model.value(PRIORITY))), None)
        wanted = profile.security_profile
        if wanted == self.current or not self.allows(wanted) or str(profile.slot) != first:
            return
        log.info("security profile %d is in force", profile.security_profile)
        with self._database.transaction():
            if self._trial() is not None:
                self._state.put(TRIAL_KEY, None)
            self._current.set(profile.security_profile)
            lower = [slot for slot, each in self._profiles().items() if each.security_profile < self.current]
            for slot in lower:
                self._slots.remove(slot)
            self._order([slot for slot in members(self._model.value(PRIORITY)) if int(slot) not in lower])
        self._security.record(RECONFIGURED, f"security profile {profile.security_profile} is in force")

    def _trial(self) -> dict[str, Any] | None:
        trial: dict[str, Any] | None = self._state.get(TRIAL_KEY)
        return trial

    def _profiles(self) -> dict[int, NetworkProfile]:
        return readable(self._slots.load())


def _password_missing(profile: NetworkProfile) -> str:
    """1.6 A05.FR.02."""
    fit = profile.password is not None and LEAST_PASSWORD <= len(profile.password) <= LARGEST_PASSWORD
    if fit or profile.security_profile not in (BASIC, TLS_BASIC):
        return ""
    return f"security profile {profile.security_profile} needs a password of {LEAST_PASSWORD} characters or more"


def _raised(profile: NetworkProfile, wanted: int) -> NetworkProfile:
    url = profile.url
    if wanted >= TLS_BASIC and not profile.secure:
        url = "wss://" + url.partition("://")[2]
    return msgspec.structs.replace(profile, security_profile=wanted, url=url)
