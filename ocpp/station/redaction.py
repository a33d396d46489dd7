"""Frames and lines without the secrets they may carry, for everything that is written down.

A frame is looked at as what it says, not as text: values are hidden by the name and the place they have. Frames without any
of a few signs, which most are, carry none and are not even parsed.
"""

from collections.abc import Callable
from typing import Any

import orjson

HIDDEN = "***"

MAX_FRAME = 256 * 1024
"""Bytes of a frame that is looked through: some 20 ms of a desktop machine, half a second of a BeagleBone. What is longer
and bears a sign is noted with its length."""

MAX_NESTING = 3
"""Texts of JSON within texts (DataTransfer) that are looked through; what is deeper is hidden."""

_SIGNS = (b"pass", b"secret", b"key", b"pin", b'authorization"', b"://", b"\\")
"""In lower case. Each name below contains one of them, or is a token's (`_suspicious`); a backslash may hide any name."""

_PARTS = ("password", "passwd", "passphrase", "passcode", "secret", "privatekey")
_NAMES = frozenset(
    {
        "authorization",
        "authorizationkey",
        "apikey",
        "accesskey",
        "sharedkey",
        "presharedkey",
        "pin",
        "pincode",
        "simpin",
        "vpnkey",
        "token",
        "accesstoken",
        "apitoken",
        "authtoken",
        "bearertoken",
        "refreshtoken",
    }
)
"""What members, variables and keys that hold a secret are called, without regard to case, blanks, `_` and `-`."""

_OF_A_VARIABLE = frozenset({"attributeValue", "actualValue", "value", "techInfo", "additionalInfo"})
"""Where messages say a variable's or a key's value, or may repeat it."""

_WORD_ENDS = ' \t\r\n"<>'
"""What a URL in a text ends at."""


def redacted(frame: bytes) -> bytes:
    """A frame without the secrets it may carry; the very same one when there are none.

    What is no JSON cannot be looked through: where it bears a sign, only its length is given.
    """
    if not _suspicious(frame):
        return frame
    if len(frame) > MAX_FRAME:
        return orjson.dumps(f"<{len(frame)} bytes: too long to look for secrets>")
    try:
        content = orjson.loads(frame)
        if not _Redaction().clean(holder := [content]):
            return frame
        return orjson.dumps(holder[0])
    except (ValueError, TypeError):  # orjson's own, too deep ones included
        return orjson.dumps(f"<{len(frame)} bytes that are no JSON and may hold secrets>")


def _suspicious(frame: bytes) -> bool:
    small = frame.lower()
    if any(sign in small for sign in _SIGNS):
        return True
    tokens = small.count(b'token"')
    return tokens != 0 and tokens != small.count(b'idtoken"')


class _Redaction:
    """One walk over parsed values, each looked at once."""

    def __init__(self, nesting: int = 0) -> None:
        self._nesting = nesting
        self._changed = False
        self._open: list[tuple[dict[str, Any] | list[Any], str]] = []
        """Objects and lists to be looked at, with the name they have in their parent."""

    def clean(self, holder: list[Any]) -> bool:
        """Hide what is secret in the values of a list; gives whether there was anything."""
        self._open.append((holder, ""))
        while self._open:
            found, name = self._open.pop()
            if isinstance(found, dict):
                self._object(found, name)
            else:
                for index, value in enumerate(found):
                    self._put(found, index, self._value(value, name))
        return self._changed

    def _put(self, holder: Any, place: Any, value: Any) -> None:
        before = holder[place]
        if value is not before and value != before:
            holder[place] = value
            self._changed = True

    def _object(self, found: dict[str, Any], name: str) -> None:
        secret = self._secrets_of(found, name)
        for member, value in found.items():
            if secret(member) or _is_secret(member):
                self._put(found, member, self._hidden(value))
            else:
                self._put(found, member, self._value(value, member))

    def _secrets_of(self, found: dict[str, Any], name: str) -> Callable[[str], bool]:
        """What tells the members of an object that are secret for what stands beside them."""
        if name.lower() == "vpn":
            return lambda member: member == "key"
        kind = found.get("type")
        if isinstance(kind, str) and (_plain(kind) == "keycode" or _is_secret(kind)):
            return lambda member: member in ("idToken", "additionalIdToken")
        variable = found.get("variable")
        named = variable.get("name") if isinstance(variable, dict) else found.get("key")
        if isinstance(named, str) and _is_secret(named):
            self._hide_attributes(found)
            return _OF_A_VARIABLE.__contains__
        return lambda member: False

    def _hide_attributes(self, found: dict[str, Any]) -> None:
        """A variable's value may stand in a list (NotifyReport), its repetition beside the status (SetVariables)."""
        for member in ("variableAttribute", "attributeStatusInfo"):
            inner = found.get(member)
            for each in inner if isinstance(inner, list) else [inner]:
                if isinstance(each, dict):
                    for place in _OF_A_VARIABLE.intersection(each):
                        self._put(each, place, self._hidden(each[place]))

    @staticmethod
    def _hidden(value: Any) -> Any:
        """Whatever it is, save nothing and empty text, which say that there is none."""
        return value if value is None or value == "" or isinstance(value, bool) else HIDDEN

    def _value(self, value: Any, name: str) -> Any:
        if isinstance(value, dict | list):
            self._open.append((value, name))
            return value
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        if text[:1] in ("{", "[") and _suspicious(text.encode()):
            return self._nested(text)
        if "PRIVATE KEY-" in text:
            return HIDDEN
        return without_url_secrets(text)

    def _nested(self, text: str) -> str:
        """A text that is JSON again, as vendors send it by DataTransfer."""
        try:
            content = orjson.loads(text)
        except ValueError:
            return HIDDEN if _names_secret(text) else without_url_secrets(text)
        if self._nesting >= MAX_NESTING:
            return HIDDEN
        if not _Redaction(self._nesting + 1).clean(holder := [content]):
            return text
        return orjson.dumps(holder[0]).decode()


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def _is_secret(name: str) -> bool:
    """Whether what bears this name is a secret."""
    plain = _plain(name)
    return plain in _NAMES or any(part in plain for part in _PARTS)


def _names_secret(text: str) -> bool:
    plain = _plain(text)
    return any(part in plain for part in (*_PARTS, "authorizationkey", "keycode"))


def without_url_secrets(text: str) -> str:
    """A text whose URLs have neither user and password nor the values of their query: presigned ones are passwords."""
    if "://" not in text:
        return text
    pieces = text.split("://")
    made = [pieces[0]]
    for piece in pieces[1:]:
        end = next((at for at, letter in enumerate(piece) if letter in _WORD_ENDS), len(piece))
        made.append(_without_secrets(piece[:end]) + piece[end:])
    return "://".join(made)


def _without_secrets(rest: str) -> str:
    """What follows `://` of one URL."""
    at = rest.rfind("@", 0, _end_of_host(rest))
    if at >= 0:
        rest = f"{HIDDEN}@{rest[at + 1 :]}"
    path, mark, query = rest.partition("?")
    if mark:
        return f"{path}?{'&'.join(_without_value(each) for each in query.split('&'))}"
    path, mark, fragment = rest.partition("#")
    return f"{path}#{_without_value(fragment)}" if mark and "=" in fragment else rest


def _end_of_host(rest: str) -> int:
    """Up to where an `@` ends user and password. A password that holds `/`, `?` or `#` as it is leaves a port that is none."""
    end = min((at for mark in "/?#" if (at := rest.find(mark)) >= 0), default=len(rest))
    host = rest[:end]
    if "@" in host:
        return end
    port = host.rpartition(":")[2] if ":" in host and not host.endswith("]") else ""
    return end if not port or port.isdigit() else len(rest)


def _without_value(part: str) -> str:
    name, mark, value = part.partition("=")
    if mark:
        return f"{name}={HIDDEN}" if value else part
    return HIDDEN if part else part
