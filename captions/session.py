"""Settings that a publisher's session states once and every utterance needs."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

LANGUAGE_PATTERN = r"^(auto|[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)$"
"""A BCP 47 tag, or ``auto``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Settings of one publisher's session. The first segment of each utterance carries them.

    ``origin`` is the UTC time of the track's first sample, as epoch seconds. ``language`` is a BCP 47 tag or ``auto``.
    ``model`` is a speech model's name; None means the workers' default. ``audio`` is the format of the stream's bytes,
    which its offsets count; None means unknown. ``endpointing`` is the silence that ends an utterance, in seconds; None
    means the server's setting.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(allow_inf_nan=False)

    session: str
    origin: float
    language: str
    speaker: str | None = None
    vocabulary: tuple[str, ...] = ()
    model: str | None = None
    audio: str | None = None
    endpointing: float | None = None
