"""Settings that a publisher's session states once and every utterance needs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from captions.errors import RecordError
from captions.explain import explain
from captions.terms import RecordedTerms, Term, tidied

MOST_BYTES = 32 * 1024
"""Bytes of a stream's terms in the first segment of each utterance: as many as a second of audio has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Settings of one publisher's session. The first segment of each utterance carries them.

    ``origin`` is the UTC time of the track's first sample, as epoch seconds. ``language`` is a BCP 47 tag or ``auto``,
    which looks among ``languages`` where there are any. ``first_utterance`` is the number of the session's first
    utterance; None means unknown: an older gateway wrote the settings.
    ``model`` is a speech model's name; None means the workers' default. ``audio`` is the format of the stream's bytes,
    which its offsets count; None means unknown. ``endpointing`` is the silence that ends an utterance, in seconds; None
    means the server's setting. ``own_terms`` is how many terms at the front of ``vocabulary`` the publisher asked for;
    None means unknown.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(allow_inf_nan=False)

    session: str
    origin: Annotated[float, Field(ge=0, le=1e11)]
    language: str
    languages: tuple[str, ...] = ()
    first_utterance: int | None = None
    speaker: str | None = None
    vocabulary: RecordedTerms = ()
    model: str | None = None
    audio: str | None = None
    endpointing: float | None = None
    own_terms: int | None = None

    @property
    def asked(self) -> tuple[Term, ...]:
        """The terms that the publisher asked for; all of them if it is unknown which."""
        return self.vocabulary[: self.own_terms]


_settings: TypeAdapter[SessionSettings] = TypeAdapter(SessionSettings)


class _Hinted(BaseModel):
    """The field ``terms``: terms of the vocabulary of which more is known than how they are written."""

    terms: RecordedTerms = ()


def write_settings(settings: SessionSettings) -> bytes:
    """Write settings as JSON. The vocabulary is a list of strings, as older workers read it."""
    given = _settings.dump_python(settings, mode="json", exclude_none=True)
    given["vocabulary"] = [term.text for term in settings.vocabulary]
    if hinted := tuple(term for term in settings.vocabulary if not term.plain):
        given |= _Hinted(terms=hinted).model_dump(mode="json")
    return json.dumps(given, ensure_ascii=False).encode()


def read_settings(data: bytes) -> SessionSettings:
    """Read settings. Raises ``RecordError``.

    What newer gateways may write is ignored: unknown fields, and terms that cannot be read. Terms are tidied, because
    older gateways wrote them as publishers gave them.
    """
    try:
        settings = _settings.validate_json(data)
    except ValidationError as error:
        raise RecordError(f"the settings of a session cannot be read: {explain(error)}") from error
    hinted = _hinted(data)
    vocabulary = tuple(hinted.get(term.text, term) for term in settings.vocabulary)
    if (own := settings.own_terms) is not None:
        own -= len(vocabulary[:own]) - len(tidied(vocabulary[:own]))
    return replace(settings, vocabulary=tidied(vocabulary), own_terms=own)


def _hinted(data: bytes) -> dict[str, Term]:
    try:
        return {term.text: term for term in _Hinted.model_validate_json(data).terms}
    except ValidationError:
        return {}  # the vocabulary has the terms too


def fitting(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The terms, from the first on, that take at most ``MOST_BYTES`` as ``write_settings`` writes them."""
    fit: list[Term] = []
    left = MOST_BYTES
    for term in terms:
        left -= _size(term)
        if left < 0:
            break
        fit.append(term)
    return tuple(fit)


def _size(term: Term) -> int:
    """The bytes that a term takes in written settings, with what separates it from the next."""
    listed = len(json.dumps(term.text, ensure_ascii=False).encode()) + 2
    if term.plain:
        return listed
    return listed + len(json.dumps(term.model_dump(mode="json"), ensure_ascii=False).encode()) + 2
