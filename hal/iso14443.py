"""ISO/IEC 14443 A cards as readers see them: unique identifiers (part 3, clause 6.5) and their presence in the field."""

from hal.errors import ReaderError

CASCADE_TAG = 0x88
"""First byte of a cascade level that does not end the UID (part 3, clause 6.5.4); no byte of the UID itself."""

RANDOM = 0x08
"""First byte of a UID of 4 bytes that the card makes up for every activation, as phones do (part 3, clause 6.5.4)."""

UID_SIZES = (4, 7, 10)

REMOVED_AFTER_S = 1.0
"""How long a card has to be out of sight to count as taken away; a card at the edge of the field flickers."""

MAX_PRESENT = 8
"""Cards that are remembered at a time; more do not fit in front of an antenna."""


def uid_text(uid: bytes) -> str:
    """The UID as users read it on their cards and in apps: upper-case hex, in the order of the anticollision.

    Cascade tags that a reader has left in (8 or 12 bytes) are taken out. ReaderError for any other length.
    """
    if len(uid) == 8 and uid[0] == CASCADE_TAG:
        uid = uid[1:]
    elif len(uid) == 12 and uid[0] == uid[4] == CASCADE_TAG:
        uid = uid[1:4] + uid[5:]
    if len(uid) not in UID_SIZES:
        raise ReaderError(f"a UID has 4, 7 or 10 bytes, and not {len(uid)}: {uid.hex()}")
    return uid.hex().upper()


def level_bytes(answer: bytes) -> bytes:
    """The four UID bytes of one cascade level, from its five with the check byte (BCC); ReaderError if that is wrong."""
    if len(answer) != 5:
        raise ReaderError(f"an anticollision answer has 5 bytes, and not {len(answer)}")
    if answer[0] ^ answer[1] ^ answer[2] ^ answer[3] != answer[4]:
        raise ReaderError(f"wrong check byte in anticollision answer {answer.hex()}")
    return answer[:4]


def is_random(text: str) -> bool:
    """Whether the card made this UID up and will have another one the next time."""
    return len(text) == 8 and text.startswith(f"{RANDOM:02X}")


class Presence:
    """Makes one presentation of a card out of many polls that see it. Times are monotonic seconds.

    Only polls that work count: while a reader is out of order, nobody has been taken away. With `randoms_are_one` all
    random UIDs together are one card: a phone that lies on the reader makes up a new one whenever the field was off.
    """

    def __init__(self, removed_after_s: float = REMOVED_AFTER_S, *, randoms_are_one: bool = True) -> None:
        self._removed_after_s = removed_after_s
        self._randoms_are_one = randoms_are_one
        self._missing: dict[str, float | None] = {}
        """Card -> since when polls have missed it; None: the newest poll saw it."""

    @property
    def present(self) -> bool:
        """Whether any card counts as present."""
        return bool(self._missing)

    def see(self, text: str | None, now: float) -> str | None:
        """A poll saw this card, or none; gives it if it is presented now, and None if it lay there before."""
        key = "random" if text is not None and self._randoms_are_one and is_random(text) else text
        for other, since in list(self._missing.items()):
            if other == key:
                continue
            if since is None:
                self._missing[other] = now
            elif now - since >= self._removed_after_s:
                del self._missing[other]
        if key is None:
            return None
        new = key not in self._missing
        self._missing[key] = None
        if len(self._missing) > MAX_PRESENT:
            del self._missing[next(iter(self._missing))]
        return text if new else None
