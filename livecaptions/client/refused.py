"""What a server refuses, as the client hears it, and servers that cannot be heard.

::

    LivecaptionsError
    ├── RefusedError       the server said no, with a code of PROTOCOL.md's table
    └── UnreachableError   no server answers, or what answers is none of ours
"""

import json
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus

from captions.errors import LivecaptionsError

PASSING = frozenset({"too_many", "overloaded", "shutting_down", "internal", "slow_consumer"})
"""Codes of refusals after which the same request may succeed."""


class UnreachableError(LivecaptionsError):
    """No server answers at the address, or what answers does not speak the protocol."""


class RefusedError(LivecaptionsError):
    """The server refused; ``retry_after`` is in seconds, None where it named no time."""

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code in PASSING or (self.code == "track_busy" and self.retry_after is not None)


def refusal_of(error: InvalidStatus) -> RefusedError:
    """The refusal in an HTTP response; of one that is not ours, the status."""
    try:
        body = json.loads(error.response.body or b"")
        return RefusedError(str(body["code"]), str(body["message"]), body.get("retry_after"))
    except (ValueError, KeyError, TypeError):
        status = error.response.status_code
        return RefusedError("internal" if status >= 500 else "bad_request", f"the server answered HTTP {status}")


def read_event(frame: str | bytes) -> dict[str, Any]:
    """The message in a server's frame. Raises ``UnreachableError`` where it is none of this protocol."""
    try:
        event = json.loads(frame)
        if isinstance(event["type"], str):
            return dict(event)
    except (ValueError, KeyError, TypeError):
        pass
    raise UnreachableError(f"what answered does not speak this protocol: it sent {frame[:60]!r}")


def raise_refusal(event: dict[str, Any]) -> None:
    """Raise the refusal that a message tells of, if it does."""
    if event["type"] == "error":
        raise RefusedError(str(event.get("code")), str(event.get("message")), event.get("retry_after"))


def describe(error: Exception) -> str:
    """A lost connection in a few words."""
    if isinstance(error, ConnectionClosed):
        return f"connection closed ({error.rcvd.code if error.rcvd else 'without a word'})"
    return str(error) or type(error).__name__
