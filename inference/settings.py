"""The settings of a worker, with units."""

from dataclasses import dataclass, field

from captions.gates import GateSettings
from captions.stability import AGREEMENTS, DEFAULT, Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Settings of one worker."""

    partial_interval: float = 0.3
    """Seconds of new audio between two partial decodes of an utterance, when there is time."""
    first_partial: float = 0.9
    """Seconds of audio before the first partial decode: Whisper loops on less."""
    max_batch: int = 8
    """Windows decoded together at most."""
    decoders: int = 1
    """Batches decoded at the same time."""
    agreement: Agreement = AGREEMENTS[DEFAULT]
    """How often hypotheses have to agree before viewers see a change."""
    longest_window: float = 12.0
    """Seconds; a partial's window that is longer is trimmed at a stable word."""
    orphan_timeout: float = 15.0
    """Seconds without new audio after which an utterance is finalised, while the log answers."""
    most_buffered: float = 3600.0
    """Seconds of audio buffered, of all utterances together, above which partitions with open utterances are not read.

    Reading resumes at half of it.
    """
    attempts: int = 3
    """How often a decode that fails is tried before its utterance gets an empty final and becomes a dead letter."""
    gates: GateSettings = field(default_factory=GateSettings)
    """Limits of the hallucination gates."""
