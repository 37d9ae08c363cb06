"""A connection's hold on the session that it feeds."""

import asyncio

from captions.errors import Refusal


class Feed:
    """Held by one connection. It is dismissed, with a reason, where it has to let go of its session."""

    def __init__(self) -> None:
        self._reason: asyncio.Future[Refusal] = asyncio.get_running_loop().create_future()

    @property
    def dismissed(self) -> bool:
        """Whether the connection has to let go."""
        return self._reason.done()

    def dismiss(self, reason: Refusal) -> None:
        """Let go of the session, for this reason. The first reason counts."""
        if not self._reason.done():
            self._reason.set_result(reason)

    async def dismissal(self) -> Refusal:
        """Return the reason once there is one."""
        return await asyncio.shield(self._reason)
