"""OCPP 1.6 configuration keys: a view on the device model's variables, and vendor keys beside them."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from ocpp.device_model.definition import Attribute, Definition, Mutability, members
from ocpp.device_model.entry import Entry
from ocpp.device_model.keys_table import KEYS, Key
from ocpp.device_model.model import DeviceModel, SetStatus
from ocpp.device_model.standard.internal import EXTENSIONS, PROFILES
from ocpp.errors import DeviceModelError

log = logging.getLogger(__name__)

_PROFILES = {**PROFILES, **EXTENSIONS}
T = TypeVar("T")

VENDOR_COMPONENT = "VendorKeys16"
MAX_VENDOR_KEYS = 200
MAX_KEY_LENGTH = 50
"""CiString50Type."""

MAX_VALUE_LENGTH = 500
"""CiString500Type."""

PRICE_TEXT = "DefaultPriceText,"
"""Beginning of the keys that hold what DefaultPrice is in one more language (extension org.openchargealliance.costmsg);
such a key is there once it was set."""

MAX_PRICE_TEXTS = 16
"""Languages with a key of their own; a display has to turn through them."""

_LANGUAGE = r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*"


class KeyOutcome(StrEnum):
    """ConfigurationStatus."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    REBOOT_REQUIRED = "RebootRequired"
    NOT_SUPPORTED = "NotSupported"


class KeyValue(msgspec.Struct, frozen=True):
    """A key as GetConfiguration tells it; `value` is None where it may not be read."""

    name: str
    read_only: bool
    value: str | None


class _Line:
    """A key with its variable, and how it was told last."""

    __slots__ = ("definition", "entry", "key", "measured", "profile", "shown", "told", "values")

    def __init__(self, key: Key, entry: Entry | None, profile: Entry | None) -> None:
        self.key = key
        self.entry = entry
        """None where the value is fixed."""
        self.profile = profile
        """The variable that says whether the key's feature profile is there; None where it always is."""
        self.definition: Definition | None = None
        self.values: object = None
        self.measured: str | None = None
        self.shown: KeyValue | None = None
        self.told: Any = None


class KeyView:
    """The configuration keys. Names are case-insensitive (CiString)."""

    def __init__(self, model: DeviceModel) -> None:
        self._model = model
        self._keys: dict[str, Key] = {key.name.casefold(): key for key in KEYS}
        self._writers: dict[str, Callable[[str], KeyOutcome]] = {}
        self._lines: list[_Line] = []
        self._profiles: set[Entry] = set()
        """The variables that say whether the feature profiles of the lines are there."""
        self._resolved: tuple[int, int] | None = None
        """The structure of the model, and the number of keys, for which `_lines` holds."""
        self._make: Callable[[str, bool, str | None], Any] | None = None
        for name in model.stored_variables(VENDOR_COMPONENT):
            if name.startswith(PRICE_TEXT):
                self.add_vendor_key(name)

    def __iter__(self) -> Iterator[KeyValue]:
        for key in self._keys.values():
            if self._present(key):
                yield self._key_value(key)

    def told(self, make: Callable[[str, bool, str | None], T]) -> list[T]:
        """Every key, as `make` makes it of name, read-only and value; the same object again while nothing changed."""
        at = (self._model.structure, len(self._keys))
        if at != self._resolved or make is not self._make:
            self._lines = [self._line(key) for key in self._keys.values()]
            self._profiles = {line.profile for line in self._lines if line.profile is not None}
            self._resolved, self._make = at, make
        absent = {profile for profile in self._profiles if profile.value() != "true"}
        told = []
        for line in self._lines:
            if line.profile in absent:
                continue
            entry = line.entry
            if entry is None:
                changed = line.shown is None
            else:
                changed = (
                    entry.values is not line.values
                    or entry.definition is not line.definition
                    or (not line.key.shows_maximum and entry.getter is not None and entry.getter() != line.measured)
                )
            if changed:
                self._tell(line, make)
            told.append(line.told)
        return told

    def _line(self, key: Key) -> _Line:
        profile = _PROFILES.get(key.profile)
        return _Line(
            key,
            self._entry(key) if key.fixed is None else None,
            self._model.entry(profile) if profile is not None else None,
        )

    def _tell(self, line: _Line, make: Callable[[str, bool, str | None], Any]) -> None:
        entry = line.entry
        if entry is not None:
            line.values, line.definition = entry.values, entry.definition
            line.measured = entry.getter() if not line.key.shows_maximum and entry.getter is not None else None
        now = self._key_value(line.key)
        if now != line.shown:
            line.shown, line.told = now, make(now.name, now.read_only, now.value)

    def names(self) -> list[str]:
        """Every key there is."""
        return [key.name for key in self._keys.values() if self._present(key)]

    def add_vendor_key(self, name: str, value: str = "", *, read_only: bool = False) -> None:
        """A key of the vendor's own; ValueError for a name or value that 1.6 cannot transport."""
        if len(name) > MAX_KEY_LENGTH or len(value) > MAX_VALUE_LENGTH or set(name) & set("[]@/"):
            raise ValueError(
                f"key {name[:60]!r}: at most {MAX_KEY_LENGTH} characters, its value {MAX_VALUE_LENGTH}, no []@/"
            )
        if name.casefold() in self._keys:
            raise ValueError(f"key {name}: there is one of that name already")
        if len(self._keys) - len(KEYS) >= MAX_VENDOR_KEYS:
            raise ValueError(f"more than {MAX_VENDOR_KEYS} vendor keys")
        address = f"{VENDOR_COMPONENT}/{name}"
        mutability = Mutability.READ_ONLY if read_only else Mutability.READ_WRITE
        definition = Definition(mutability=mutability, default=value, high=MAX_VALUE_LENGTH, hidden=True)
        self._model.define(address, definition, vendor=True)
        self._keys[name.casefold()] = Key(name, address, "Vendor")

    def add(self, key: Key) -> None:
        """A key that only this station has, for a variable of the model; one of that name that is there stays."""
        if key.name.casefold() in self._keys:
            log.warning("the key %s of the station file hides that of the station", key.name)
            return
        self._keys[key.name.casefold()] = key

    def price_texts(self) -> dict[str, str]:
        """What DefaultPrice is in other languages, by language."""
        found = [key.name for key in self._keys.values() if key.name.startswith(PRICE_TEXT)]
        return {name.removeprefix(PRICE_TEXT): self.value(name) for name in found}

    def _add_price_text(self, name: str) -> Key | None:
        """The key for one more language; None where the name means none, or there is no room for it."""
        language = name[len(PRICE_TEXT) :]
        if not (name.casefold().startswith(PRICE_TEXT.casefold()) and re.fullmatch(_LANGUAGE, language)):
            return None
        if len(self.price_texts()) >= MAX_PRICE_TEXTS:
            log.warning("the key %s is not taken: %d languages have theirs already", name, MAX_PRICE_TEXTS)
            return None
        try:
            self.add_vendor_key(PRICE_TEXT + language)
        except (ValueError, DeviceModelError) as error:
            log.warning("the key %s is not taken: %s", name, error)
        return self._find(name)

    def get(self, names: Iterable[str] = ()) -> tuple[list[KeyValue], list[str]]:
        """The keys asked for (all without names), and the names that no key has."""
        wanted = list(names)
        if not wanted:
            return list(self), []
        keys = {name: self._find(name) for name in wanted}
        found = [self._key_value(key) for key in keys.values() if key is not None]
        return found, [name for name in wanted if keys[name] is None]

    def _find(self, name: str) -> Key | None:
        key = self._keys.get(name.casefold())
        return key if key is not None and self._present(key) else None

    def _present(self, key: Key) -> bool:
        """Keys of a feature profile that the station does not have are not there at all (1.6 section 9)."""
        address = _PROFILES.get(key.profile)
        return address is None or self._model.value(address) == "true"

    def value(self, name: str) -> str:
        """The value of a key; DeviceModelError for an unknown one."""
        return self._value(self._require(name))

    def _value(self, key: Key) -> str:
        if key.fixed is not None:
            return key.fixed
        entry = self._entry(key)
        return f"{entry.definition.high:.0f}" if key.shows_maximum else entry.value()

    def kept(self, name: str) -> bool:
        """Whether the value of a key survives a restart; DeviceModelError for a key that is unknown or has no other."""
        return self._entry(self._settable(name)).definition.kept

    def on_set(self, name: str, writer: Callable[[str], KeyOutcome]) -> None:
        """Let a block decide what ChangeConfiguration of a key does; `writer` gets only values that fit the key."""
        self._writers[self._require(name).name] = writer

    def set(self, name: str, value: str) -> KeyOutcome:
        """What ChangeConfiguration does (1.6 section 5.3)."""
        key = self._find(name) or self._add_price_text(name)
        if key is None:
            return KeyOutcome.NOT_SUPPORTED
        if self.read_only(key) or self._defect(key, value) or (key.raised_only and not self._raises(key, value)):
            return KeyOutcome.REJECTED
        if key.name in self._writers:
            return self._writers[key.name](value)
        outcome = self._write(key, value)
        if outcome is SetStatus.REBOOT_REQUIRED or (outcome is SetStatus.ACCEPTED and key.reboot_required):
            return KeyOutcome.REBOOT_REQUIRED
        return KeyOutcome.ACCEPTED if outcome is SetStatus.ACCEPTED else KeyOutcome.REJECTED

    def set_inside(self, name: str, value: str) -> None:
        """Set a key from inside the station, read-only or not; DeviceModelError when it does not fit."""
        key = self._settable(name)
        defect = self._defect(key, value)
        if defect:
            raise DeviceModelError(f"the key {key.name}: {defect}")
        if key.list_of:
            self._model.set_list_inside(self._entry(key), value)
        else:
            self._model.set_inside(self._entry(key), value)

    def reset_inside(self, name: str) -> None:
        """Back to the default; DeviceModelError for a key that has no other value."""
        self._model.reset(self._entry(self._settable(name)))

    def _write(self, key: Key, value: str) -> SetStatus:
        entry = self._entry(key)
        # 1.6 lists may carry phases, which the variable's own list of values does not know.
        return self._model.write(entry, value, Attribute.ACTUAL, checked=bool(key.list_of)).status

    def _defect(self, key: Key, value: str) -> str:
        if len(value) > MAX_VALUE_LENGTH:
            return f"longer than {MAX_VALUE_LENGTH} characters"
        if key.list_of:
            listed = members(value)
            if key.max_length is not None and len(listed) > key.max_length:
                return f"more than {key.max_length} entries"
            unknown = [member for member in listed if member not in key.list_of]
            return f"{unknown[0][:50]} is not supported" if unknown else ""
        definition = self._entry(key).definition
        defect = definition.defect(value)
        if defect:
            return f"{defect}; allowed is {definition.allowed}"
        return key.check(value) if key.check is not None else ""

    def _raises(self, key: Key, value: str) -> bool:
        """Whether a number that fits is above what holds now (A05.FR.01)."""
        return int(value) > int(self._value(key))

    def _require(self, name: str) -> Key:
        key = self._find(name)
        if key is None:
            raise DeviceModelError(f"there is no configuration key {name}")
        return key

    def _settable(self, name: str) -> Key:
        key = self._require(name)
        if key.fixed is not None or key.shows_maximum:
            raise DeviceModelError(f"the key {key.name} is what it is: {self._value(key)}")
        return key

    def _entry(self, key: Key) -> Entry:
        return self._model.entry(key.address)

    def read_only(self, key: Key) -> bool:
        """Whether the CSMS can only read the key."""
        if key.fixed is not None or key.shows_maximum:
            return True
        if key.raised_only:
            return False
        definition = self._entry(key).definition
        return definition.mutability is Mutability.READ_ONLY or definition.constant

    def _key_value(self, key: Key) -> KeyValue:
        if key.fixed is not None:
            return KeyValue(key.name, True, key.fixed)
        hidden = self._entry(key).definition.mutability is Mutability.WRITE_ONLY
        value = "" if hidden else self._value(key)
        if key.whole and len(value) > MAX_VALUE_LENGTH:
            value = ""
        return KeyValue(key.name, self.read_only(key), None if hidden else value[:MAX_VALUE_LENGTH])
