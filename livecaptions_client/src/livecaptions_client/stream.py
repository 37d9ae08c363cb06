"""The options of a stream to publish."""

from dataclasses import dataclass

from livecaptions_client.address import Parameters

SAMPLE_BYTES = {"linear16": 2, "float32": 4, "mulaw": 1, "alaw": 1}
"""Bytes of one sample of one channel, for each encoding. The samples of a container have no fixed size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The arguments of ``publish``. ``server`` may be several addresses separated by commas."""

    server: str
    room: str
    track: str = "main"
    speaker: str | None = None
    encoding: str = "linear16"
    sample_rate: int = 16_000
    channels: int = 1
    language: str | None = None
    languages: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    endpointing: float | None = None
    token: str | None = None
    takeover: bool = False

    @property
    def sample_bytes(self) -> int | None:
        """Bytes of one sample of all channels, or None if the encoding has no fixed size."""
        size = SAMPLE_BYTES.get(self.encoding)
        return None if size is None else size * self.channels

    @property
    def bytes_per_second(self) -> int | None:
        """Bytes of a second of audio, or None if the encoding has no fixed size."""
        return None if self.sample_bytes is None else self.sample_bytes * self.sample_rate

    def parameters(self, *, session: str | None, takeover: bool) -> Parameters:
        """Return the query parameters of the socket. They resume ``session``, or begin a session if it is None."""
        optional = {
            "speaker": self.speaker,
            "language": self.language,
            "languages": ",".join(self.languages) or None,
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
