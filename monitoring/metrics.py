"""The Probe port as Prometheus metrics. Rooms, sessions and tracks are no labels: there are too many of them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from captions.ports.probe import Probe

FIRST_PARTIAL_BUCKETS = (0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
FINAL_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2.0, 4.0, 8.0, 16.0)
APPEND_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0)
UTTERANCE_BUCKETS = (0.5, 1, 2, 4, 6, 8, 12, 16, 20)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32)


class PrometheusProbe(Probe):
    """Counts and measures what the hooks tell, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._sessions = self._gauge("sessions", "Publishers connected.")
        self._session_ends = self._counter("session_ends", "Publishers' connections ended, by outcome.", "outcome")
        self._viewers = self._gauge("viewers", "Viewers connected, by kind.", "kind")
        self._viewer_ends = self._counter("viewer_ends", "Viewers' connections ended.", "kind", "outcome")
        self._refusals = self._counter("refusals", "Requests refused, by code.", "code")
        self._received = self._counter("audio_received_seconds", "Audio decoded from publishers.")
        self._logged = self._counter("audio_logged_seconds", "Speech put on the log.")
        self._append = self._histogram("segment_append_seconds", "Time to put a segment on the log.", APPEND_BUCKETS)
        self._utterances = self._histogram(
            "utterance_seconds", "Lengths of utterances, by what ended them.", UTTERANCE_BUCKETS, "reason"
        )
        self._dropped = self._counter("partials_dropped", "Superseded partials not sent to viewers.")
        self._queue = self._gauge("decode_queue_utterances", "Utterances that wait for a decode.")
        self._decode = self._counter("decode_seconds", "Time spent decoding, by kind.", "kind")
        self._decoded = self._counter("decoded_audio_seconds", "Audio decoded, repeats counted, by kind.", "kind")
        self._batches = self._histogram("decode_batch_windows", "Windows decoded together.", BATCH_BUCKETS, "kind")
        self._rtf = self._gauge("real_time_factor_ratio", "Decode time over audio of the last batch, by kind.", "kind")
        self._redecoded = self._counter("windows_redecoded", "Windows the loop gate decoded again at 30 s.")
        self._gates = self._counter("gates_fired", "Words withdrawn by a hallucination gate.", "gate")
        self._failures = self._counter("decode_failures", "Batches the engine failed on.")
        self._dead = self._counter(
            "dead_letter_records", "Utterances and records that could not be dealt with.", "kind"
        )
        self._first = self._histogram(
            "first_partial_seconds", "From an utterance's beginning to its first words.", FIRST_PARTIAL_BUCKETS
        )
        self._final = self._histogram("final_seconds", "From the endpoint's decision to the final.", FINAL_BUCKETS)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"livecaptions_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"livecaptions_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"livecaptions_{name}", text, labels, registry=self.registry, buckets=buckets)

    def render(self) -> tuple[bytes, str]:
        """The metrics in Prometheus' text format, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def session_opened(self) -> None:
        """A publisher connected."""
        self._sessions.inc()

    def session_closed(self, outcome: str) -> None:
        """A publisher's connection ended."""
        self._sessions.dec()
        self._session_ends.labels(outcome).inc()

    def viewer_opened(self, kind: str) -> None:
        """A viewer connected."""
        self._viewers.labels(kind).inc()

    def viewer_closed(self, kind: str, outcome: str) -> None:
        """A viewer's connection ended."""
        self._viewers.labels(kind).dec()
        self._viewer_ends.labels(kind, outcome).inc()

    def refused(self, code: str) -> None:
        """A request was refused."""
        self._refusals.labels(code).inc()

    def audio_received(self, duration: float) -> None:
        """Audio was decoded from a publisher."""
        self._received.inc(duration)

    def segment_logged(self, duration: float, took: float) -> None:
        """A segment is on the log."""
        self._logged.inc(duration)
        self._append.observe(took)

    def utterance_ended(self, duration: float, reason: str) -> None:
        """The segmenter ended an utterance."""
        self._utterances.labels(reason).observe(duration)

    def partials_dropped(self, count: int) -> None:
        """Superseded partials were not sent."""
        self._dropped.inc(count)

    def queue_depth(self, waiting: int) -> None:
        """Utterances wait."""
        self._queue.set(waiting)

    def decoded(self, kind: str, batch: int, audio: float, took: float) -> None:
        """A batch was decoded."""
        self._decode.labels(kind).inc(took)
        self._decoded.labels(kind).inc(audio)
        self._batches.labels(kind).observe(batch)
        if audio > 0:
            self._rtf.labels(kind).set(took / audio)

    def redecoded(self) -> None:
        """A window was decoded again."""
        self._redecoded.inc()

    def gate_fired(self, gate: str) -> None:
        """A gate withdrew words."""
        self._gates.labels(gate).inc()

    def first_partial(self, latency: float) -> None:
        """An utterance's first words are out."""
        self._first.observe(latency)

    def final(self, latency: float) -> None:
        """A final is out."""
        self._final.observe(latency)

    def dead_letter(self, kind: str) -> None:
        """Something was put aside."""
        self._dead.labels(kind).inc()

    def decode_failed(self) -> None:
        """A batch failed."""
        self._failures.inc()
