"""What so many streams at once gave: every stream measured on its own, all of them told together."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from captions.quality import Arrival, measure, percentile, shown_words
from livecaptions.capacity.accuracy import word_error_rate
from livecaptions.capacity.recordings import Recording
from livecaptions.capacity.systems import Heard

LATE = 0.05
"""Seconds: where one frame in a hundred leaves later than this, the sender fell behind and the level says nothing."""

BUSY = 0.8
"""Cores that the sender's one thread may use before it is the bottleneck."""

HELD = 1.0
"""Seconds that a server may let sound wait before it counts as not hearing it in real time."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of latencies in seconds; nan where there were none."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Sender:
    """The load generator's own doing: cores it used, and the 99th percentile of seconds that its frames left late."""

    cores: float
    late: float

    def __str__(self) -> str:
        return f"{self.late * 1000:.0f} ms late, {self.cores:.2f} cores"

    @property
    def valid(self) -> bool:
        """Whether it kept up, so that what was measured is the server."""
        return self.late <= LATE and self.cores <= BUSY


@dataclass(frozen=True, slots=True)
class Level:
    """What one system gave at one number of streams.

    ``words`` were said; ``cpu_seconds`` are for each second of audio, ``cores`` the same for each second of time, both
    while the streams spoke; ``memory`` is the peak in bytes. They are None where the server's processes are not
    known. ``failures`` tells of streams that did not end well, one line each.
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
        """For files."""
        return {**asdict(self), "valid": self.sender.valid}


@dataclass(frozen=True)
class Spoken:
    """One stream: what was said, what came of it, and what went wrong."""

    recording: Recording
    heard: Heard
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """Of the server's processes, while the streams spoke: None where they are not known."""

    cpu_seconds: float | None
    memory: int | None


def summed_up(system: str, spoken: Sequence[Spoken], used: Used, sender: Sender, seconds: float) -> Level:
    """The level of streams that spoke for ``seconds`` of time."""
    shown = [measure(one.heard.shown, one.recording.words) for one in spoken]
    final = [
        quality if one.heard.finals is one.heard.shown else measure(one.heard.finals, one.recording.words)
        for quality, one in zip(shown, spoken, strict=True)
    ]
    audio = sum(one.recording.seconds for one in spoken)
    own = all(one.heard.finals is one.heard.shown for one in spoken)
    return Level(
        system=system,
        streams=len(spoken),
        words=sum(len(one.recording.words) for one in spoken),
        word_shown=_spread([value for quality in shown for value in quality.word_shown]),
        word_stable=_spread([value for quality in shown for value in quality.word_stable]),
        first_partial=_spread([value for quality in shown for value in quality.first_partial] if own else []),
        final=_spread([value for quality in final for value in quality.final]),
        erasure=_pooled([quality.erasure for quality in shown], spoken, raw=False),
        raw_erasure=_pooled([quality.raw_erasure for quality in shown], spoken, raw=True),
        word_error_rate=word_error_rate([one.recording.text for one in spoken], [one.heard.text for one in spoken]),
        cpu_seconds=None if used.cpu_seconds is None else used.cpu_seconds / audio,
        cores=None if used.cpu_seconds is None else used.cpu_seconds / seconds,
        memory=used.memory,
        sender=sender,
        failures=tuple(one.failure for one in spoken if one.failure is not None),
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(percentile(values, 50), percentile(values, 95))


def _pooled(erasures: Sequence[float], spoken: Sequence[Spoken], *, raw: bool) -> float:
    """The erasure of all streams together, each by the words of its finals."""
    words = [_words(one.heard.shown, raw=raw) for one in spoken]
    erased = sum(erasure * count for erasure, count in zip(erasures, words, strict=True))
    return erased / sum(words) if sum(words) else float("nan")


def _words(arrivals: Sequence[Arrival], *, raw: bool) -> int:
    last = {arrival.caption.utterance: arrival.caption for arrival in arrivals if arrival.caption.final}
    return sum(len(shown_words(caption, raw=raw)) for caption in last.values())
