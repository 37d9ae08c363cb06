"""What a worker can be told, with units."""

from dataclasses import dataclass, field

from captions.gates import GateSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Settings of one worker; durations are seconds."""

    partial_interval: float = 0.3
    """New audio between two partial decodes of an utterance, when there is time."""
    first_partial: float = 0.9
    """Audio before the first partial decode: Whisper loops on less."""
    max_batch: int = 8
    """Windows decoded together."""
    decoders: int = 1
    """Batches decoded at the same time."""
    longest_window: float = 12.0
    """A partial's window beyond this is trimmed at a stable word."""
    orphan_timeout: float = 15.0
    """An utterance whose audio stopped coming is finalised after this."""
    most_buffered: float = 3600.0
    """Audio held, of all utterances, before the log is read no further."""
    attempts: int = 3
    """Tries at a decode that fails before it is given up."""
    gates: GateSettings = field(default_factory=GateSettings)
