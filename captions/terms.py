"""Terms to expect in speech: names, products, jargon."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from captions.words import written_with_spaces

LONGEST_TERM = 50
MOST_SOUNDS = 5
LIGHTEST, HEAVIEST = 0.1, 10
MOST_TERMS = 1000
"""Terms that count for one stream, those of all its glossaries together."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Spelling = Annotated[str, Field(min_length=1, max_length=LONGEST_TERM)]


class Term(BaseModel):
    """A term, written as captions should show it.

    ``sounds_like`` are spellings of how people say it, where that is not how it is written ("cube control" for
    "kubectl"). ``weight`` is how much more likely than other terms it is. A term with neither is written as a string.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    text: Spelling
    sounds_like: tuple[Spelling, ...] = Field((), max_length=MOST_SOUNDS)
    weight: float = Field(1.0, ge=LIGHTEST, le=HEAVIEST)

    @model_validator(mode="before")
    @classmethod
    def _of_a_string(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was given
        return {"text": value} if isinstance(value, str) else value

    @property
    def plain(self) -> bool:
        """Whether there is nothing to say of it but how it is written."""
        return not self.sounds_like and self.weight == 1.0

    @model_serializer(mode="wrap")
    def _as_string(self, handler: SerializerFunctionWrapHandler) -> Any:  # noqa: ANN401 - JSON
        if self.plain:
            return self.text
        return {name: value for name, value in handler(self).items() if value not in ((), [], 1.0)}


def merged(*glossaries: Iterable[Term]) -> tuple[Term, ...]:
    """The terms of all glossaries, each once: the first entry of a term counts. At most ``MOST_TERMS``."""
    terms: dict[str, Term] = {}
    for term in chain.from_iterable(glossaries):
        terms.setdefault(term.text, term)
    return tuple(islice(terms.values(), MOST_TERMS))


def tidied(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The terms as they are stored: spaces and control characters are one space, nothing is blank.

    Each is there once, and they are at most ``MOST_TERMS``.
    """
    return merged(term for term in map(_tidied, terms) if term is not None)


def written_terms(text: str, language: str, vocabulary: Iterable[Term]) -> Counter[str]:
    """How often the terms of ``vocabulary`` stand in ``text`` as they are written, or with a capital in front."""
    found = Counter[str]()
    for term in vocabulary:
        spellings = {term.text, term.text[0].upper() + term.text[1:]}
        if any(spelling in text for spelling in spellings):  # most terms are not, and patterns take time
            written = "|".join(map(re.escape, spellings))
            whole = rf"(?<!\w)(?:{written})(?!\w)" if written_with_spaces(language) else written
            if times := len(re.findall(whole, text)):
                found[term.text] = times
    return found


def _tidied(term: Term) -> Term | None:
    text = _one_line(term.text)
    sounds_like = tuple(filter(None, map(_one_line, term.sounds_like)))
    return term.model_copy(update={"text": text, "sounds_like": sounds_like}) if text else None


def _one_line(text: str) -> str:
    return " ".join(_CONTROLS.sub(" ", text).split())
