"""Combines all targets into one set of figures. Times are seconds unless a name says otherwise; None means unknown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from livecaptions.top.quantiles import quantile
from livecaptions.top.target import Target

NAMES = "livecaptions_"
OF_GATEWAYS = f"{NAMES}sessions"
OF_WORKERS = f"{NAMES}streams"


@dataclass(frozen=True, kw_only=True)
class TargetFigures:
    """The figures of one process."""

    url: str
    error: str | None
    """Why it cannot be reached."""
    restarts: int
    """Restarts seen since ``top`` started."""
    roles: tuple[str, ...]
    version: str | None
    model: str | None
    sessions: float | None
    viewers: float | None
    streams: float | None
    queue_utterances: float | None
    audio_behind_seconds: float | None
    real_time_factor: float | None
    decoding_share: float | None
    """Seconds of decoding per second of time."""
    cpu_cores: float | None
    memory_bytes: float | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of the installation over the last ``window_seconds``."""

    window_seconds: float
    sessions: float | None
    viewers: float | None
    streams: float | None
    speech_share: float | None
    """Seconds of speech received per second."""
    partials_per_second: float | None
    finals_per_minute: float | None
    words_per_minute: float | None
    first_partial_p95_seconds: float | None
    word_shown_p50_seconds: float | None
    word_shown_p95_seconds: float | None
    final_p95_seconds: float | None
    finals_overdue_seconds: float | None
    erasure: float | None
    """Erased words per word of the finals."""
    confidence_p50: float | None
    audio_behind_worst_seconds: float | None
    audio_behind_seconds: dict[str, float]
    """By partition."""
    queue_utterances: float | None
    real_time_factor: float | None
    gates_fired: dict[str, float]
    """By gate."""
    refusals: dict[str, float]
    """By code."""
    partials_dropped: float | None
    slow_viewers: float | None
    dead_letters: float | None
    restarts: int
    unreachable: int
    targets: tuple[TargetFigures, ...]


def figures_of(targets: Sequence[Target]) -> Figures:
    """Combine the metrics of all targets."""
    all_of = _Combined(targets)
    behind: dict[str, float] = {}
    for scrape in all_of.scrapes:
        for partition, seconds in scrape.by_label(f"{NAMES}audio_behind_seconds", "partition").items():
            behind[partition] = max(seconds, behind.get(partition, 0.0))
    return Figures(
        window_seconds=all_of.seconds,
        sessions=all_of.gauge("sessions"),
        viewers=all_of.gauge("viewers"),
        streams=all_of.gauge("streams"),
        speech_share=all_of.rate("audio_logged_seconds_total"),
        partials_per_second=all_of.rate("partials_published_total"),
        finals_per_minute=_times(60, all_of.rate("finals_published_total")),
        words_per_minute=_times(60, all_of.rate("words_published_total")),
        first_partial_p95_seconds=all_of.quantile(0.95, "first_partial_seconds"),
        word_shown_p50_seconds=all_of.quantile(0.5, "word_shown_seconds"),
        word_shown_p95_seconds=all_of.quantile(0.95, "word_shown_seconds"),
        final_p95_seconds=all_of.quantile(0.95, "final_seconds"),
        finals_overdue_seconds=all_of.worst("finals_overdue_seconds"),
        erasure=all_of.ratio("words_erased_total", "words_published_total"),
        confidence_p50=all_of.quantile(0.5, "word_confidence"),
        audio_behind_worst_seconds=all_of.worst("audio_behind_worst_seconds"),
        audio_behind_seconds=dict(sorted(behind.items(), key=lambda item: -item[1])),
        queue_utterances=all_of.gauge("decode_queue_utterances"),
        real_time_factor=all_of.ratio("decode_seconds_total", "decoded_audio_seconds_total"),
        gates_fired=all_of.by_label("gates_fired_total", "gate"),
        refusals=all_of.by_label("refusals_total", "code"),
        partials_dropped=all_of.increase("partials_dropped_total"),
        slow_viewers=all_of.increase("viewer_ends_total", outcome="slow_consumer"),
        dead_letters=all_of.increase("dead_letter_records_total"),
        restarts=sum(target.window.restarts for target in targets),
        unreachable=sum(target.error is not None for target in targets),
        targets=tuple(_target(target) for target in targets),
    )


class _Combined:
    """The metrics of several processes as if they were one. Names come without the prefix."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.scrapes = [target.now for target in targets if target.now is not None]
        self._windows = [target.window for target in targets]

    @property
    def seconds(self) -> float:
        return max((window.seconds for window in self._windows), default=0.0)

    def gauge(self, name: str) -> float | None:
        return _known((scrape.gauge(NAMES + name) for scrape in self.scrapes), sum)

    def worst(self, name: str) -> float | None:
        return _known((scrape.gauge(NAMES + name) for scrape in self.scrapes), max)

    def increase(self, name: str, **labels: str) -> float | None:
        return _known((window.increase(NAMES + name, **labels) for window in self._windows), sum)

    def rate(self, name: str) -> float | None:
        return _known((window.rate(NAMES + name) for window in self._windows), sum)

    def ratio(self, over: str, under: str) -> float | None:
        counted, of = self.increase(over), self.increase(under)
        return counted / of if counted is not None and of else None

    def quantile(self, share: float, name: str) -> float | None:
        buckets: dict[float, float] = {}
        for window in self._windows:
            for bound, count in window.buckets(NAMES + name).items():
                buckets[bound] = buckets.get(bound, 0.0) + count
        return quantile(share, buckets)

    def by_label(self, name: str, label: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for window in self._windows:
            for key, count in window.by_label(NAMES + name, label).items():
                found[key] = found.get(key, 0.0) + count
        return {key: count for key, count in sorted(found.items()) if count}


def _target(target: Target) -> TargetFigures:
    now, one = target.now, _Combined([target])
    roles = {"gateway": OF_GATEWAYS, "worker": OF_WORKERS}
    return TargetFigures(
        url=target.url,
        error=target.error,
        restarts=target.window.restarts,
        roles=tuple(role for role, name in roles.items() if now is not None and now.has(name)),
        version=now.label(f"{NAMES}build_info", "version") if now is not None else None,
        model=now.label(f"{NAMES}model_info", "model") if now is not None else None,
        sessions=one.gauge("sessions"),
        viewers=one.gauge("viewers"),
        streams=one.gauge("streams"),
        queue_utterances=one.gauge("decode_queue_utterances"),
        audio_behind_seconds=one.gauge("audio_behind_worst_seconds"),
        real_time_factor=one.ratio("decode_seconds_total", "decoded_audio_seconds_total"),
        decoding_share=one.rate("decode_seconds_total"),
        cpu_cores=target.window.rate("process_cpu_seconds_total"),
        memory_bytes=now.gauge("process_resident_memory_bytes") if now is not None else None,
    )


def _known(values: Iterable[float | None], fold: Callable[[Iterable[float]], float]) -> float | None:
    """Apply ``fold`` to the known values; None if there are none."""
    known = [value for value in values if value is not None]
    return fold(known) if known else None


def _times(factor: float, value: float | None) -> float | None:
    return factor * value if value is not None else None
