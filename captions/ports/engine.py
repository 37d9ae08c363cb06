"""The Engine port: speech in, hypotheses out, a batch at a time."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from captions.audio import Pcm
from captions.words import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeRequest:
    """One window of an utterance to decode.

    ``language`` is a BCP 47 tag or ``auto``. ``context`` is the text that was said just before the window;
    ``vocabulary`` are terms to expect. ``final`` asks for the careful decode: beam search, word times and
    confidences, a second look where it is doubtful. ``aligned`` asks a partial decode for word times too.
    """

    pcm: Pcm
    language: str
    context: str = ""
    vocabulary: tuple[str, ...] = ()
    final: bool = False
    aligned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """What the engine heard in one window.

    Word times are seconds from the window's first sample; a partial's words have them where ``aligned`` was asked, and
    where the text may be a loop.
    ``no_speech_probability`` and ``language_probability`` are in 0..1; ``mean_log_probability`` is per token,
    natural logarithm.
    ``redecoded`` says that the window was looked at twice, the second time at the full 30 s.
    """

    words: tuple[Word, ...]
    language: str
    language_probability: float = 1.0
    no_speech_probability: float = 0.0
    mean_log_probability: float = 0.0
    redecoded: bool = False


class Engine(Protocol):
    """A speech model. Calls block: they belong off the event loop."""

    @property
    def model_name(self) -> str:
        """The model's name, as operators know it."""
        ...

    @property
    def revision(self) -> str:
        """The revision of the model's weights: 12 hexadecimal digits. Other weights have another revision."""
        ...

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """One hypothesis for each request, in their order.

        A final does not depend on the batch it came in. Raises ``EngineError`` when the batch could not be decoded.
        """
        ...

    @property
    def decoders(self) -> int:
        """How many calls of ``decode`` make progress at the same time; more wait."""
        ...

    def batch_key(self, samples: int, *, final: bool) -> Hashable:
        """The key of windows of so many samples: windows that share a batch key are cheaply decoded together.

        Windows with other keys in the same batch are decoded one after the other, and wait for each other.
        """
        ...
