"""A stream to publish: its place, its speaker and the format of its bytes."""

from dataclasses import dataclass

from livecaptions_client.address import Parameters

SAMPLE_BYTES = {"linear16": 2, "float32": 4, "mulaw": 1, "alaw": 1}
"""Of one channel, for each encoding; a container's samples have no fixed size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What ``publish`` was asked for; ``server`` may be several addresses separated by commas."""

    server: str
    room: str
    track: str = "main"
    speaker: str | None = None
    encoding: str = "linear16"
    sample_rate: int = 16_000
    channels: int = 1
    language: str | None = None
    vocabulary: tuple[str, ...] = ()
    endpointing: float | None = None
    token: str | None = None
    takeover: bool = False

    @property
    def sample_bytes(self) -> int | None:
        """Bytes of one sample of all channels, None where the encoding does not fix them."""
        size = SAMPLE_BYTES.get(self.encoding)
        return None if size is None else size * self.channels

    @property
    def bytes_per_second(self) -> int | None:
        """Bytes of a second of audio, None where the encoding does not fix them."""
        return None if self.sample_bytes is None else self.sample_bytes * self.sample_rate

    def parameters(self, *, session: str | None, takeover: bool) -> Parameters:
        """Return the socket's query: to resume ``session``, or to begin one."""
        optional = {
            "speaker": self.speaker,
            "language": self.language,
            "endpointing": None if self.endpointing is None else str(self.endpointing),
            "session": session,
            "takeover": "true" if takeover else None,
        }
        return [
            ("track", self.track),
            ("encoding", self.encoding),
            ("sample_rate", str(self.sample_rate)),
            ("channels", str(self.channels)),
            *((name, value) for name, value in optional.items() if value is not None),
            *(("vocabulary", term) for term in self.vocabulary),
        ]
