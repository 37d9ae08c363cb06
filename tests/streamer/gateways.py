"""Two gateways on one log, in virtual time, and sessions at them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from captions.audio import SAMPLE_RATE, to_bytes
from captions.ports.log import Log
from captions.ports.probe import Probe
from captions.ports.usage import UsageLedger
from captions.track import RoomId
from inference.engine.scripted import ScriptedEngine
from streamer.gateway import Gateway
from streamer.limits import Caller
from streamer.protocols.native import stream_options
from streamer.sessions.feed import Feed
from streamer.sessions.registry import NOBODY
from streamer.sessions.session import Session
from streamer.settings import GatewaySettings
from tests.support import EnergyDetector, LoopClock, memory_log, script_of, worker_on

SCRIPT, PCM = script_of(3)
AUDIO = to_bytes(PCM)
FRAME = SAMPLE_RATE // 10 * 2
SAID = [" ".join(word.text for word in SCRIPT[at : at + 8]) for at in range(0, len(SCRIPT), 8)]


def gateway_on(log: Log, *, usage: UsageLedger | None = None, **settings: Any) -> Gateway:  # noqa: ANN401 - its own
    return Gateway(log, LoopClock(), Probe(), EnergyDetector, GatewaySettings(**settings), usage=usage)


@asynccontextmanager
async def two_gateways(**settings: Any) -> AsyncIterator[tuple[Log, Gateway, Gateway]]:  # noqa: ANN401 - their own
    log = memory_log()
    gateways = gateway_on(log, **settings), gateway_on(log, **settings)
    async with worker_on(log, ScriptedEngine(SCRIPT)):
        yield log, *gateways
    for gateway in gateways:
        await gateway.close()


async def opened(
    gateway: Gateway, session: str | None = None, *, caller: Caller = NOBODY, **query: object
) -> tuple[Session, Feed]:
    feed = Feed()
    given = {**query, "session": session} if session is not None else query
    asked = stream_options({name: [str(value)] for name, value in given.items()})
    return await gateway.sessions.open(RoomId("hall"), asked, feed, caller), feed


async def send_audio(session: Session, start: int, end: int) -> None:
    for at in range(start, end, FRAME):
        await session.feed(AUDIO[at : min(at + FRAME, end)])
        await asyncio.sleep(0.1)
