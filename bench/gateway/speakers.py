"""Sends the frames of publishers in real time, and computes the delay of segments."""

import asyncio
import time
from collections.abc import Callable, Sequence
from math import inf

from bench.gateway.clients import Publisher, framed
from bench.gateway.voices import FRAME, Segment, Voice
from captions.quality import percentile

Sent = dict[str, tuple[Voice, list[float]]]
"""By room: the audio, and the time at which each frame was sent."""


async def send(
    publishers: Sequence[Publisher], parts: Sequence[Voice], goes_on: Callable[[float], bool]
) -> tuple[Sent, list[float]]:
    """Send the frames of all publishers in real time, evenly spread over the length of a frame.

    ``goes_on`` is called with the due time of each round; False ends it. Returns when each frame was sent, and the
    delays in seconds.
    """
    frames = [[framed(frame) for frame in voice.frames] for voice in parts]
    sent: list[list[float]] = [[] for _ in publishers]
    late: list[float] = []
    began = time.monotonic()
    number = 0
    while goes_on(due_round := began + number * FRAME):
        for at, publisher in enumerate(publishers):
            due = due_round + FRAME * at / len(publishers)
            if (left := due - time.monotonic()) > 0:
                await asyncio.sleep(left)
            now = time.monotonic()
            publisher.transport.write(frames[at % len(parts)][number])
            sent[at].append(now)
            late.append(max(0.0, now - due))
        await asyncio.sleep(0)
        number += 1
    return {
        p.room: (parts[at % len(parts)], times) for at, (p, times) in enumerate(zip(publishers, sent, strict=True))
    }, late


def added(segments: Sequence[Segment], sent: Sent, since: float, until: float = inf) -> list[float]:
    """The delay of each segment whose last frame was sent between ``since`` and ``until``."""
    delays = []
    for segment in segments:
        voice, times = sent[segment.room]
        frame = voice.complete[segment.utterance, segment.number]
        if frame < len(times) and since <= times[frame] < until:  # the last segment was flushed at the close
            delays.append(segment.at - times[frame])
    return delays


def spread(values: Sequence[float], scale: float = 1000.0, unit: str = "ms") -> str:
    """The p50, p99 and maximum as text."""
    return " / ".join(f"{percentile(values, p) * scale:.1f}" for p in (50, 99, 100)) + f" {unit}" if values else ""
