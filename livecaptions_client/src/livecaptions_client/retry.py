"""Decides when to connect again, to which server, and when to give up."""

import asyncio

from livecaptions_client.connection import describe
from livecaptions_client.errors import RefusedError, UnreachableError

FIRST_DELAY = 0.25
LONGEST_DELAY = 5.0
"""The first and the longest delay between two attempts, in seconds."""

STABLE_AFTER = 5.0
"""A connection that lasts so many seconds counts as stable: delays start at ``FIRST_DELAY`` again."""

GIVE_UP_AFTER = 60.0
"""The client gives up after so many seconds without a stable connection."""


class Retry:
    """Delays between attempts to connect. Each delay is twice the one before.

    ``servers`` are the addresses of one installation, separated by commas. They are tried in turn.
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
        """The server to connect to now."""
        return self._servers[self._tried % len(self._servers)]

    def connected(self) -> None:
        """Record that the server accepted the connection."""
        self._connected_at = asyncio.get_running_loop().time()
        self._reached = True

    def lost(self, error: Exception) -> str:
        """Record that the connection was lost, and return the reason in words. Call ``wait`` next.

        Raises ``UnreachableError`` if the server was never reached, or was unreachable for ``GIVE_UP_AFTER`` seconds.
        Raises ``error`` if it is a refusal that is not temporary, or that has lasted for ``GIVE_UP_AFTER`` seconds.
        """
        server = self.server
        self._tried += 1
        now = asyncio.get_running_loop().time()
        if self._connected_at is not None and now - self._connected_at >= STABLE_AFTER:
            self._lost_at, self._delay = None, FIRST_DELAY
        self._connected_at = None
        self._lost_at = now if self._lost_at is None else self._lost_at
        if isinstance(error, RefusedError):
            if not error.passing or now - self._lost_at > GIVE_UP_AFTER:
                raise error
            self._delay = max(self._delay, error.retry_after or 0.0)
        elif not self._reached and self._tried >= len(self._servers):
            raise UnreachableError(
                f"cannot reach {server}: {describe(error)}; is it running?", reached=False
            ) from error
        elif now - self._lost_at > GIVE_UP_AFTER:
            raise UnreachableError(
                f"{server} has been unreachable for {GIVE_UP_AFTER:.0f} s: {describe(error)}"
            ) from error
        return describe(error)

    async def wait(self) -> None:
        """Wait until the next attempt is due."""
        await asyncio.sleep(self._delay)
        self._delay = min(self._delay * 2, LONGEST_DELAY)
