"""Terms to expect in speech: names, products, jargon."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from captions.one_line import one_line
from captions.words import fold, written_with_spaces

LONGEST_TERM = 50
MOST_LETTERS = 100
"""Letters of a term when ligatures are written out, as they are compared: one Arabic ligature has 18."""
MOST_SOUNDS = 5
LIGHTEST, HEAVIEST = 0.1, 10
MOST_TERMS = 1000
"""Terms that count for one stream, those of all its glossaries together."""

_HIDDEN = re.compile(r"[\u200b\u202a-\u202e\u2066-\u2069]")
"""What changes the order of the text around it or is not seen. Joiners stay: Persian and Indic words need them."""
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that show nothing."""


def _bounded(text: str) -> str:
    if not text.isascii() and len(fold(text)) > MOST_LETTERS:
        raise ValueError(f"has to be at most {MOST_LETTERS} letters long when its ligatures are written out")
    return text


Spelling = Annotated[str, Field(min_length=1, max_length=LONGEST_TERM), AfterValidator(_bounded)]


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


def _readable(value: Any) -> Any:  # noqa: ANN401 - JSON
    return list(chain.from_iterable(map(_read, value))) if isinstance(value, list | tuple) else value


def _read(value: Any) -> tuple[Term, ...]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        value = {name: content for name, content in value.items() if name in Term.model_fields}
    try:
        return (Term.model_validate(value),)
    except ValidationError:
        return ()


RecordedTerms = Annotated[tuple[Term, ...], BeforeValidator(_readable)]
"""Terms of a record. Newer gateways may write others: unknown fields are ignored, unreadable terms are left out."""


def merged(*glossaries: Iterable[Term]) -> tuple[Term, ...]:
    """The terms of all glossaries, each once: the first entry of a term counts. At most ``MOST_TERMS``."""
    terms: dict[str, Term] = {}
    for term in chain.from_iterable(glossaries):
        terms.setdefault(term.text, term)
    return tuple(islice(terms.values(), MOST_TERMS))


def tidied(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The terms as they are stored: on one line, with single spaces and something to see.

    Controls of the direction of text are gone. Each term is there once, and they are at most ``MOST_TERMS``.
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
    text = _tidy(term.text)
    sounds_like = tuple(filter(None, map(_tidy, term.sounds_like)))
    if (text, sounds_like) == (term.text, term.sounds_like):
        return term
    return term.model_copy(update={"text": text, "sounds_like": sounds_like}) if text else None


def _tidy(text: str) -> str:
    text = " ".join(_HIDDEN.sub("", one_line(text)).split())
    return text if text.isascii() or any(map(_is_seen, text)) else ""


def _is_seen(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in _FILLERS
