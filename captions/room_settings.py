"""Settings of a room, as opposed to those of a session."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from captions.language import LANGUAGE_PATTERN
from captions.stream_options import StreamOptions
from captions.terms import MOST_TERMS, Term, merged


class RoomSettings(BaseModel):
    """Settings of one room.

    A publisher's own language takes precedence over ``language``. The terms of ``vocabulary`` are added to the
    publisher's. ``model`` names the speech model of the room's sessions; None means the workers' default.
    ``retention`` is how long finals can be read, in seconds; None means as long as the log keeps them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary: tuple[Term, ...] = Field((), max_length=MOST_TERMS)
    language: Annotated[str, Field(pattern=LANGUAGE_PATTERN)] | None = None
    model: Annotated[str, Field(min_length=1)] | None = None
    retention: Annotated[float, Field(ge=60, allow_inf_nan=False)] | None = None

    def vocabulary_of(self, options: StreamOptions) -> tuple[Term, ...]:
        """The terms to expect in a stream: first the publisher's, then the room's other terms."""
        return merged(options.vocabulary, self.vocabulary)
