"""When to connect again, to which server, and when to give up."""

import asyncio

from livecaptions_client.connection import describe
from livecaptions_client.errors import RefusedError, UnreachableError

FIRST_DELAY = 0.25
LONGEST_DELAY = 5.0
SOUND = 5.0
"""Seconds a connection has to stand to count as one that worked."""

PATIENCE = 60.0
"""Seconds without a connection that worked after which a client gives up."""


class Retry:
    """Doubling delays between attempts, at one server after the other.

    ``servers`` are addresses of one installation, separated by commas; ``server`` is the one to try now.
    """

    def __init__(self, servers: str) -> None:
        self._servers = servers.split(",")
        self._tried = 0
        self._delay = FIRST_DELAY
        self._connected_at: float | None = None
        self._lost_at: float | None = None
        self._reached = False

    @property
    def server(self) -> str:
        """The server to connect to."""
        return self._servers[self._tried % len(self._servers)]

    def connected(self) -> None:
        """Note that the server took the connection."""
        self._connected_at = asyncio.get_running_loop().time()
        self._reached = True

    def lost(self, error: Exception) -> str:
        """Note that the connection is lost, and return why in words; ``wait`` comes next.

        Raises ``UnreachableError`` where the server was never reached, or is out of reach for ``PATIENCE`` seconds,
        and a ``RefusedError`` that will not pass or did not pass for so long.
        """
        server = self.server
        self._tried += 1
        now = asyncio.get_running_loop().time()
        if self._connected_at is not None and now - self._connected_at >= SOUND:
            self._lost_at, self._delay = None, FIRST_DELAY
        self._connected_at = None
        self._lost_at = now if self._lost_at is None else self._lost_at
        if isinstance(error, RefusedError):
            if not error.passing or now - self._lost_at > PATIENCE:
                raise error
            self._delay = max(self._delay, error.retry_after or 0.0)
        elif not self._reached and self._tried >= len(self._servers):
            raise UnreachableError(
                f"cannot reach {server}: {describe(error)}; is it running?", reached=False
            ) from error
        elif now - self._lost_at > PATIENCE:
            raise UnreachableError(f"{server} is out of reach since {PATIENCE:.0f} s: {describe(error)}") from error
        return describe(error)

    async def wait(self) -> None:
        """Wait for the time of the next attempt."""
        await asyncio.sleep(self._delay)
        self._delay = min(self._delay * 2, LONGEST_DELAY)
