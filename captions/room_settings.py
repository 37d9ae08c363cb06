"""Settings of a room, as opposed to those of a session."""

from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from captions.language import AUTO, LANGUAGE_PATTERN, LanguageTags
from captions.stream_options import StreamOptions
from captions.terms import MOST_TERMS, Term, merged, tidied


class Spoken(NamedTuple):
    """The language of a stream: a BCP 47 tag, or ``auto`` and the ``languages`` that it looks among (empty: all)."""

    language: str
    languages: tuple[str, ...]


class RoomSettings(BaseModel):
    """Settings of one room.

    A publisher's own language takes precedence over ``language``, and its ``languages``, which ``auto`` looks among,
    over the room's. The terms of ``vocabulary`` are added to the publisher's. ``model`` names the speech model of the
    room's sessions; None means the workers' default. ``retention`` is how long finals can be read, in seconds;
    None means as long as the log keeps them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary: Annotated[tuple[Term, ...], Field(max_length=MOST_TERMS), AfterValidator(tidied)] = ()
    language: Annotated[str, Field(pattern=LANGUAGE_PATTERN)] | None = None
    languages: LanguageTags = ()
    model: Annotated[str, Field(min_length=1)] | None = None
    retention: Annotated[float, Field(ge=60, allow_inf_nan=False)] | None = None

    def language_of(self, options: StreamOptions, language: str, languages: tuple[str, ...]) -> Spoken:
        """The language of a stream, and those that ``auto`` looks among.

        ``language`` and ``languages`` are the server's. Who lists languages and names none asks for ``auto``.
        """
        asked = options.language or (AUTO if options.languages else None)
        here = self.language or (AUTO if self.languages else None)
        chosen = asked or here or language
        among = options.languages or self.languages or languages
        return Spoken(chosen, among if chosen == AUTO else ())

    def vocabulary_of(self, options: StreamOptions) -> tuple[Term, ...]:
        """The terms to expect in a stream: first the publisher's, then the room's other terms."""
        return merged(options.vocabulary, self.vocabulary)
