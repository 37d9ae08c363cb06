"""A gateway that was paused and wakes after another took its session over: what it still writes does not count."""

import asyncio
import json
import signal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from captions.audio import SAMPLE_RATE, to_bytes
from captions.fencing import Fence
from captions.log_reading import entries_between
from captions.records import AUDIO, read_audio
from captions.track import RoomId
from livecaptions.logs import kafka_settings, topic_plans
from tests.failover.rig import FRAME, ROOM, Rig, expected_texts, rig_on, watching
from tests.failover.role import Role
from tests.support import script_of
from transport.kafka import kafka_log

pytestmark = pytest.mark.kafka

UTTERANCES = 6
SCRIPT, PCM = script_of(UTTERANCES)
WORDS = 8
PAUSE = 10.0
"""Seconds that the first gateway is stopped for."""


def audio_of(*utterances: int) -> bytes:
    """The audio of these utterances of the script, one after the other."""
    starts = [SCRIPT[utterance * WORDS].start for utterance in range(UTTERANCES)]
    cuts = [round((start - 0.4) * SAMPLE_RATE) for start in starts] + [len(PCM)]
    return b"".join(to_bytes(PCM[cuts[utterance] : cuts[utterance + 1]]) for utterance in utterances)


async def message(socket: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (received := json.loads(await socket.recv()))["type"] != kind:
            assert received["type"] != "error", received
    return dict(received)


async def send(socket: ClientConnection, audio: bytes, pause: float = 0.0) -> None:
    for at in range(0, len(audio), FRAME):
        await socket.send(audio[at : at + FRAME])
        await asyncio.sleep(pause)


async def send_as_spoken(socket: ClientConnection, audio: bytes) -> None:
    await send(socket, audio, FRAME / 2 / SAMPLE_RATE)


async def closed(socket: ClientConnection) -> None:
    """Raise ``ConnectionClosed`` once the server closed the connection."""
    while True:
        await asyncio.wait_for(socket.recv(), 30)


async def stale_records(rig: Rig) -> int:
    """Records of the track that a gateway wrote after another had claimed its session."""
    settings = Role(kind="", bootstrap=rig.bootstrap, prefix=rig.prefix).settings
    track = RoomId(ROOM).track("main")
    fence, stale = Fence(), 0
    async with kafka_log(kafka_settings(settings), topic_plans(settings)) as log:
        partition = log.partition_of(AUDIO, track.key)
        async for entry in entries_between(log, AUDIO, partition, since=0.0):
            if entry.record.key == track.key:
                stale += not fence.admits(entry, read_audio(entry.record))
    return stale


async def test_a_gateway_that_wakes_after_its_session_was_taken_over_changes_nothing(bootstrap: str) -> None:
    """Two publishers of one session, whose bytes differ: the one that resumed it counts, from then on."""
    async with rig_on(bootstrap) as rig:
        (first, here), (_, there), _ = await asyncio.gather(
            rig.gateway(utterances=UTTERANCES),
            rig.gateway(utterances=UTTERANCES),
            rig.worker(utterances=UTTERANCES),
        )
        old_url = f"{here.replace('http', 'ws')}/v1/rooms/{ROOM}/publish"
        new_url = f"{there.replace('http', 'ws')}/v1/rooms/{ROOM}/publish"
        async with watching(there) as seen, connect(old_url, close_timeout=1) as old:
            session = (await message(old, "ready"))["session"]
            said_first = audio_of(0)
            await send_as_spoken(old, said_first)
            await asyncio.sleep(1)
            first.send_signal(signal.SIGSTOP)
            paused_at = asyncio.get_running_loop().time()
            await send(old, audio_of(3))  # it waits in the paused gateway's socket
            async with connect(f"{new_url}?session={session}", close_timeout=1) as new:
                offset = (await message(new, "ready"))["offset"]
                stream = said_first + audio_of(1, 2)
                await asyncio.sleep(max(0.0, paused_at + PAUSE - asyncio.get_running_loop().time()))
                first.send_signal(signal.SIGCONT)
                await asyncio.sleep(1)  # it writes what waited for it, as the utterance that the other begins now
                await send_as_spoken(new, stream[offset:])
                await new.send('{"type":"end"}')
                done = await message(new, "done")
            with pytest.raises(ConnectionClosed):
                await closed(old)
        stale = await stale_records(rig)
    texts = expected_texts(UTTERANCES)
    assert [text for _, (text,) in sorted(seen.finals.items())] == texts[:3]
    assert done["offset"] == len(stream)
    assert stale > 0, "the gateway that was paused wrote nothing more: nothing was proved"
