"""Runs levels one after the other: starts a server, sends the streams in real time, and measures them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import uvloop
from websockets.exceptions import WebSocketException

from bench.capacity.goals import Goals
from bench.capacity.level import HELD, Level, Sender, StreamResult, Used, summed_up
from bench.capacity.pacing import Pace
from bench.capacity.ramp import Plan, Tried
from bench.capacity.recordings import Loop, Recording
from bench.capacity.systems import Received, Running, System
from bench.capacity.usage import Usage
from captions.errors import LivecaptionsError
from captions.quality import percentile
from livecaptions_client import ClientError

SPREAD = 2.0
"""Seconds over which the starts of the streams are spread, so that they are not in step."""

WARM_UP = 5.0
"""Seconds of audio that a server receives before the measurement, for its one-time initialisation."""

GRACE = 20.0
"""Seconds after the end of the audio at which unfinished streams fail."""

ENDINGS = (LivecaptionsError, ClientError, WebSocketException, OSError)
"""Errors that make a stream fail; other errors end the benchmark."""


@dataclass
class Result:
    """The levels of one system in order, and the goals that each broke."""

    system: str
    levels: list[Level] = field(default_factory=list)
    broken: list[list[str]] = field(default_factory=list)

    @property
    def tried(self) -> list[Tried]:
        """The results in the form that plans use."""
        return [Tried(level.streams, not broken) for level, broken in zip(self.levels, self.broken, strict=True)]

    @property
    def best(self) -> Level | None:
        """The level with the most streams that met the goals."""
        held = [level for level, broken in zip(self.levels, self.broken, strict=True) if not broken]
        return max(held, key=lambda level: level.streams, default=None)


def climb(
    system: System, loop: Loop, seconds: float, *, plan: Plan, goals: Goals, report: Callable[[Level, list[str]], None]
) -> Result:
    """Run levels until the plan ends. ``report`` is called with each level and the goals that it broke.

    Raises ``SetupError`` if the server does not start.
    """
    result = Result(system.name)
    while (streams := plan.next(result.tried)) is not None:
        with system.running() as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            level = runner.run(measure_level(system, server, loop.parts(streams, seconds), loop.part(0.0, WARM_UP)))
        result.levels.append(level)
        result.broken.append(goals.broken(level, result.levels[0]))
        report(level, result.broken[-1])
    return result


async def measure_level(
    system: System, server: Running, recordings: Sequence[Recording], warm_up: Recording | None = None
) -> Level:
    """Send all recordings at the same time, one stream each, in real time."""
    run = f"capacity-{time.time_ns():x}"
    if warm_up is not None:
        await speak(system, server, f"{run}-warm-up", warm_up, Pace(warm_up.audio, system.frame))
    usage = Usage(server.pids)
    paces = [Pace(recording.audio, system.frame) for recording in recordings]
    async with usage.watched():
        spent, own, began = usage.cpu_seconds(), time.process_time(), time.monotonic()
        streams = [
            asyncio.create_task(
                speak(system, server, f"{run}-{number}", recording, pace, wait=SPREAD * number / len(recordings))
            )
            for number, (recording, pace) in enumerate(zip(recordings, paces, strict=True))
        ]
        await asyncio.wait(streams, timeout=_longest(recordings))
        spent, own, took = usage.cpu_seconds() - spent, time.process_time() - own, time.monotonic() - began
        results = await asyncio.gather(*streams)
    late = percentile([late for pace in paces for late in pace.late], 99)
    return summed_up(
        system.name,
        results,
        Used(spent, usage.peak_memory) if usage.known else Used(None, None),
        Sender(own / took, late),
        took,
    )


def _longest(recordings: Sequence[Recording]) -> float:
    """Seconds until the last stream has sent everything."""
    return SPREAD + max(recording.seconds for recording in recordings)


async def speak(
    system: System, server: Running, name: str, recording: Recording, pace: Pace, *, wait: float = 0.0
) -> StreamResult:
    """Run one stream until it ends or fails."""
    received = Received()
    await asyncio.sleep(wait)
    try:
        async with asyncio.timeout(SPREAD + recording.seconds + GRACE):
            await system.speak(server, name, pace, received)
    except TimeoutError:
        return StreamResult(recording, received, f"not finished {GRACE:.0f} s after the end of the audio")
    except ExceptionGroup as group:
        ours, others = group.split(ENDINGS)
        if others is not None:
            raise
        return StreamResult(recording, received, _why(ours or group))
    except ENDINGS as error:
        return StreamResult(recording, received, _why(error))
    if pace.held > HELD:
        return StreamResult(recording, received, f"the server delayed reading by {pace.held:.1f} s")
    return StreamResult(recording, received)


def _why(error: Exception) -> str:
    return _why(error.exceptions[0]) if isinstance(error, ExceptionGroup) else f"{type(error).__name__}: {error}"
