"""How a gateway that stops releases its sessions."""

import asyncio
from collections.abc import Sequence

import structlog

from captions.errors import ShuttingDown
from streamer.sessions.held import Held
from streamer.sessions.pending_finals import PendingFinals

logger = structlog.get_logger(__name__)


async def drain(sessions: Sequence[Held], pending: PendingFinals, *, elsewhere: bool) -> None:
    """Return once the audio of all sessions is on the log.

    If ``elsewhere`` is true, other gateways continue the sessions that can move, without waiting for captions. All
    other sessions end, and their last captions are waited for.
    """
    draining = (_drain(held, pending, elsewhere=elsewhere) for held in sessions)
    for result in await asyncio.gather(*draining, return_exceptions=True):
        if isinstance(result, BaseException):  # the others are drained all the same
            logger.error("session_not_drained", exc_info=result)
    if not elsewhere:
        await pending.all_settled()


async def _drain(held: Held, pending: PendingFinals, *, elsewhere: bool) -> None:
    session = held.session
    if elsewhere and session.movable:
        await session.move()
        held.dismiss(ShuttingDown())
    else:
        await session.finish()
        await pending.settled(session.track)
