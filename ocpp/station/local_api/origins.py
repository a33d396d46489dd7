"""Who may ask the local API: programs on the machine, and pages of the API's own address, but no page of anywhere else.

A browser on the machine, or in its network, sends what any page tells it to. It says so: a request of a page for another
place bears `Origin`, and one whose name was bent to this address (DNS rebinding) the page's own name as `Host`. A program
such as curl sends neither, and is asked for nothing it does not send anyway.
"""

import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

Headers = Iterable[tuple[bytes, bytes]]

OF_PROGRAMS = ("application/json", "application/x-www-form-urlencoded")
"""Types of a body that a program may name, the second one being what curl says of anything: a form of a page has it as
well, but bears an Origin."""

JSON = "application/json"


class Origins:
    """Looks at the head of every request."""

    def __init__(self, host: str, token: str | None) -> None:
        """`host`: where the API listens; `token`: what requests have to bear, where it is needed."""
        self._names = {"localhost", host.strip("[]").lower()}
        self._token = token

    def refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Status and reason of a refusal; None for a request that may be answered."""
        found: dict[str, list[str]] = {}
        for name, value in headers:
            found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        host = found.get("host", [""])[-1]
        if self._token:
            if not _same(found.get("authorization", [""])[-1], f"Bearer {self._token}"):
                return 401, "this API needs the header Authorization: Bearer <token>, see local_api.token"
        elif host and not self._is_ours(host):
            return (
                403,
                f"this API is not {host!r}; ask for it by its address, localhost, or the name in local_api.listen",
            )
        changes = method not in ("GET", "HEAD")
        if any(not _is_of(origin, host) for origin in found.get("origin", [])):
            return 403, "pages of other places may not use this API"
        if changes and any(site in ("cross-site", "same-site") for site in found.get("sec-fetch-site", [])):
            return 403, "pages of other places may not use this API"
        if changes and "origin" not in found and any(not _is_of(page, host) for page in found.get("referer", [])):
            return 403, "pages of other places may not use this API"
        return self._wrong_type(found) if changes else None

    @staticmethod
    def _wrong_type(found: dict[str, list[str]]) -> tuple[int, str] | None:
        allowed = (JSON,) if "origin" in found else OF_PROGRAMS
        for given in found.get("content-type", []):
            if given.partition(";")[0].strip().lower() not in allowed:
                return 415, f"the body must be JSON, with the header Content-Type: {JSON}"
        return None

    def _is_ours(self, host: str) -> bool:
        """An address is nobody's name, so nobody can have bent it."""
        name = _host_name(f"//{host}").rstrip(".")
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _is_of(page: str, host: str) -> bool:
    """Whether a page, or its origin, is of the very host and port that was asked."""
    try:
        parts = urlsplit(page)
    except ValueError:
        return False
    return parts.scheme == "http" and bool(parts.netloc) and parts.netloc.lower() == host.lower()


def _host_name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("latin-1", "replace"), expected.encode())
