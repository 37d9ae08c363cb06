"""A gateway with the log in memory and without workers: ``python -m bench.gateway.server PORT VAD FILE [FINALS]``.

It records the time of each appended segment and writes the times to FILE at SIGTERM. It also writes captions to room
``hall``; the first word of each is the time of its append. FINALS is the number of earlier finals in that room.
"""

import asyncio
import json
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop

from bench.gateway.voices import Segment
from captions.messages import CaptionMessage, WordMessage
from captions.ports.log import Record
from captions.records import AUDIO, CAPTIONS, PARTIALS, write_room_event
from captions.track import RoomId
from livecaptions.clock import SystemClock
from livecaptions.garbage import release_memory_periodically, tune_garbage_collection
from livecaptions.observation import alongside, sample, watch_loop
from livecaptions.probes import gateway_probe
from livecaptions.server import listen, serving
from livecaptions.settings.fields import Settings
from livecaptions.wiring import build_gateway
from monitoring.endpoints import health, metrics_endpoint
from monitoring.http import MeasuredRequests
from monitoring.logs import configure_logs
from streamer.web.app import create_app
from transport.memory import MemoryLog, TopicSettings

HALL = "hall"
LIVE: Final = "live"
CAPTION_INTERVAL = 0.3
PARTIALS_OF_ONE = 12
"""Seconds between two captions, and the number of partials before each final."""

WORDS = ("the", "words", "stand", "still", "while", "a", "speaker", "goes", "on", "with", "what", "she", "said")


class TimedLog(MemoryLog):
    """Records when each segment was appended, on the monotonic clock, which all processes on this machine share."""

    def __init__(self, clock: SystemClock) -> None:
        topics = {AUDIO: 16, CAPTIONS: 4, PARTIALS: 4}
        super().__init__({name: TopicSettings(partitions=count) for name, count in topics.items()}, clock)
        self.segments: list[Segment] = []

    async def append(self, topic: str, record: Record) -> int:
        """Append, and record the time afterwards."""
        offset = await super().append(topic, record)
        if topic == AUDIO and record.value:
            at = (int(record.headers["utterance"]), int(record.headers["segment"]))
            self.segments.append(Segment(record.key.partition("/")[0], *at, time.monotonic()))
        return offset


async def speak(log: TimedLog) -> None:
    """Write captions to the hall without end."""
    began = time.monotonic()
    number = 0
    while True:
        utterance, revision = divmod(number, PARTIALS_OF_ONE + 1)
        final = revision == PARTIALS_OF_ONE
        text = [str(time.monotonic_ns()), *WORDS[: revision + 1]]
        words = tuple(WordMessage(text=word, start=0.0, end=0.1, confidence=0.9) for word in text) if final else None
        caption = CaptionMessage(
            room=HALL, track="main", speaker="Ada", utterance=utterance, pass_=LIVE, revision=revision, final=final,
            language="en", start=0.0, end=1.0, started_at=datetime.now(UTC), text=" ".join(text), stable=1, words=words,
        )  # fmt: skip
        await log.append(CAPTIONS if final else PARTIALS, write_room_event(RoomId(HALL), caption))
        number += 1
        await asyncio.sleep(began + number * CAPTION_INTERVAL - time.monotonic())


async def have_spoken(log: TimedLog, finals: int) -> None:
    """Write earlier finals, as long as sentences, to the hall at once."""
    for utterance in range(finals):
        began = utterance * 5.0
        times = [round(began + place * 0.31, 3) for place in range(len(WORDS) + 1)]
        words = tuple(
            WordMessage(text=word, start=start, end=end, confidence=0.917)
            for word, start, end in zip(WORDS, times, times[1:], strict=False)
        )
        caption = CaptionMessage(
            room=HALL, track="before", speaker="Ada", utterance=utterance, pass_=LIVE, revision=20, final=True,
            language="en", start=began, end=times[-1], started_at=datetime.now(UTC), text=" ".join(WORDS),
            stable=len(WORDS), words=words,
        )  # fmt: skip
        await log.append(CAPTIONS, write_room_event(RoomId(HALL), caption))


async def serve(port: int, vad: str, finals: int) -> list[Segment]:
    """Serve until SIGTERM, and return the appended segments."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = Settings.model_validate(
        {"max_sessions": 10_000, "max_viewers": 10_000, "address_connections": 0, "vad": vad}
    )
    clock, probe = SystemClock(), gateway_probe(settings)
    log = TimedLog(clock)
    await have_spoken(log, finals)
    gateway = build_gateway(settings, log, clock, probe)
    app = create_app(gateway)
    app.include_router(health(gateway.not_ready))
    app.include_router(metrics_endpoint(probe.render))
    async with (
        alongside(watch_loop(probe), sample(gateway.observe), release_memory_periodically(), speak(log)),
        serving(MeasuredRequests(app, clock, probe), listen("127.0.0.1", port)),
    ):
        tune_garbage_collection()
        await stop.wait()
    await gateway.close()
    return log.segments


if __name__ == "__main__":
    configure_logs("console", "error")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        segments = runner.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[4]) if len(sys.argv) > 4 else 0))
    Path(sys.argv[3]).write_text(json.dumps(segments), encoding="utf-8")
