"""What every process that decodes measures: its models, and the utilisation and errors of its decodes."""

from typing import ClassVar

from prometheus_client import Counter

from monitoring import buckets
from monitoring.families import Families
from monitoring.process_metrics import PrometheusProbe


class DecodingProbe(PrometheusProbe):
    """The hooks of decodes. Subclasses add those of a role; ``kinds`` are what it decodes."""

    kinds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, families: Families, version: str) -> None:
        super().__init__(families, version)
        self._loaded = families.gauge("model_loaded", "1 once the model is in memory.", multiprocess_mode="livemin")
        self._info = families.gauge(
            "model_info",
            "The model that decodes; always 1.",
            "model",
            "compute_type",
            "device",
            multiprocess_mode="livemax",
        )
        self._decode = families.counter(
            "decode_seconds", "Time spent decoding, by kind and model, of all decoders together.", "kind", "model"
        )
        self._decoded = families.counter(
            "decoded_audio_seconds", "Audio decoded, repeats counted, by kind and model.", "kind", "model"
        )
        self._batches = families.histogram(
            "decode_batch_windows", "Windows decoded together.", buckets.BATCH, "kind", "model"
        )
        self._rtf = families.gauge(
            "real_time_factor_ratio",
            "Decode time over audio of the last batch, by kind and model.",
            "kind",
            "model",
            multiprocess_mode="livemostrecent",
        )
        self._failures = families.counter("decode_failures", "Batches the engine failed on.", "model")
        self.of_models: list[Counter] = [self._failures]
        """Counters by model, which begin at 0 when a model is loaded."""

    def model_loaded(self, model: str, compute_type: str, device: str) -> None:
        """The model is in memory: its series begin at 0."""
        self._loaded.set(1)
        self._info.labels(model, compute_type, device).set(1)
        for kind in self.kinds:
            self._decode.labels(kind, model)
            self._decoded.labels(kind, model)
            self._batches.labels(kind, model)
        for counter in self.of_models:
            counter.labels(model)

    def decoded(self, kind: str, model: str, batch: int, audio: float, took: float) -> None:
        """A batch was decoded."""
        self._decode.labels(kind, model).inc(took)
        self._decoded.labels(kind, model).inc(audio)
        self._batches.labels(kind, model).observe(batch)
        if audio > 0:
            self._rtf.labels(kind, model).set(took / audio)

    def decode_failed(self, model: str) -> None:
        """A batch failed."""
        self._failures.labels(model).inc()
