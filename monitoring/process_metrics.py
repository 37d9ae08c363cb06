"""What every process measures of itself."""

from captions.ports.probe import Probe
from monitoring import buckets
from monitoring.families import Families

OPERATIONS = ("append", "read", "commit")


class PrometheusProbe(Probe):
    """The Probe port as Prometheus metrics; roles add theirs.

    Rooms, sessions and tracks are no labels: there are too many of them. Series that alerts rest on are there from
    the start, at 0.
    """

    def __init__(self, families: Families, version: str) -> None:
        self.families = families
        build = families.gauge("build_info", "The version that runs; always 1.", "version", multiprocess_mode="livemax")
        build.labels(version).set(1)
        self._partitions = families.gauge("audio_partitions", "Partitions of topic audio.", multiprocess_mode="livemax")
        self._lag = families.histogram(
            "event_loop_lag_seconds", "How late the event loop came to what was due.", buckets.LOOP_LAG
        )
        self._log_errors = families.counter("log_errors", "What the log could not do, by operation.", "operation")
        for operation in OPERATIONS:
            self._log_errors.labels(operation)

    def render(self) -> tuple[bytes, str]:
        """The metrics in Prometheus' text format, and its content type."""
        return self.families.render()

    def audio_partitions(self, count: int) -> None:
        """Topic ``audio`` is known."""
        self._partitions.set(count)

    def event_loop_lagged(self, lag: float) -> None:
        """The event loop came late."""
        self._lag.observe(lag)

    def log_failed(self, operation: str) -> None:
        """The log failed."""
        self._log_errors.labels(operation).inc()
