"""Metrics of every process."""

from captions.ports.probe import Probe
from monitoring import buckets
from monitoring.families import Families

OPERATIONS = ("append", "read", "commit")


class PrometheusProbe(Probe):
    """The Probe port with Prometheus metrics. Subclasses add the metrics of a role.

    Rooms, sessions and tracks are not labels, because there are too many of them. Series that alerts use exist from the
    start, at 0.
    """

    def __init__(self, families: Families, version: str) -> None:
        self.families = families
        build = families.gauge("build_info", "The running version; always 1.", "version", multiprocess_mode="livemax")
        build.labels(version).set(1)
        self._partitions = families.gauge(
            "audio_partitions", "Number of partitions of topic audio.", multiprocess_mode="livemax"
        )
        self._lag = families.histogram(
            "event_loop_lag_seconds", "Delay of due callbacks in the event loop.", buckets.LOOP_LAG
        )
        self._log_errors = families.counter("log_errors", "Failed operations of the log, by operation.", "operation")
        for operation in OPERATIONS:
            self._log_errors.labels(operation)

    def render(self) -> tuple[bytes, str]:
        """Render the metrics in Prometheus' text format. Returns them with their content type."""
        return self.families.render()

    def audio_partitions(self, count: int) -> None:
        """Topic ``audio`` has ``count`` partitions."""
        self._partitions.set(count)

    def event_loop_lagged(self, lag: float) -> None:
        """The event loop ran a callback late."""
        self._lag.observe(lag)

    def log_failed(self, operation: str) -> None:
        """An operation of the log failed."""
        self._log_errors.labels(operation).inc()
