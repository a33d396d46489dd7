"""Every error this package raises, with one root.

PilotwireError
 ├── ConfigurationError (ValueError)        the station file or a start value is wrong
 ├── StorageError (OSError)                 the database cannot be opened or written
 │    └── NewerDatabaseError                it was written by a newer program
 ├── DeviceModelError (LookupError)         no such component, variable, attribute or key
 ├── PayloadError (ValueError)              a payload breaks its schema; carries the CALLERROR code
 ├── RpcError
 │    ├── CallError                         the peer answered a call with CALLERROR
 │    ├── CallTimeout (TimeoutError)        the peer did not answer in time
 │    ├── NotConnected (ConnectionError)    there is no connection, or it broke before the answer
 │    ├── NotPermitted                      the message may not be sent in this boot state
 │    └── QueueFull                         a bound was reached and the policy gave the message up
 ├── ConnectError (ConnectionError)         a connection attempt failed; says how and what to do
 │    ├── HandshakeRefused                  HTTP status instead of a WebSocket
 │    ├── SubprotocolRefused                no common OCPP version
 │    └── TlsFailure                        certificate, host name, version or cipher
 └── SecurityError                          key, certificate or permission problem
"""


class PilotwireError(Exception):
    """Root of all errors raised on purpose by this package."""


class ConfigurationError(PilotwireError, ValueError):
    """A configuration value is wrong; the message names the key, the value and what is allowed."""


class StorageError(PilotwireError, OSError):
    """The database cannot be opened, read or written."""


class NewerDatabaseError(StorageError):
    """The database was written by a newer program; using it could lose records."""


class DeviceModelError(PilotwireError, LookupError):
    """No such component, variable, attribute or configuration key."""


class PayloadError(PilotwireError, ValueError):
    """A payload breaks the schema of its action.

    `code` is the RPC error code prescribed for that defect by OCPP-J of the version spoken; `field` is the path of
    the offending field ("" for the payload as a whole).
    """

    def __init__(self, code: str, description: str, field: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.field = field


class RpcError(PilotwireError):
    """A call could not be completed."""


class CallError(RpcError):
    """The peer answered with CALLERROR, or a handler wants the call to be answered with one.

    `code` is an OCPP-J error code, `description` at most 255 characters, `details` a JSON object.
    """

    def __init__(self, code: str, description: str = "", details: dict[str, object] | None = None) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description
        self.details = details or {}


class CallTimeout(RpcError, TimeoutError):
    """The peer did not answer within the message timeout."""


class NotConnected(RpcError, ConnectionError):
    """There is no connection to the peer, or it broke before the answer came."""


class NotPermitted(RpcError):
    """The message may not be sent in the present boot state (B02.FR.02, B03.FR.03; 1.6 section 4.2)."""


class QueueFull(RpcError):
    """A queue reached its bound and its policy gave this message up."""


class ConnectError(PilotwireError, ConnectionError):
    """A connection attempt failed. The message says what was seen, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.hint = hint


class HandshakeRefused(ConnectError):
    """The CSMS answered the handshake with an HTTP status other than 101."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


class SubprotocolRefused(ConnectError):
    """The CSMS accepted none of the offered OCPP versions, or one that was not offered."""


class TlsFailure(ConnectError):
    """The TLS handshake failed; `event` is the security event that this is, "" for none."""

    def __init__(self, message: str, hint: str = "", event: str = "") -> None:
        super().__init__(message, hint)
        self.event = event


class SecurityError(PilotwireError):
    """A key, certificate or permission is missing or unfit."""
