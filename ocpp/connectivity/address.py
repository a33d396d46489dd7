"""URLs of a CSMS: which are ones, what is made of them for a station, and how they are shown."""

import re
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

MAX_LENGTH = 2000
"""NetworkConnectionProfileType.ocppCsmsUrl of 2.1; 2.0.1 has 512."""

MAX_HOST = 253
"""Characters of a name in DNS."""

_UNFIT = re.compile(r'[\x00-\x20\x7f-\xa0"<>\\^`{|}\u2028\u2029\ufeff]|[\ud800-\udfff]')
"""What no URL has unescaped (RFC 3986 appendix A)."""

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL = re.compile(r"(?ai)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def defect(url: str) -> str:
    """What keeps a URL from being one of a CSMS, in words that follow "url ..."; "" when nothing does."""
    if len(url) > MAX_LENGTH:
        return f"has more than {MAX_LENGTH} characters"
    unfit = _UNFIT.search(url)
    if unfit is not None:
        return f"contains {unfit[0]!a}, which no URL may"
    if not url.lower().startswith(("ws://", "wss://")):
        return "must begin with ws:// or wss://"
    if _BAD_ESCAPE.search(url):
        return "contains a % that is not followed by two hexadecimal digits"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"cannot be read: {error}"
    return _defect_of_parts(url, parts, port)


def _defect_of_parts(url: str, parts: SplitResult, port: int | None) -> str:
    if "#" in url:
        return "has a fragment (#), which a WebSocket URL may not"
    if "@" in parts.netloc:
        return "names a user, which belongs into the identity and password of the network profile"
    if port == 0 or parts.netloc.endswith(":"):
        return "names no port behind the colon"
    if not parts.hostname:
        return "names no host"
    if "[" in parts.netloc and not re.fullmatch(r"\[[^\]]*\](:\d+)?", parts.netloc):
        return "has something between the address in brackets and the port"
    return _defect_of_host(parts.hostname, "[" in parts.netloc)


def _defect_of_host(host: str, bracketed: bool) -> str:
    from ipaddress import AddressValueError, IPv4Address, IPv6Address

    try:
        if bracketed:
            IPv6Address(host)
            return ""
        name = host if host.isascii() else host.encode("idna").decode()
        labels = name.removesuffix(".").split(".")
        if labels[-1].isdecimal():
            IPv4Address(host)
            return ""
    except AddressValueError as error:
        return f"names a host that is no address: {error}"
    except UnicodeError as error:
        return f"names a host that DNS cannot have: {error}"
    if len(name) > MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        return f"names a host that DNS cannot have: {host[:60]!r}"
    return ""


def for_station(url: str, identity: str) -> str:
    """The connection URL: the percent-encoded identity is the last part of the path, a query stays behind it (OCPP-J
    section 3.1.1).
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(identity, safe='')}"))


def shown(url: str) -> str:
    """For logs and pages: without the query, which may hold a secret, and without a user."""
    address, _, query = url.partition("?")
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}{'?…' if query else ''}"
