"""Sends a replay in the viewer's turns. What fits into one block needs no turn."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from streamer.rooms.history import Block
from streamer.rooms.history_turns import Turn
from streamer.rooms.room import Replay, Room

NOTHING = Block(())
"""Sending it waits until the peer has read what was sent before."""


async def replay_in(turn: Turn, replay_of: Callable[[], Replay]) -> Replay:
    """The replay as of the viewer's turn."""
    replay = replay_of()
    if len(replay.blocks) > 1:
        await turn.begin()
        replay = replay_of()  # with what came meanwhile
    return replay


async def blocks_in(turn: Turn, room: Room, replay: Replay) -> AsyncGenerator[Block, None]:
    """The replay's blocks, without what is deleted by the time that each is sent.

    While the caller waits for its peer to read, others have the turn.
    """
    for block in replay.blocks:
        if len(replay.blocks) > 1:
            with turn.unless_waiting():
                yield NOTHING
            await turn.begin()
        if (left := room.left_of(block, replay)).events:
            yield left
        await asyncio.sleep(0)  # publishers and live viewers go first
