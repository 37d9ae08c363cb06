"""The error tree.

::

    LivecaptionsError
    ├── Refusal                what a client is told: PROTOCOL.md's table of refusals
    │   ├── ClientFault        the request has to change
    │   │   ├── BadRequest
    │   │   ├── Unauthorized
    │   │   ├── Forbidden
    │   │   ├── NotFound
    │   │   ├── TrackBusy
    │   │   ├── TakenOver
    │   │   ├── TooLarge
    │   │   ├── UnsupportedAudio
    │   │   └── SlowConsumer
    │   └── ServerFault        the same request may succeed later or elsewhere
    │       ├── TooMany
    │       ├── Overloaded
    │       ├── ShuttingDown
    │       └── Internal
    ├── SetupError             the operator's settings, model or machine: printed, exit code 2
    ├── RecordError            a record on the log that cannot be understood
    ├── LogError               the log could not do what was asked
    └── EngineError            a decode failed: the same request may be tried again
"""

from typing import ClassVar


class LivecaptionsError(Exception):
    """Whatever this project raises on purpose."""


class Refusal(LivecaptionsError):
    """A request that is refused, as the client is told it.

    ``message`` says what happened and what to do; ``retry_after`` is in seconds.
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
    """The client has to send something else."""


class BadRequest(ClientFault):
    """A parameter or a message is wrong; the message names it."""

    code, http_status, close_code = "bad_request", 400, 1008


class Unauthorized(ClientFault):
    """No token, or one nobody knows."""

    code, http_status, close_code = "unauthorized", 401, 1008


class Forbidden(ClientFault):
    """The token lacks this room or this right."""

    code, http_status, close_code = "forbidden", 403, 1008


class NotFound(ClientFault):
    """An unknown room on a read; an unknown or expired session on a resume."""

    code, http_status, close_code = "not_found", 404, 1008


class TrackBusy(ClientFault):
    """Another publisher is live on the track."""

    code, http_status, close_code = "track_busy", 409, 1008


class TakenOver(ClientFault):
    """Another publisher took the track, with ``takeover``; the session is over."""

    code, http_status, close_code = "taken_over", 409, 1008


class TooLarge(ClientFault):
    """A frame over 64 KiB, or too much audio that could not be acknowledged."""

    code, http_status, close_code = "too_large", 413, 1009


class UnsupportedAudio(ClientFault):
    """The bytes are not what ``encoding`` says."""

    code, http_status, close_code = "unsupported_audio", 415, 1003


class SlowConsumer(ClientFault):
    """A viewer that read too slowly; it can resume with ``after``."""

    code, http_status, close_code = "slow_consumer", 429, 1008


class ServerFault(Refusal):
    """The same request may succeed later, or at another gateway."""


class TooMany(ServerFault):
    """A limit on sessions or viewers is reached."""

    code, http_status, close_code, default_retry_after = "too_many", 429, 1013, 10.0


class Overloaded(ServerFault):
    """Workers are behind; new sessions have to wait."""

    code, http_status, close_code, default_retry_after = "overloaded", 503, 1013, 10.0


class ShuttingDown(ServerFault):
    """This gateway drains; another takes over."""

    code, http_status, close_code, default_retry_after = "shutting_down", 503, 1001, 1.0

    def __init__(self) -> None:
        super().__init__("this server is stopping; reconnect and go on where you were, another takes over")


class Internal(ServerFault):
    """Our fault; the log has it under the session's id."""

    code, http_status, close_code = "internal", 500, 1011


REFUSALS: tuple[type[Refusal], ...] = (
    BadRequest, Unauthorized, Forbidden, NotFound, TrackBusy, TakenOver, TooLarge, UnsupportedAudio, SlowConsumer,
    TooMany, Overloaded, ShuttingDown, Internal,
)  # fmt: skip
"""All of them; each has a code of its own."""


class SetupError(LivecaptionsError):
    """Settings, model or machine are not as they must be; the message names the ways out."""


class RecordError(LivecaptionsError):
    """A record's headers or value are not what its topic holds."""


class LogError(LivecaptionsError):
    """The log could not append, read or commit."""


class EngineError(LivecaptionsError):
    """The engine failed on a request that was well-formed."""
