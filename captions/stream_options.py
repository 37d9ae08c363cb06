"""What a publisher asks for when it begins a stream, whatever protocol it speaks."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator

from captions.audio import SAMPLE_RATE
from captions.errors import BadRequest
from captions.language import LANGUAGE_PATTERN, LanguageTags
from captions.messages import Name
from captions.session import MOST_BYTES, SessionSettings, fitting
from captions.terms import Term, tidied

NO_CONTROL_CHARACTERS = r"^\P{Cc}*$"
MOST_ASKED = 100
"""Terms that a publisher asks for."""


class Encoding(StrEnum):
    """How samples are written as bytes; a container describes itself."""

    LINEAR16 = "linear16"
    FLOAT32 = "float32"
    MULAW = "mulaw"
    ALAW = "alaw"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a stream's bytes are read; rate (Hz) and channels (interleaved) mean nothing for a container."""

    encoding: Encoding = Encoding.LINEAR16
    sample_rate: int = SAMPLE_RATE
    channels: int = 1

    def __str__(self) -> str:
        """Its name: two streams of the same name are read alike."""
        return f"{self.encoding}/{self.sample_rate}/{self.channels}"

    @classmethod
    def parse(cls, name: str) -> "AudioFormat":
        """The format of a name. Raises ``ValueError``."""
        encoding, sample_rate, channels = name.split("/")
        return cls(Encoding(encoding), int(sample_rate), int(channels))


class StreamOptions(BaseModel):
    """Options of one stream.

    ``audio`` is None where the publisher names no format: the default, or that of the session it resumes. ``session``
    is the session to resume. ``language`` and ``endpointing``, the seconds of silence that end an utterance, are None
    where the room's or the server's count. ``auto`` looks among ``languages``. ``vocabulary`` are terms to expect.
    ``takeover`` ends the session that the track has and begins a new one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    track: Name = "main"
    speaker: str | None = Field(None, max_length=80, pattern=NO_CONTROL_CHARACTERS)
    audio: AudioFormat | None = None
    language: str | None = Field(None, pattern=LANGUAGE_PATTERN)
    languages: LanguageTags = ()
    vocabulary: tuple[Term, ...] = Field((), max_length=MOST_ASKED)
    endpointing: float | None = Field(None, ge=0.1, le=5.0)
    session: str | None = None
    takeover: bool = False

    @field_validator("speaker")
    @classmethod
    def _empty_is_none(cls, speaker: str | None) -> str | None:
        return speaker or None

    @field_validator("vocabulary")
    @classmethod
    def _fits(cls, vocabulary: tuple[Term, ...]) -> tuple[Term, ...]:
        tidy = tidied(vocabulary)
        if len(fitting(tidy)) < len(tidy):
            raise ValueError(f"has to take at most {MOST_BYTES} bytes in all; give fewer terms, or shorter ones")
        return tidy

    @property
    def format(self) -> AudioFormat:
        """The format of the stream's bytes."""
        return self.audio or AudioFormat()

    def resuming(self, settings: SessionSettings) -> "StreamOptions":
        """The options in the format in which the session began: offsets count bytes of it.

        Raises ``BadRequest`` where they name another format.
        """
        if settings.audio is None:
            return self
        if self.audio is None:
            return self.model_copy(update={"audio": AudioFormat.parse(settings.audio)})
        if str(self.audio) != settings.audio:
            raise BadRequest(
                f"encoding, sample_rate, channels: session {settings.session} is {settings.audio}, not {self.audio}; "
                "resume it as it began, or begin a new one"
            )
        return self
