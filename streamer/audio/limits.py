"""What one decoder process may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderLimits:
    """The limits of a process that decodes one container stream."""

    memory: int = 64 * 2**20
    """Bytes of address space beyond those of a process that has decoded nothing yet."""

    cpu: int = 30
    """Seconds of CPU beyond the duration of the sound. A stream that needs more could not be captioned live."""

    answer: float = 10.0
    """Seconds within which a process with input has to say something: samples, or that it wants more bytes."""
