"""What a publisher's session says once and every utterance of it needs."""

from dataclasses import dataclass

LANGUAGE_PATTERN = r"^(auto|[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)$"
"""A BCP 47 tag, or ``auto``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Settings of one publisher's session, carried by the first segment of each utterance.

    ``origin`` is the UTC time of the track's first sample, epoch seconds. ``language`` is a BCP 47 tag or
    ``auto``; ``model`` is None for whatever the workers serve. ``audio`` names the format of the stream's bytes, in
    which its offsets count; None where a record does not tell it. ``endpointing`` are the seconds of silence that end
    an utterance; None where the server's count.
    """

    session: str
    origin: float
    language: str
    speaker: str | None = None
    vocabulary: tuple[str, ...] = ()
    model: str | None = None
    audio: str | None = None
    endpointing: float | None = None
