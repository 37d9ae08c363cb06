"""What a server refuses, as the client hears it."""

import json
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus

from captions.errors import LivecaptionsError

TRY_AGAIN = frozenset({"too_many", "overloaded", "shutting_down", "internal", "slow_consumer"})


class RefusedError(LivecaptionsError):
    """The server refused; ``retry_after`` seconds later it may not, where ``passing``."""

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code in TRY_AGAIN


def refusal_of(error: InvalidStatus) -> RefusedError:
    """The refusal in an HTTP response."""
    try:
        body = json.loads(error.response.body or b"")
        return RefusedError(str(body["code"]), str(body["message"]), body.get("retry_after"))
    except (ValueError, KeyError, TypeError):
        status = error.response.status_code
        return RefusedError("internal" if status >= 500 else "bad_request", f"the server answered HTTP {status}")


def raise_refusal(event: dict[str, Any]) -> None:
    """Raise the refusal that a message tells of, if it does."""
    if event["type"] == "error":
        raise RefusedError(event["code"], event["message"], event.get("retry_after"))


def describe(error: Exception) -> str:
    """A lost connection in a few words."""
    if isinstance(error, ConnectionClosed):
        return f"connection closed ({error.rcvd.code if error.rcvd else 'without a word'})"
    return str(error) or type(error).__name__
