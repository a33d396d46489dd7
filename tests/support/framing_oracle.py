"""The envelope read the slow way: the whole frame through `json`, then looked at element by element."""

import json
from typing import Any, NamedTuple

from ocpp._native import framing

ELEMENTS = {2: 4, 3: 3, 4: 5, 5: 5, 6: 4}


class Read(NamedTuple):
    """What a good frame says; `texts` are what stands between message id and payload."""

    message_type: int
    message_id: str
    texts: tuple[str, ...]
    payload: dict[str, Any]


def read(frame: bytes) -> Read | None:
    """None for everything that is no OCPP-J message."""
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, list) or len(message) < 3 or type(message[0]) is not int:
        return None
    if ELEMENTS.get(message[0]) != len(message):
        return None
    head = message[1:-1]
    if not all(isinstance(each, str) for each in head) or not isinstance(message[-1], dict):
        return None
    limits = [framing.MAX_MESSAGE_ID, framing.MAX_ACTION]
    if message[0] in (4, 5):
        limits = [framing.MAX_MESSAGE_ID, framing.MAX_ERROR_CODE, framing.MAX_ERROR_DESCRIPTION]
    if any(len(text) > limit for text, limit in zip(head, limits, strict=False)):
        return None
    try:
        "".join(head).encode()
    except UnicodeEncodeError:
        return None  # half a surrogate pair is no text
    return Read(message[0], head[0], tuple(head[1:]), message[-1])


def scanned(frame: bytes) -> Read | None:
    """The same from the compiled scanner; the payload is parsed here, where it was only cut out there."""
    try:
        found = framing.scan(frame)
    except framing.FrameDefect:
        return None
    try:
        payload = json.loads(bytes(found.payload))
    except (ValueError, RecursionError):
        return None
    if not isinstance(payload, dict):
        return None
    texts: tuple[str, ...] = ()
    if found.message_type in (2, 6):
        texts = (found.action,)
    elif found.message_type in (4, 5):
        texts = (found.error_code, found.error_description)
    return Read(found.message_type, found.message_id, texts, payload)
