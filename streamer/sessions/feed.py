"""The right of a connection to feed a session."""

import asyncio

from captions.errors import Refusal


class Feed:
    """The right of one connection to feed its session. It ends when the feed is dismissed with a reason."""

    def __init__(self) -> None:
        self._reason: asyncio.Future[Refusal] = asyncio.get_running_loop().create_future()

    @property
    def dismissed(self) -> bool:
        """Whether the connection has to release the session."""
        return self._reason.done()

    def dismiss(self, reason: Refusal) -> None:
        """End the right for this reason. If called again, the first reason stays."""
        if not self._reason.done():
            self._reason.set_result(reason)

    async def dismissal(self) -> Refusal:
        """Wait until the feed is dismissed, and return the reason."""
        return await asyncio.shield(self._reason)
