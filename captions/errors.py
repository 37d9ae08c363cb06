"""The error tree.

::

    LivecaptionsError
    ├── Refusal                sent to the client: docs/protocol.md, the table of errors
    │   ├── ClientFault        the client has to change the request
    │   │   ├── BadRequest
    │   │   ├── Unauthorized
    │   │   ├── Forbidden
    │   │   ├── NotFound
    │   │   ├── TrackBusy
    │   │   ├── TakenOver
    │   │   ├── Changed
    │   │   ├── TooLarge
    │   │   ├── UnsupportedAudio
    │   │   ├── SlowConsumer
    │   │   ├── QuotaExceeded
    │   │   └── LoginFailed
    │   └── ServerFault        the same request may succeed later, or at another gateway
    │       ├── TooMany
    │       ├── Overloaded
    │       ├── ShuttingDown
    │       ├── LoginUnavailable
    │       └── Internal
    ├── SetupError             wrong settings, model or machine: printed, exit code 2
    ├── RecordError            a record on the log cannot be parsed
    ├── LogError               an append, read or commit failed
    └── EngineError            a decode failed: the same request may be tried again
"""

from typing import ClassVar


class LivecaptionsError(Exception):
    """The base class of all errors that this project raises."""


class Refusal(LivecaptionsError):
    """A refused request, as it is sent to the client.

    ``message`` says what happened and what to do. ``retry_after`` is in seconds; None means no advice.
    """

    code: ClassVar[str]
    http_status: ClassVar[int]
    close_code: ClassVar[int]
    default_retry_after: ClassVar[float | None] = None

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = self.default_retry_after if retry_after is None else retry_after


class ClientFault(Refusal):
    """A refusal that the client has to fix."""


class BadRequest(ClientFault):
    """A parameter or message is wrong. The error message names it."""

    code, http_status, close_code = "bad_request", 400, 1008


class Unauthorized(ClientFault):
    """The token is missing or unknown."""

    code, http_status, close_code = "unauthorized", 401, 1008


class Forbidden(ClientFault):
    """The token does not cover this room or this right."""

    code, http_status, close_code = "forbidden", 403, 1008


class NotFound(ClientFault):
    """The room to read is unknown, or the session to resume is unknown or expired."""

    code, http_status, close_code = "not_found", 404, 1008


class TrackBusy(ClientFault):
    """Another publisher is connected on the track."""

    code, http_status, close_code = "track_busy", 409, 1008


class TakenOver(ClientFault):
    """Another publisher took the track with ``takeover``. The session has ended."""

    code, http_status, close_code = "taken_over", 409, 1008


class Changed(ClientFault):
    """Somebody else has changed it since it was read. Read it again, and change that."""

    code, http_status, close_code = "changed", 412, 1008


class TooLarge(ClientFault):
    """A frame is over 64 KiB, or too much audio is waiting for its acknowledgement."""

    code, http_status, close_code = "too_large", 413, 1009


class UnsupportedAudio(ClientFault):
    """The bytes do not match ``encoding``."""

    code, http_status, close_code = "unsupported_audio", 415, 1003


class SlowConsumer(ClientFault):
    """The viewer read too slowly. It can resume with ``after``."""

    code, http_status, close_code = "slow_consumer", 429, 1008


class QuotaExceeded(ClientFault):
    """The key or the tenant has sent all the audio that it may send this month."""

    code, http_status, close_code = "quota_exceeded", 429, 1008


class LoginFailed(ClientFault):
    """The identity provider's answer does not belong to a login that began here, or is not valid."""

    code, http_status, close_code = "login_failed", 403, 1008


class ServerFault(Refusal):
    """The same request may succeed later, or at another gateway."""


class TooMany(ServerFault):
    """A limit is reached: the server's, or one of the client's key, tenant or address."""

    code, http_status, close_code, default_retry_after = "too_many", 429, 1013, 10.0


class Overloaded(ServerFault):
    """Workers are behind. New sessions have to wait."""

    code, http_status, close_code, default_retry_after = "overloaded", 503, 1013, 10.0


class ShuttingDown(ServerFault):
    """This gateway is draining. Another gateway takes over."""

    code, http_status, close_code, default_retry_after = "shutting_down", 503, 1001, 1.0

    def __init__(self) -> None:
        super().__init__("this server is stopping; reconnect and continue where you were, another server takes over")


class LoginUnavailable(ServerFault):
    """The identity provider does not answer, or answers nonsense."""

    code, http_status, close_code, default_retry_after = "login_unavailable", 503, 1013, 10.0


class Internal(ServerFault):
    """An unexpected error in the server. The server's log shows it under the session's id."""

    code, http_status, close_code = "internal", 500, 1011


REFUSALS: tuple[type[Refusal], ...] = (
    BadRequest, Unauthorized, Forbidden, NotFound, TrackBusy, TakenOver, Changed, TooLarge, UnsupportedAudio,
    SlowConsumer, QuotaExceeded, LoginFailed, TooMany, Overloaded, ShuttingDown, LoginUnavailable, Internal,
)  # fmt: skip
"""All refusals. Each has a unique ``code``."""


class SetupError(LivecaptionsError):
    """The settings, the model or the machine are wrong. The message says how to fix it."""


class RecordError(LivecaptionsError):
    """A record's headers or value do not match the format of its topic."""


class LogError(LivecaptionsError):
    """The log could not append, read or commit."""


class EngineError(LivecaptionsError):
    """The engine failed on a well-formed request."""
