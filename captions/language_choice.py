"""The language of a session that asks for ``auto``: decided once its finals have said enough, then kept.

Whisper takes a short "okay" for any language, and is nearly always right where it is sure of two seconds and more. So
such an utterance counts by itself, and shorter ones are heard with those before them: each final adds its
probabilities, weighed by its seconds of speech, to what the finals before it said. What was said longer ago counts
less: a speaker who changes the language is followed. Nothing here depends on the time of day or on batches: the
language of an utterance follows from its own audio and the finals before it. docs/languages.md has the figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from captions.errors import RecordError
from captions.explain import explain

HALF = 2.0
"""Seconds of speech after which earlier speech counts half."""

LEAD = 1.5
"""How many times as much as the language of the session another one needs, to take its place."""

ENOUGH = 3.0
"""Seconds of one language, weighed by their probability, that decide for it."""

ONSET = 0.4
"""Seconds of an utterance that say nothing of its language: its silence, and its first sounds."""

LONGEST = 8.0
"""Seconds of one utterance that count at most."""

OWN = 2.0
"""Seconds of an utterance that count by themselves, where one language has the probability ``SURE``."""

SURE = 0.9

_LEAST = 0.05  # of the seconds of a language: less is dropped
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Heard:
    """What the finals of a session have said of its language.

    ``language`` is the language that was decided, None before that. ``seconds`` are seconds of speech by language,
    weighed by their probability and by how long ago they were said.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(allow_inf_nan=False)

    language: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def after(self, probabilities: Mapping[str, float], speech: float) -> "Heard":
        """What is known after an utterance of ``speech`` seconds that is in each language with this probability.

        The probabilities are at most 1 together. Without any, nothing changes.
        """
        weight = min(max(0.0, speech - ONSET), LONGEST)
        if not weight or not probabilities:
            return self
        fade = 0.5 ** (weight / HALF)
        summed = {
            language: self.seconds.get(language, 0.0) * fade + weight * probabilities.get(language, 0.0)
            for language in self.seconds.keys() | probabilities.keys()
        }
        seconds = {key: round(value, _DIGITS) for key, value in sorted(summed.items()) if value >= _LEAST}
        return Heard(_decided(self.language, seconds), seconds)

    def best(self, probabilities: Mapping[str, float], speech: float) -> str | None:
        """The language of an utterance with these arguments, once ``after`` has counted it.

        It is its own where the utterance is long and sure. Otherwise it is the session's, and before a decision the
        likeliest of all that was heard. None where there is no evidence at all.
        """
        own = _likeliest(probabilities)
        if own is not None and speech >= OWN and probabilities[own] >= SURE:
            return own
        return self.language or _likeliest(self.seconds) or own

    def write(self) -> bytes:
        """As a header of a final."""
        return _heard.dump_json(self)

    @classmethod
    def read(cls, header: bytes) -> "Heard":
        """What ``write`` wrote. Raises ``RecordError``."""
        try:
            return _heard.validate_json(header)
        except ValidationError as error:
            raise RecordError(f"what was heard of the session's language cannot be read: {explain(error)}") from error


_heard: TypeAdapter[Heard] = TypeAdapter(Heard)


def _decided(language: str | None, seconds: Mapping[str, float]) -> str | None:
    best = _likeliest(seconds)
    if best is None:
        return language
    if language is None:
        return best if seconds[best] >= ENOUGH else None
    return best if seconds[best] >= LEAD * seconds.get(language, 0.0) and seconds[best] >= ENOUGH / LEAD else language


def _likeliest(seconds: Mapping[str, float]) -> str | None:
    """The language with the most; of equals, the first by name."""
    return min(seconds, key=lambda language: (-seconds[language], language), default=None)
