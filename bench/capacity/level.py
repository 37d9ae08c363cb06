"""The result of one number of streams. Each stream is measured separately; the figures cover all of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.capacity.accuracy import word_error_rate
from bench.capacity.by_time import latencies
from bench.capacity.recordings import Recording
from bench.capacity.systems import Received
from captions.quality import Arrival, measure, percentile, shown_words

LATE = 0.05
"""Seconds. If the p99 of the delay of frames is above it, the sender fell behind and the level is invalid."""

BUSY = 0.8
"""Cores that the sender's single thread may use before it is the bottleneck."""

UNREAD = 0.8
"""Word error rate above which words are only right by chance."""

HELD = 1.0
"""Seconds that a server may delay reading before it counts as slower than real time."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of latencies in seconds; nan without values."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Sender:
    """The load generator itself: the cores it used, and the p99 of the delay of its frames in seconds."""

    cores: float
    late: float

    def __str__(self) -> str:
        return f"{self.late * 1000:.0f} ms late, {self.cores:.2f} cores"

    @property
    def valid(self) -> bool:
        """Whether the sender kept up, so that the figures describe the server."""
        return self.late <= LATE and self.cores <= BUSY


@dataclass(frozen=True, slots=True)
class Level:
    """The result of one system with one number of streams.

    ``words`` is the number of spoken words. ``cpu_seconds`` is CPU time per second of audio and ``cores`` per second of
    time, both while the streams spoke. ``memory`` is the peak in bytes. All three are None if the server's processes
    are unknown. ``failures`` has one line per failed stream.
    """

    system: str
    streams: int
    words: int
    word_shown: Spread
    word_stable: Spread
    first_partial: Spread
    final: Spread
    erasure: float
    raw_erasure: float
    word_error_rate: float
    cpu_seconds: float | None
    cores: float | None
    memory: int | None
    sender: Sender
    failures: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The level as JSON values."""
        return {**asdict(self), "valid": self.sender.valid}


@dataclass(frozen=True)
class StreamResult:
    """One stream: its recording, the received captions, and the failure if there was one."""

    recording: Recording
    received: Received
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """The use of resources by the server's processes while the streams spoke; None if they are unknown."""

    cpu_seconds: float | None
    memory: int | None


def summed_up(system: str, results: Sequence[StreamResult], used: Used, sender: Sender, seconds: float) -> Level:
    """Sum up streams that spoke for ``seconds`` of time.

    If most words are wrong, as with random weights, it is unknown when a word was shown. Latencies of first partials
    and finals are then computed from the times of utterances.
    """
    own = all(one.received.finals is one.received.shown for one in results)
    qualities = [measure(one.received.shown, one.recording.words) for one in results]
    errors = word_error_rate([one.recording.text for one in results], [one.received.text for one in results])
    unread = errors > UNREAD
    if unread:
        by_time = [latencies(one.received.shown, one.recording.words) for one in results] if own else []
        first_partial = [value for partials, _ in by_time for value in partials]
        final = [value for _, finals in by_time for value in finals]
    elif own:
        first_partial = [value for quality in qualities for value in quality.first_partial]
        final = [value for quality in qualities for value in quality.final]
    else:
        first_partial = []
        final = [value for one in results for value in measure(one.received.finals, one.recording.words).final]
    return Level(
        system=system,
        streams=len(results),
        words=sum(len(one.recording.words) for one in results),
        word_shown=_spread([value for quality in qualities for value in quality.word_shown if not unread]),
        word_stable=_spread([value for quality in qualities for value in quality.word_stable if not unread]),
        first_partial=_spread(first_partial),
        final=_spread(final),
        erasure=_pooled([quality.erasure for quality in qualities], results, raw=False),
        raw_erasure=_pooled([quality.raw_erasure for quality in qualities], results, raw=True),
        word_error_rate=errors,
        cpu_seconds=None if used.cpu_seconds is None else used.cpu_seconds / sum(o.recording.seconds for o in results),
        cores=None if used.cpu_seconds is None else used.cpu_seconds / seconds,
        memory=used.memory,
        sender=sender,
        failures=tuple(one.failure for one in results if one.failure is not None),
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(percentile(values, 50), percentile(values, 95))


def _pooled(erasures: Sequence[float], results: Sequence[StreamResult], *, raw: bool) -> float:
    """The erasure over all streams, weighted by the words of their finals."""
    words = [_words(one.received.shown, raw=raw) for one in results]
    erased = sum(erasure * count for erasure, count in zip(erasures, words, strict=True))
    return erased / sum(words) if sum(words) else float("nan")


def _words(arrivals: Sequence[Arrival], *, raw: bool) -> int:
    last = {arrival.caption.utterance: arrival.caption for arrival in arrivals if arrival.caption.final}
    return sum(len(shown_words(caption, raw=raw)) for caption in last.values())
