"""The errors of this package.

::

    ClientError
    ├── RefusedError       the server refused, with a code of the protocol
    ├── UnreachableError   no server answers, or it does not speak the protocol
    └── AddressError       a URL is not the address of a server
"""

PASSING = frozenset({"too_many", "overloaded", "shutting_down", "internal", "slow_consumer"})
"""Codes of temporary refusals: the same request may succeed later."""


class ClientError(Exception):
    """The base class of this package's errors."""


class RefusedError(ClientError):
    """The server refused the request.

    ``code`` is one of the protocol's refusals, and ``message`` explains it to people. ``retry_after`` is in seconds, or
    None if the server gave no time.
    """

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code in PASSING or (self.code == "track_busy" and self.retry_after is not None)


class UnreachableError(ClientError):
    """No server answers at the address, or it does not speak the protocol.

    ``reached`` is False if no server has answered since the client started.
    """

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached


class AddressError(ClientError):
    """A URL is not the address of a server."""
