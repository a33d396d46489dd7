"""JSON that is damaged: read as far as it can be understood.

For answers alone, and only after the exact way has failed; a frame is bounded by the transport.
"""

import json
from typing import Any

import orjson

_decoder = json.JSONDecoder(strict=False)
"""Takes raw control characters in texts, NaN and Infinity, as home-made CSMSs write them."""

MAX_DEPTH = 8
"""Damaged objects within damaged objects; messages nest half as deep."""

_SPACE = " \t\r\n\0"
_BOM = "\ufeff"


def read_any(data: bytes | memoryview) -> Any:
    """The value; of a damaged object or list what stands before the damage. None where there is nothing."""
    try:
        return orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError):
        return _read_text(str(data, "utf-8", "replace").strip(_SPACE + _BOM))


def _read_text(text: str) -> Any:
    try:
        return _encodable(_decoder.decode(text))
    except (ValueError, RecursionError):
        pass
    if text.startswith("["):
        return _encodable(_items(text))
    return _encodable(_members(text, 0)) if text.startswith("{") else None


def _encodable(value: Any) -> Any:
    """The value with question marks for lone surrogates, which nothing could store or send."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _items(text: str) -> list[Any]:
    """The elements of a damaged list; of one that is damaged itself and an object, its sound members."""
    found: list[Any] = []
    at = 1
    while (at := _skip(text, at)) < len(text):
        value, after = _value(text, at)
        if after < 0:
            if text[at] == "{":
                found.append(_members(text[at:], 0))
            break
        found.append(value)
        at = _skip(text, after)
        if text[at : at + 1] != ",":
            break
        at += 1
    return found


def _members(text: str, depth: int) -> dict[str, Any]:
    """The members of a damaged object that are whole."""
    found: dict[str, Any] = {}
    at = 1
    while text[(at := _skip(text, at)) : at + 1] == '"':
        key, after = _value(text, at)
        colon = _skip(text, after)
        if after < 0 or text[colon : colon + 1] != ":":
            break
        begin = _skip(text, colon + 1)
        value, after = _value(text, begin)
        if after < 0:
            if text[begin : begin + 1] == "{" and depth < MAX_DEPTH:
                found[key] = _members(text[begin:], depth + 1)
            break
        found[key] = value
        at = _skip(text, after)
        if text[at : at + 1] != ",":
            break
        at += 1
    return found


def _value(text: str, at: int) -> tuple[Any, int]:
    """The value at that place and where it ends; -1 where there is none.

    A number at the very end may have been longer, and is none.
    """
    try:
        value, after = _decoder.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, -1
    return (value, after) if after < len(text) or text[after - 1] in '"}]el' else (None, -1)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
