"""What a worker measures: its partitions, what waits for a decode, and what viewers wait for."""

from typing import ClassVar

from captions.gates import GATES
from monitoring import buckets
from monitoring.decoding_metrics import DecodingProbe
from monitoring.families import Families

KINDS = ("partial", "final")


class WorkerProbe(DecodingProbe):
    """The worker's hooks."""

    kinds: ClassVar[tuple[str, ...]] = KINDS

    def __init__(self, families: Families, version: str) -> None:
        super().__init__(families, version)
        self._partitions_of(families)
        self._decodes(families)
        self._captions(families)
        self._dead = families.counter(
            "dead_letter_records", "Utterances and records that could not be dealt with.", "kind"
        )
        for kind in ("utterance", "record"):
            self._dead.labels(kind)

    def _partitions_of(self, families: Families) -> None:
        self._assigned = families.gauge(
            "partition_assigned",
            "1 while this worker owns the partition.",
            "partition",
            multiprocess_mode="livemostrecent",
        )
        self._behind = families.gauge(
            "audio_behind_seconds",
            "Age of a partition's oldest audio that waits for a decode.",
            "partition",
            multiprocess_mode="livemostrecent",
        )
        self._worst = families.gauge(
            "audio_behind_worst_seconds", "The worst of this worker's partitions.", multiprocess_mode="livemax"
        )
        self._consumer_lag = families.gauge(
            "consumer_lag_records",
            "Records of a partition that are not committed: never 0 for long while somebody speaks.",
            "partition",
            multiprocess_mode="livemostrecent",
        )
        self._rebalances = families.counter("rebalances", "Times that the set of owned partitions changed.")
        self._streams = families.gauge(
            "streams", "Tracks with an open utterance, or speech in the last 10 s.", multiprocess_mode="livesum"
        )

    def _decodes(self, families: Families) -> None:
        self._queue = families.gauge(
            "decode_queue_utterances", "Utterances that wait for a decode.", multiprocess_mode="livesum"
        )  # fmt: skip
        self._redecoded = families.counter(
            "windows_redecoded", "Doubtful finals that were decoded again at 30 s.", "model"
        )
        self.of_models += [self._redecoded]
        self._gates = families.counter("gates_fired", "Words withdrawn by a hallucination gate.", "gate")
        for gate in GATES:
            self._gates.labels(gate)

    def _captions(self, families: Families) -> None:
        self._first = families.histogram(
            "first_partial_seconds", "From an utterance's beginning to its first words.", buckets.FIRST_PARTIAL
        )
        self._shown = families.histogram(
            "word_shown_seconds", "From a word's end to its first correct appearance.", buckets.WORD_SHOWN
        )
        self._final = families.histogram(
            "final_seconds", "From the endpoint's decision to the final.", buckets.FINAL
        )  # fmt: skip
        self._interval = families.histogram(
            "partial_interval_seconds", "Between two partials of one utterance.", buckets.PARTIAL_INTERVAL
        )
        self._confidence = families.histogram(
            "word_confidence", "The model's confidence in the words of finals, in 0..1.", buckets.CONFIDENCE
        )
        self._partials = families.counter("partials_published", "Partials published.")
        self._finals = families.counter("finals_published", "Finals published.")
        self._words = families.counter("words_published", "Words of finals.")
        self._erased = families.counter(
            "words_erased", "Words taken back after they were shown, case and punctuation aside."
        )

    def partition_assigned(self, partition: int) -> None:
        """A partition is ours."""
        self._assigned.labels(partition).set(1)

    def partition_revoked(self, partition: int) -> None:
        """A partition is ours no more: its series go."""
        for gauge in (self._assigned, self._behind, self._consumer_lag):
            self.families.forget(gauge, partition)

    def rebalanced(self) -> None:
        """The set of owned partitions changed."""
        self._rebalances.inc()

    def audio_behind(self, behind: dict[int, float]) -> None:
        """Audio waits."""
        for partition, seconds in behind.items():
            self._behind.labels(partition).set(seconds)
        self._worst.set(max(behind.values(), default=0))

    def consumer_lag(self, partition: int, records: int) -> None:
        """Records are not committed."""
        self._consumer_lag.labels(partition).set(records)

    def streams(self, count: int) -> None:
        """Tracks speak."""
        self._streams.set(count)

    def queue_depth(self, waiting: int) -> None:
        """Utterances wait."""
        self._queue.set(waiting)

    def redecoded(self, model: str) -> None:
        """A window was decoded again."""
        self._redecoded.labels(model).inc()

    def gate_fired(self, gate: str) -> None:
        """A gate withdrew words."""
        self._gates.labels(gate).inc()

    def first_partial(self, latency: float) -> None:
        """An utterance's first words are out."""
        self._first.observe(latency)

    def partial(self, erased: int) -> None:
        """A partial is out."""
        self._partials.inc()
        self._erased.inc(erased)

    def partial_interval(self, interval: float) -> None:
        """The next partial of an utterance is out."""
        self._interval.observe(interval)

    def final(self, words: int, erased: int) -> None:
        """A final is out."""
        self._finals.inc()
        self._words.inc(words)
        self._erased.inc(erased)

    def final_latency(self, latency: float) -> None:
        """A final is out, so late."""
        self._final.observe(latency)

    def word_shown(self, latency: float) -> None:
        """A word of a final was shown."""
        self._shown.observe(latency)

    def word_confidence(self, confidence: float) -> None:
        """A word of a final is out."""
        self._confidence.observe(confidence)

    def dead_letter(self, kind: str) -> None:
        """Something was put aside."""
        self._dead.labels(kind).inc()
