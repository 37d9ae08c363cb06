"""What the second pass measures: how much it changes, how late, and how far behind it is."""

from typing import ClassVar

from monitoring import buckets
from monitoring.decoding_metrics import DecodingProbe
from monitoring.families import Families

KINDS = ("refined",)


class RefineProbe(DecodingProbe):
    """The hooks of the second pass. Partitions are not measured here: those metrics are about group ``live``."""

    kinds: ClassVar[tuple[str, ...]] = KINDS

    def __init__(self, families: Families, version: str) -> None:
        super().__init__(families, version)
        self._refined_words = families.counter(
            "refined_words", "Words of captions that had their second pass.", "model"
        )
        self._refined_changed = families.counter(
            "refined_words_changed", "Words that the second pass changed.", "model"
        )
        self.of_models += [self._refined_words, self._refined_changed]
        self._refine_late = families.histogram(
            "refine_late_seconds",
            "From the end of an utterance to the end of its second pass.",
            buckets.REFINE_LATE,
        )
        self._refine_behind = families.gauge(
            "refine_behind_seconds",
            "Age of the oldest finished speech that waits for its second pass.",
            multiprocess_mode="livemax",
        )
        self._refine_skipped = families.counter(
            "refine_skipped_seconds", "Speech without a second pass, because it would have come too late."
        )

    def refined(self, model: str, words: int, changed: int, late: float) -> None:
        """The second pass is done with a caption."""
        self._refined_words.labels(model).inc(words)
        self._refined_changed.labels(model).inc(changed)
        self._refine_late.observe(late)

    def refine_behind(self, seconds: float) -> None:
        """Speech waits."""
        self._refine_behind.set(seconds)

    def refine_skipped(self, seconds: float) -> None:
        """Speech is left as it is."""
        self._refine_skipped.inc(seconds)
