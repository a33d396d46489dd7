"""The charging profiles that are installed, in memory and on disk."""

from collections.abc import Iterator, Sequence

import msgspec

from ocpp.core.schedule import STATION, ChargingProfile, Purpose
from ocpp.storage.charging_profiles import ChargingProfileRepository


class Criteria(msgspec.Struct, frozen=True):
    """Which profiles are meant; what is None does not matter."""

    ids: tuple[int, ...] | None = None
    evse_id: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None
    sources: frozenset[str] | None = None

    def match(self, profile: ChargingProfile) -> bool:
        """Whether a profile is meant (as logical AND, K10.FR.04)."""
        return (
            (self.ids is None or profile.id in self.ids)
            and (self.evse_id is None or profile.evse_id == self.evse_id)
            and (self.purpose is None or profile.purpose is self.purpose)
            and (self.stack_level is None or profile.stack_level == self.stack_level)
            and (self.sources is None or profile.source in self.sources)
        )


class InstalledProfiles:
    """Profiles by id."""

    def __init__(self, repository: ChargingProfileRepository) -> None:
        self._repository = repository
        loaded = (msgspec.json.decode(each, type=ChargingProfile) for each in repository.load())
        self._profiles: dict[int, ChargingProfile] = {each.id: each for each in loaded}

    @property
    def all(self) -> list[ChargingProfile]:
        """Every profile."""
        return list(self._profiles.values())

    def __iter__(self) -> Iterator[ChargingProfile]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self._profiles)

    @property
    def own(self) -> int:
        """How many of them no external system has imposed."""
        return sum(1 for each in self._profiles.values() if each.purpose is not Purpose.EXTERNAL)

    def get(self, profile_id: int) -> ChargingProfile | None:
        """The profile with that id."""
        return self._profiles.get(profile_id)

    def matching(self, criteria: Criteria) -> list[ChargingProfile]:
        """The profiles that are meant."""
        return [each for each in self if criteria.match(each)]

    def in_the_way(self, profile: ChargingProfile) -> list[ChargingProfile]:
        """Those that must not stand beside a profile: same purpose and stack level at one place and one time."""
        others = self._profiles.values()
        return [each for each in others if each.id != profile.id and _collides(each, profile)]

    def replaced_by(self, profile: ChargingProfile) -> list[ChargingProfile]:
        """Those in whose place it comes where one of the same purpose and stack level replaces the other, whenever they are
        valid (1.6 section 5.16): at its place, or everywhere when it is one for the whole station.
        """
        return [each for each in self if each.id != profile.id and _is_replaced(each, profile)]

    def put(self, profile: ChargingProfile, in_place_of: Sequence[ChargingProfile] = ()) -> None:
        """Keep a profile, in place of the one with the same id and of others; on disk when this returns."""
        self._repository.put(profile.id, profile, [each.id for each in in_place_of])
        for each in in_place_of:
            self._profiles.pop(each.id, None)
        self._profiles[profile.id] = profile

    def remove(self, profile: ChargingProfile) -> None:
        """Forget a profile."""
        self._repository.remove(profile.id)
        self._profiles.pop(profile.id, None)


def _collides(one: ChargingProfile, other: ChargingProfile) -> bool:
    if (one.purpose, one.stack_level) != (other.purpose, other.stack_level):
        return False
    if one.purpose is Purpose.TX:
        return one.transaction_id == other.transaction_id
    overlap = _before(one.valid_from, other.valid_to) and _before(other.valid_from, one.valid_to)
    same_place = one.evse_id == other.evse_id or STATION in (one.evse_id, other.evse_id)
    return overlap and same_place


def _is_replaced(old: ChargingProfile, new: ChargingProfile) -> bool:
    if (old.purpose, old.stack_level) != (new.purpose, new.stack_level):
        return False
    if new.purpose is Purpose.TX:
        return old.transaction_id == new.transaction_id
    return new.evse_id in (STATION, old.evse_id)


def _before(start: float | None, end: float | None) -> bool:
    return start is None or end is None or start < end
