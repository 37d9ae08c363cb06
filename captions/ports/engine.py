"""The Engine port: decodes windows of speech into hypotheses, in batches."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from captions.audio import Pcm
from captions.words import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeRequest:
    """One window of an utterance to decode.

    ``pcm`` has shape (samples,). ``language`` is a BCP 47 tag, or ``auto``: it is detected, among ``languages`` (BCP 47
    tags) where there are any. ``detected`` requests the probabilities of languages although one is given. ``context``
    is the text just before the window; ``vocabulary`` lists terms to expect. ``final`` requests the careful decode:
    beam search, word times and confidences, and a second decode of doubtful windows. ``aligned`` requests word times
    for a partial too, and ``unhurried`` a wider search: nothing else waits.
    """

    pcm: Pcm
    language: str
    languages: tuple[str, ...] = ()
    detected: bool = False
    context: str = ""
    vocabulary: tuple[str, ...] = ()
    final: bool = False
    aligned: bool = False
    unhurried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """The engine's transcript of one window.

    Word times are seconds from the window's first sample. The words of a partial have times if ``aligned`` was
    requested or if the text may be a loop. ``no_speech_probability`` and ``language_probability`` are in 0..1.
    ``language_probabilities`` are those of all languages that were looked for, empty where none were.
    ``mean_log_probability`` is the mean natural logarithm of the tokens' probabilities. ``redecoded``: the window was
    decoded a second time at the full 30 s.
    """

    words: tuple[Word, ...]
    language: str
    language_probability: float = 1.0
    language_probabilities: Mapping[str, float] = field(default_factory=dict)
    no_speech_probability: float = 0.0
    mean_log_probability: float = 0.0
    redecoded: bool = False


class Engine(Protocol):
    """A speech model. Its calls block, so they have to run outside the event loop."""

    @property
    def model_name(self) -> str:
        """The model's name, as it is shown to operators."""
        ...

    @property
    def revision(self) -> str:
        """The revision of the model's weights: 12 hexadecimal digits. Other weights have another revision."""
        ...

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Return one hypothesis per request, in the same order.

        The result of a final does not depend on the other requests in the batch. Raises ``EngineError`` if the batch
        cannot be decoded.
        """
        ...

    @property
    def decoders(self) -> int:
        """How many calls of ``decode`` run at the same time. Further calls wait."""
        ...

    def batch_key(self, samples: int, *, final: bool) -> Hashable:
        """The batch key of a window of ``samples`` samples. Windows with the same key are decoded together cheaply.

        Windows with different keys in one batch are decoded one after the other and wait for each other.
        """
        ...
